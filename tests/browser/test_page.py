"""The coverage page in a real browser: how fast it opens, what the keyboard reaches, languages, themes, print."""

import struct
from pathlib import Path

import pytest

from logarchive.coverage.gap import Cell
from logarchive.coverage.model import Coverage
from logarchive.coverage.page import page
from tests.browser import pictures
from tests.browser.chromium import Browser
from tests.browser.sample import coverage

pytestmark = pytest.mark.slow

FOCUSED = "document.activeElement.getAttribute('aria-label')"
#: The grid that has the focus tells of one cell at a time, as a screen reader hears it.
CELL = """(() => {
  const cell = document.getElementById(document.activeElement.getAttribute('aria-activedescendant'));
  const number = (element, name) => Number(element.getAttribute(name));
  return [number(cell.parentElement, 'aria-rowindex'), number(cell, 'aria-colindex'), cell.textContent];
})()"""
#: Of each state the boxes of its pattern.
SHAPES = """[...document.querySelectorAll('symbol')].map(one => [...one.querySelectorAll('rect')].map(
  box => ['x', 'y', 'width', 'height'].map(name => box.getAttribute(name))).join())"""
BACKGROUND = "getComputedStyle(document.body).backgroundColor"


@pytest.fixture(scope="module")
def large() -> Coverage:
    return coverage()


