"""The demo's page: what it prints fits, is aligned, and moves only where it can."""

import io
from typing import Any

import pytest

from tools.demo.page import WIDTH, Page, cut, many, shown, size, table


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("names", "rows", "lines"),
    [
        (["source", "rows"], [["a", 1204], ["longer", 7]], [
            "source   rows",
            "------  -----",
            "a       1,204",
            "longer      7",
        ]),
        (["hours"], [[12], [None]], ["hours", "-----", "   12", "    -"]),
    ],
)  # fmt: skip
def test_numbers_stand_to_the_right_and_texts_to_the_left(names: Any, rows: Any, lines: list[str]) -> None:
    assert table(names, rows) == lines


@pytest.mark.parametrize(
    ("said", "text"),
    [
        *((shown(None), "-"), (shown(0), "0"), (shown(1234567), "1,234,567"), (shown(1234.56), "1,234.6")),
        *((shown("x"), "x"), (many(1, "window"), "1 window"), (many(1204, "window"), "1,204 windows")),
        *((size(0), "0 B"), (size(999), "999 B"), (size(1000), "1.0 kB"), (size(1_250_000), "1.2 MB")),
        *((size(3e9), "3.0 GB"), (size(4e12), "4000.0 GB")),
        *((cut("abcdefgh", 8), "abcdefgh"), (cut("abcdefghi", 8), "abcde...")),
    ],
)
def test_a_value_is_shown_as_people_write_it_and_cut_at_the_width(said: str, text: str) -> None:
    assert said == text


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


def page_on(out: io.StringIO, *calls: tuple[str, str]) -> str:
    """Return what a page prints when its methods are called."""
    page = Page(out)
    for name, text in calls:
        getattr(page, name)(text)
    return out.getvalue()


def test_a_command_is_printed_whole() -> None:
    assert "x" * 200 in page_on(io.StringIO(), ("whole", "x" * 200))


def test_sections_are_numbered() -> None:
    assert page_on(io.StringIO(), ("section", "one"), ("section", "two")) == "\n1  one\n\n2  two\n"


def test_a_terminal_sees_one_line_that_moves() -> None:
    moved = page_on(Terminal(), ("move", "1 of 2"), ("move", "2 of 2"), ("rest", "done"), ("line", "after"))
    assert moved == "\r   1 of 2\x1b[K\r   2 of 2\x1b[K\r   done\x1b[K\n   after\n"
    assert page_on(Terminal(), ("move", "half"), ("line", "table")) == "\r   half\x1b[K\r\x1b[K   table\n"


def test_elsewhere_a_moving_line_is_printed_now_and_then_and_its_end_always() -> None:
    moves = [("move", f"{number} of 100") for number in range(100)]
    assert page_on(io.StringIO(), *moves, ("rest", "100 of 100")) == "   0 of 100\n   100 of 100\n"


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
