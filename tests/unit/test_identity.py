"""What makes a record itself, in how much memory."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from logarchive.row.identity import Hashed, Seen, Unique, digest


def digests(count: int, start: int = 0) -> list[bytes]:
    return [digest(b"%d" % one) for one in range(start, start + count)]


def test_what_was_added_is_seen_and_nothing_else_is() -> None:
    seen = Seen()
    assert seen.add(digests(1000)) == []
    assert seen.add([*digests(2, 999), digest(b"0")]) == [0, 2]
    assert all(one in seen for one in digests(1001))
    assert not any(one in seen for one in digests(1000, 1001))


def test_an_entry_is_not_found_across_two_others() -> None:
    seen = Seen()
    first, second = b"\0\0\0\0\0\0\0\0\0\1", b"\0\0\0\0\0\0\0\0\0\2"
    seen.add([first, second])
    between = (first + second)[1:11]
    assert between not in seen
    assert seen.add([between, second]) == [1]


def test_a_million_records_are_told_apart_in_sixteen_bytes_each() -> None:
    seen = Seen()
    size = 1_000_000
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for start in range(0, size, 2000):
        assert seen.add(digests(2000, start)) == []
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 16 * size
    assert peak - before < 20 * size
    assert seen.add(digests(1000, 500_000)) == list(range(1000))


def test_an_id_is_known_to_its_visit_and_the_next_ordinal_is_not() -> None:
    ids = Hashed()
    given_out = [one for one in ids.assign([b"a"] * 12 + [b"b"], None) if one]
    assert all(one in ids for one in given_out)
    assert f"{given_out[0]}-12" not in ids
    assert f"{given_out[-1]}-1" not in ids
    for strange in ("", "x", f"{given_out[0]}-x", given_out[0][:30]):
        assert strange not in ids


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
    assert "x" in ids
    assert "z" not in ids
