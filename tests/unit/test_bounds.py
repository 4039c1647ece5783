"""Which of a part's records belong to the window."""

import datetime as dt

from logarchive.column.bounds import Bounds
from logarchive.moment import EPOCH
from logarchive.window import Window
from tests.unit import visit

WINDOW = Window(EPOCH, EPOCH + dt.timedelta(seconds=1))


def test_the_records_of_a_window_s_part_are_told_apart_by_time_and_those_of_a_file_are_all_inside() -> None:
    part, times = visit.part(b""), [-1, 0, 999, 1000]
    assert Bounds.of(part, WINDOW, bounded=True).verdicts(times) == ["stray", "inside", "inside", "stray"]
    assert Bounds.of(part, WINDOW, bounded=False).verdicts(times) is None
