import datetime as dt
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logarchive.moment import EPOCH, MILLISECOND, SECOND, duration, floor, instant, parse_duration, parse_instant
from logarchive.window import Span, Window, gaps, tiles

MOMENTS = st.integers(0, 2 * 10**9).map(lambda seconds: EPOCH + seconds * SECOND)
LENGTHS = st.integers(1, 10**6).map(lambda seconds: seconds * SECOND)
SPANS = st.tuples(st.integers(0, 300), st.integers(1, 60)).map(
    lambda pair: Span(EPOCH + pair[0] * SECOND, EPOCH + (pair[0] + pair[1]) * SECOND)
)


@pytest.mark.parametrize("text", ["2026-11-20", "2026-11-20T00:00:00", "2026-11-20T00:00:00+00:00", "20261120T000000Z"])
def test_a_moment_has_one_form(text: str) -> None:
    with pytest.raises(ValueError, match="no UTC moment in whole seconds"):
        parse_instant(text)
    assert parse_instant(instant(EPOCH)) == EPOCH


@given(st.integers(0, 10**8))
def test_a_duration_reads_back_as_it_was_written(seconds: int) -> None:
    assert parse_duration(duration(seconds * SECOND)) == seconds * SECOND


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "PT0S"), (3600, "PT1H"), (1800, "PT30M"), (86400, "P1D"), (90061, "P1DT1H1M1S")]
)
def test_durations_are_written_as_iso_8601(seconds: int, text: str) -> None:
    assert duration(seconds * SECOND) == text


@given(MOMENTS, LENGTHS)
def test_a_window_reads_back_from_its_key(start: dt.datetime, length: dt.timedelta) -> None:
    window = Window(start, start + length)
    assert Window.parse(window.key) == window


def test_the_names_of_a_window_are_those_of_the_contract() -> None:
    start = dt.datetime(2026, 11, 22, 13, tzinfo=dt.UTC)
    window = Window(start, start + dt.timedelta(hours=1))
    assert window.key == "2026-11-22T13:00:00Z/PT1H"
    assert window.slug == "20261122T130000Z-PT1H"
    assert window.date == "2026-11-22"


@given(MOMENTS, LENGTHS)
def test_floor_is_the_last_multiple_that_is_not_later(moment: dt.datetime, length: dt.timedelta) -> None:
    bottom = floor(moment, length)
    assert bottom <= moment < bottom + length
    assert (bottom - EPOCH) % length == dt.timedelta(0)


@given(SPANS, st.lists(SPANS, max_size=8))
def test_gaps_and_cover_together_are_the_whole_and_never_overlap(whole: Span, covered: list[Span]) -> None:
    found = list(gaps(whole, covered))
    for second in range((whole.end - whole.start) // SECOND):
        moment = whole.start + second * SECOND
        times = sum(gap.start <= moment < gap.end for gap in found)
        assert times == (0 if any(span.start <= moment < span.end for span in covered) else 1)


@given(SPANS, st.integers(1, 20).map(lambda seconds: seconds * SECOND))
def test_tiles_cover_a_gap_exactly_and_are_cut_where_the_clock_is_round(gap: Span, length: dt.timedelta) -> None:
    windows = list(tiles(gap, length))
    assert windows[0].start == gap.start
    assert windows[-1].end == gap.end
    assert all(left.end == right.start for left, right in pairwise(windows))
    assert all((window.start - EPOCH) % length == dt.timedelta(0) for window in windows[1:])
    assert all(window.length <= length for window in windows)


@given(st.integers(1, 10**7), st.sampled_from([1, 1000]))
def test_halves_meet_at_the_grain_and_end_at_it(milliseconds: int, grain: int) -> None:
    span = Span(EPOCH, EPOCH + milliseconds * MILLISECOND)
    halves = span.halves(grain * MILLISECOND)
    if milliseconds <= grain:
        assert halves is None
    else:
        assert halves is not None
        left, right = halves
        assert (left.start, left.end, right.end) == (span.start, right.start, span.end)
        assert left.length % (grain * MILLISECOND) == dt.timedelta(0)
        assert left.length > dt.timedelta(0) < right.length