@pytest.fixture(scope="module")
def opened(tab: Browser, large: Coverage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a page with fifty sources and 400 days."""
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_bytes(page(large))
    return path


def small(tmp_path: Path) -> tuple[Coverage, Path]:
    made = coverage(sources=2, days=3)
    path = tmp_path / "small.html"
    path.write_bytes(page(made))
    return made, path


def focus(tab: Browser, at: int) -> None:
    tab.evaluate(f"document.querySelectorAll('.grid')[{at}].focus()")


def test_fifty_sources_and_400_days_open_within_a_second_without_a_complaint(tab: Browser, opened: Path) -> None:
    times: list[float] = []
    for _ in range(3):
        tab.open(opened)
        assert tab.complaints() == []
        times.append(tab.cpu_seconds())
    assert min(times) < 1


def test_the_tab_key_reaches_every_source(tab: Browser, opened: Path, large: Coverage) -> None:
    tab.open(opened)
    reached: set[str] = set()
    for _ in range(500):
        tab.press("Tab")
        reached.add(tab.evaluate(FOCUSED) or "")
        if len(reached) > len(large.sources) and f"Hours of {large.sources[-1].name}, 400 days" in reached:
            break
    assert {f"Hours of {source.name}, 400 days" for source in large.sources} <= reached


def test_the_arrows_reach_every_cell_and_say_its_numbers(tab: Browser, tmp_path: Path) -> None:
    made, path = small(tmp_path)
    tab.open(path)
    for at, source in enumerate(made.sources):
        focus(tab, at)
        tab.press("Home", control=True)
        for day in range(3):
            for hour in range(24):
                row, column, said = tab.evaluate(CELL)
                assert (row, column) == (hour + 1, day + 1)
                assert f"; {source.hours.rows[day * 24 + hour]:,} rows, " in said
                tab.press("ArrowDown")
            tab.press("ArrowUp", 23)
            tab.press("ArrowRight")


def test_keys_for_long_ways_go_to_the_ends_and_no_further(tab: Browser, opened: Path) -> None:
    tab.open(opened)
    focus(tab, 49)
    places: list[tuple[int, int]] = []
    for key, control in [
        ("Home", True),
        ("ArrowLeft", False),
        ("PageDown", False),
        ("End", True),
        ("ArrowRight", False),
        ("PageUp", False),
        ("Home", False),
    ]:
        tab.press(key, control=control)
        row, column, _ = tab.evaluate(CELL)
        places.append((row, column))
    assert places == [(1, 1), (1, 1), (1, 31), (24, 400), (24, 400), (24, 370), (24, 1)]


def test_pointing_at_a_cell_shows_its_numbers(tab: Browser, tmp_path: Path) -> None:
    made, path = small(tmp_path)
    tab.open(path)
    tab.evaluate("document.querySelector('.grid').scrollIntoView()")
    left, top = tab.evaluate("(({left, top}) => [left, top])(document.querySelector('.grid').getBoundingClientRect())")
    tab.point(left + 8 * 1 + 4, top + 8 * 5 + 4)
    said = tab.evaluate("document.querySelector('.readout').textContent")
    assert said.startswith("2026-11-25, 05:00 to 06:00 UTC: sealed")
    assert f"{made.sources[0].hours.rows[29]:,} rows" in said


def test_only_what_is_near_the_view_is_drawn(tab: Browser, opened: Path) -> None:
    tab.open(opened)
    drawn = "[...document.querySelectorAll('.grid canvas')].filter(one => one.width > 300).length"
    assert tab.evaluate(drawn) < 10
    tab.evaluate("document.getElementById('source-49').scrollIntoView()")
    tab.drawn()
    assert 0 < tab.evaluate(drawn) < 10


@pytest.mark.parametrize(
    ("language", "title"),
    [("ko", "로그 보관 현황"), ("ko-KR", "로그 보관 현황"), ("fr", "Coverage of the log archive")],
)
def test_the_browser_s_language_is_spoken_or_english(tab: Browser, tmp_path: Path, language: str, title: str) -> None:
    tab.open(small(tmp_path)[1], language=language)
    assert tab.evaluate("document.querySelector('h1').textContent") == title
    assert tab.evaluate("document.documentElement.lang") == language[:2].replace("fr", "en")


def test_language_and_theme_are_switched_in_the_page(tab: Browser, tmp_path: Path) -> None:
    tab.open(small(tmp_path)[1])
    light = tab.evaluate(BACKGROUND)
    tab.evaluate("document.querySelector('button[data-language=ko]').click()")
    assert tab.evaluate("document.querySelector('h1').textContent") == "로그 보관 현황"
    tab.evaluate("document.querySelector('button[data-theme=dark]').click()")
    assert tab.evaluate(BACKGROUND) != light
    assert tab.evaluate("document.querySelector('button[data-theme=dark]').getAttribute('aria-pressed')") == "true"
    tab.open(small(tmp_path)[1], dark=True)
    assert tab.evaluate(BACKGROUND) != light
    tab.evaluate("document.querySelector('button[data-theme=light]').click()")
    assert tab.evaluate(BACKGROUND) == light
    assert tab.complaints() == []


def test_every_state_is_explained_and_drawn_with_a_pattern_of_its_own(tab: Browser, tmp_path: Path) -> None:
    tab.open(small(tmp_path)[1])
    shapes = tab.evaluate(SHAPES)
    assert tab.evaluate("document.querySelectorAll('.legend li').length") == len(Cell)
    assert len(set(shapes)) == len(Cell) - 1  # no window at all, and sealed and verified, are plain


def test_it_prints_light_with_every_source_in_strips_that_fit_the_paper(tab: Browser, tmp_path: Path) -> None:
    tab.open(small(tmp_path)[1])
    light = tab.evaluate(BACKGROUND)
    path = tmp_path / "year.html"
    path.write_bytes(page(coverage(sources=2)))
    tab.open(path, dark=True)
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.evaluate(BACKGROUND) == light
    widths = "[...document.querySelectorAll('.strips canvas')].map(one => one.width)"
    assert tab.evaluate(widths) == [88 * 8] * 4 + [48 * 8] + [88 * 8] * 4 + [48 * 8]
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert tab.evaluate(BACKGROUND) != light
    assert tab.evaluate(widths) == []
    assert len(tab.pdf()) > 20_000
    assert tab.complaints() == []


def test_a_phone_has_no_bar_to_scroll_the_page_sideways(tab: Browser, opened: Path) -> None:
    tab.open(opened, width=390)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_pictures_of_the_docs_are_those_of_the_page(tab: Browser, tmp_path: Path) -> None:
    made = pictures.documents()
    current = pictures.digests(made)
    assert pictures.TAKEN_OF.read_text() == current, "take them anew: see CONTRIBUTING.md"
    pictures.take(tab, tmp_path, made)
    taken = {path.name: size(path) for path in tmp_path.glob("*.png")}
    assert {path.name: size(path) for path in pictures.FOLDER.glob("*.png")} == taken


def size(path: Path) -> tuple[int, int]:
    width, height = struct.unpack(">II", path.read_bytes()[16:24])
    return width, height
