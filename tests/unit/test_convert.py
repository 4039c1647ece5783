"""Conversions: what fits, what fits inexactly, what does not."""

from __future__ import annotations

from typing import Any

import pytest

from logarchive.column import convert
from logarchive.column.convert import Convert
from logarchive.column.scalar import Inexact
from logarchive.record.block import Verbatim

MS = 1_795_352_400_123
NOON = 1_795_352_400_000  # 2026-11-22T13:00:00Z


def one(conversion: Convert, value: Any) -> Any:
    """Convert a value alone, and as one of a column; both must agree."""
    (alone,) = conversion([value])
    assert conversion([value, None, "x", 7, value])[::4] == [alone, alone]
    return alone


@pytest.mark.parametrize(
    ("value", "ms", "exact"),
    [
        (MS, MS, True),
        (MS // 1000, MS // 1000 * 1000, False),
        (MS * 1000 + 999, MS, False),
        (MS * 1_000_000 + 999_999, MS, False),
        (str(MS), MS, False),
        (str(MS // 1000), MS // 1000 * 1000, False),
        (Verbatim(f"{MS}.999999"), MS, False),
        (Verbatim(f"{MS // 1000}.123999"), MS, False),
        ("2026-11-22T13:00:00.123Z", MS, False),
        ("2026-11-22T13:00:00.123999999", MS, False),
        ("2026-11-22 22:00:00,123 +0900", MS, False),
        ("2026-11-22T13:00Z", NOON, False),
    ],
)
def test_an_epoch_is_read_in_any_unit_and_only_milliseconds_are_exact(value: object, ms: int, exact: bool) -> None:
    found = one(convert.epoch_ms, value)
    assert found == ms
    assert isinstance(found, Inexact) != exact


@pytest.mark.parametrize(
    "value",
    [True, 0, -MS, 12345, 10**11, 10**13 * 2, "", "now", "²", "2026-13-01T00:00:00Z", "20261122", [MS], {"a": 1}],
)
def test_what_is_no_time_is_none(value: object) -> None:
    assert one(convert.epoch_ms, value) is None


@pytest.mark.parametrize(
    ("value", "ms", "exact"),
    [
        ("20261122210000", NOON, True),
        ("2026-11-22 21:00:00", NOON, True),
        ("2026-11-22T21:00:00", NOON, False),
        ("2026-11-22 21:00:00.5", NOON + 500, False),
        ("2026-11-22T13:00:00Z", NOON, False),
        (str(NOON), NOON, False),
        (NOON // 1000, NOON, False),
        ("20261322210000", None, False),
        ("-", None, False),
        (None, None, False),
    ],
)
def test_a_time_of_a_zone_is_read_in_it(value: object, ms: int | None, exact: bool) -> None:
    found = one(convert.zoned_time("+08:00"), value)
    assert found == ms
    assert found is None or isinstance(found, Inexact) != exact


def test_a_zone_must_be_an_offset() -> None:
    for zone in ("", "Asia/Seoul"):
        with pytest.raises(ValueError):
            convert.zoned_time(zone)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("TRACE", 1), ("debug", 5), (" Info ", 9), ("WARNING", 13), ("ERROR", 17), ("FATAL", 21), ("CRITICAL", 21),
        (5, 1), (10, 5), (20, 9), (25, 9), (30, 13), (40, 17), (50, 21), ("40", 17), (0, None), (True, None),
        ("LOUD", None), (None, None),
    ],
)  # fmt: skip
def test_a_level_is_read_by_name_or_as_pythons_number(value: object, number: int | None) -> None:
    assert one(convert.severity, value) == number


def test_a_status_has_a_severity() -> None:
    cases = {200: 9, "399": 9, 400: 13, "499": 13, 500: 17, "599": 17, "x": 9}
    assert {status: one(convert.status_severity, status) for status in cases} == cases


@pytest.mark.parametrize(
    ("value", "number"),
    [(5, 5), ("5", 5), ("-5", -5), ("0", 0), ("-0", None), ("007", None), ("+5", None), ("5.0", None), ("²", None),
     (True, None), (Verbatim("5.0"), None), ("", None), (" 5", None)],
)  # fmt: skip
def test_an_integer_is_one_only_if_its_text_comes_back(value: object, number: int | None) -> None:
    assert one(convert.integer, value) == number


@pytest.mark.parametrize(
    ("value", "text"),
    [(5, "5"), (-5, "-5"), (0, "0"), (2**70, f"{2**70}"), (Verbatim(f"{2**70}"), f"{2**70}"), (Verbatim("-0"), None),
     (Verbatim("5.0"), None), (True, None), (5.0, None), ("5", None), ([5], None)],
)  # fmt: skip
def test_an_integer_becomes_its_decimal_text_and_nothing_else_does(value: object, text: str | None) -> None:
    assert convert.integer_text([value, None]) == [text, None]


@pytest.mark.parametrize(
    ("value", "number"),
    [(5, 5.0), ("5", 5.0), ("1.5", 1.5), ("1.50", 1.5), ("0.1", 0.1), ("007", None), ("1e400", None), (2**53 + 1, None),
     (Verbatim("1.10"), 1.1), ("0.1234567890123456789", None), ("nan", None), (True, None)],
)  # fmt: skip
def test_a_number_fits_a_double_only_if_none_of_its_digits_is_lost(value: object, number: float | None) -> None:
    assert one(convert.number, value) == number


def test_a_url_is_split_at_its_first_question_mark() -> None:
    assert [one(convert.before, url) for url in ("/a", "/a?", "/a?b?c", 7)] == ["/a", "/a", "/a", None]
    assert [one(convert.after, url) for url in ("/a", "/a?", "/a?b?c", 7)] == [None, "", "b?c", None]


def test_a_name_is_looked_up_and_an_item_is_text() -> None:
    named = [one(convert.lookup({"1": "one"}), value) for value in ("1", 1, True, "2", None)]
    assert named == ["one", "one", None, None, None]
    items = [one(convert.item(1), value) for value in ([1, "a"], [1, 2], [1], "ab", None)]
    assert items == ["a", None, None, None, None]
