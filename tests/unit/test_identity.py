"""What makes a record itself, in how much memory."""

from __future__ import annotations

import tracemalloc

from hypothesis import given, settings
from hypothesis import strategies as st

from logarchive.moment import EPOCH, HOUR
from logarchive.row.identity import Hashed, Seen, Unique, digest
from logarchive.window import Span


def digests(count: int, start: int = 0) -> list[bytes]:
    return [digest(b"%d" % one) for one in range(start, start + count)]


def test_what_was_added_is_seen_and_nothing_else_is() -> None:
    seen = Seen()
    assert seen.add(digests(1000)) == []
    assert seen.add([*digests(2, 999), digest(b"0")]) == [0, 2]
    assert all(one in seen for one in digests(1001))
    assert not any(one in seen for one in digests(1000, 1001))


def test_an_entry_is_not_found_where_two_others_meet() -> None:
    seen = Seen()
    # Side by side they hold eleven zeros in a row, so that ten are found twice, and neither time at an entry's place.
    first, second = b"\0\0\0\0\1\0\0\0\0\0", b"\0\0\0\0\0\0\1\0\0\0"
    seen.add([first, second])
    assert bytes(10) not in seen
    assert seen.add([bytes(10), second]) == [1]
    assert bytes(10) in seen


def test_an_entry_is_found_behind_places_where_others_meet() -> None:
    seen = Seen()
    first = b"\0\0\1\0\0\0\0\0\0\0"
    assert seen.add([first, bytes(10)]) == []
    # Found in the middle of `first` and of itself, seven times, before its own place.
    assert seen.add([bytes(10)]) == [0]
    assert bytes(10) in seen
    second = Seen()
    second.add([bytes(9) + b"\1", bytes(10)])
    beside = bytes(8) + b"\1\0"  # from the second byte on
    assert beside not in second
    assert second.add([beside]) == []


def test_records_are_told_apart_in_sixteen_bytes_each_while_buckets_split() -> None:
    size = 40_000
    every = digests(size)
    tracemalloc.start()
    seen = Seen(bits=6)
    for start in range(0, size, 2000):
        assert seen.add(every[start : start + 2000]) == []
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after < 16 * size
    assert peak < 20 * size
    assert seen.add(every[20_000:21_000]) == list(range(1000))


def test_an_id_is_known_to_its_visit_and_the_next_ordinal_is_not() -> None:
    ids = Hashed()
    given_out = [one for one in ids.assign([b"a"] * 12 + [b"b"], None) if one]
    assert all(one in ids for one in given_out)
    assert f"{given_out[0]}-12" not in ids
    assert f"{given_out[-1]}-1" not in ids
    for strange in ("", "x", f"{given_out[0]}-x", given_out[0][:30]):
        assert strange not in ids


def test_a_stray_of_another_range_is_a_duplicate_as_often_as_it_was_there() -> None:
    ids, name = Hashed(), digest(b"a").hex()
    first, second = (Span(moment, moment + HOUR) for moment in (EPOCH, EPOCH + HOUR))
    assert ids.assign([b"a"] * 2, first, astray=range(2)) == [name, f"{name}-1"]
    assert ids.assign([b"a"] * 3, second, astray=range(3)) == [None, None, f"{name}-2"]
    assert f"{name}-2" in ids
    assert f"{name}-3" not in ids


@settings(max_examples=50)
@given(st.lists(st.sampled_from([b"a", b"b", b"c"]), max_size=40), st.integers(1, 7))
def test_ids_do_not_depend_on_how_records_come_in_blocks(records: list[bytes], size: int) -> None:
    whole, blocks = Hashed(), Hashed()
    found = [one for at in range(0, len(records), size) for one in blocks.assign(records[at : at + size], None)]
    assert found == whole.assign(records, None)
    assert len(set(found)) == len(records)


def test_the_providers_ids_are_taken_as_they_are() -> None:
    ids = Unique()
    assert ids.assign(["x", "x", "y"], [b"", b"", b""]) == ["x", None, "y"]
    assert ids.assign(["y", None, None], [b"", b"r", b"r"]) == [None, digest(b"r").hex(), f"{digest(b'r').hex()}-1"]
    assert ids.assign([None] * 3, [b"r"] * 3) == [f"{digest(b'r').hex()}-{number}" for number in (2, 3, 4)]
    assert "x" in ids
    assert "z" not in ids
