"""The demo's page: what it prints fits, is aligned, and moves only where it can."""

import io

import pytest

from tools.demo.page import WIDTH, Page, cut, many, shown, size, table


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_numbers_stand_to_the_right_and_texts_to_the_left() -> None:
    assert table(["source", "rows"], [["a", 1204], ["longer", 7]]) == [
        "source   rows",
        "------  -----",
        "a       1,204",
        "longer      7",
    ]


def test_a_column_of_numbers_and_nothing_stays_on_the_right() -> None:
    assert table(["hours"], [[12], [None]]) == ["hours", "-----", "   12", "    -"]


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (0, "0"), (1234567, "1,234,567"), (1234.56, "1,234.6"), ("x", "x")]
)
def test_a_value_is_shown_as_people_write_it(value: object, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1_250_000, "1.2 MB"),
        (3_000_000_000, "3.0 GB"),
        (4e12, "4000.0 GB"),
    ],
)
def test_sizes_have_the_unit_that_keeps_them_short(count: float, text: str) -> None:
    assert size(count) == text


def test_one_window_is_no_windows() -> None:
    assert (many(1, "window"), many(1204, "window")) == ("1 window", "1,204 windows")


def test_a_long_text_is_cut_at_the_width() -> None:
    assert cut("abcdefgh", 8) == "abcdefgh"
    assert cut("abcdefghi", 8) == "abcde..."


def test_nothing_but_a_command_is_wider_than_the_page() -> None:
    out = io.StringIO()
    page = Page(out)
    page.title("demo", "word " * 60)
    page.section("section")
    page.say("word " * 60)
    page.line("x" * 200)
    page.table(["a" * 150], [[1]])
    page.move("y" * 200)
    with page.step("sam build", "what it brings"):
        pass
    assert max(map(len, out.getvalue().splitlines())) == WIDTH


def test_a_command_is_printed_whole() -> None:
    out = io.StringIO()
    Page(out).whole("x" * 200)
    assert "x" * 200 in out.getvalue()


def test_sections_are_numbered() -> None:
    out = io.StringIO()
    page = Page(out)
    page.section("one")
    page.section("two")
    assert out.getvalue() == "\n1  one\n\n2  two\n"


def test_a_terminal_sees_one_line_that_moves() -> None:
    out = Terminal()
    page = Page(out)
    page.move("1 of 2")
    page.move("2 of 2")
    page.rest("done")
    page.line("after")
    assert out.getvalue() == "\r   1 of 2\x1b[K\r   2 of 2\x1b[K\r   done\x1b[K\n   after\n"


def test_what_follows_a_moving_line_takes_its_place() -> None:
    out = Terminal()
    page = Page(out)
    page.move("compared")
    page.line("table")
    assert out.getvalue() == "\r   compared\x1b[K\r\x1b[K   table\n"


def test_elsewhere_a_moving_line_is_printed_now_and_then_and_its_end_always() -> None:
    out = io.StringIO()
    page = Page(out)
    for number in range(100):
        page.move(f"{number} of 100")
    page.rest("100 of 100")
    assert out.getvalue() == "   0 of 100\n   100 of 100\n"


def test_a_step_tells_what_came_of_it_and_how_long_it_took() -> None:
    out = io.StringIO()
    with Page(out).step("sam build", "the layer"):
        pass
    assert out.getvalue().startswith("   sam build      the layer ")
    assert out.getvalue().endswith("   0.0 s\n")


def test_a_step_that_fails_says_nothing() -> None:
    out = io.StringIO()
    with pytest.raises(ValueError, match="broken"), Page(out).step("sam build"):
        raise ValueError("broken")
    assert not out.getvalue()


def test_a_failure_goes_to_the_other_channel(capsys: pytest.CaptureFixture[str]) -> None:
    Page(io.StringIO()).fail("port 1 is taken")
    assert capsys.readouterr() == ("", "make demo: port 1 is taken\n")
