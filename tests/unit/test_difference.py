"""The difference between two objects, compared with one that is computed the simple way."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logarchive.column.convert import FieldMapping, text
from logarchive.errors import OutOfTimeError
from logarchive.row.difference import MOST_EXAMPLES, difference
from tests.unit.visit import START, provider, visit

type Records = list[tuple[str, str]]

#: Records with ids that their provider gives, in any order.
RECORDS = st.lists(
    st.tuples(st.text("abc", min_size=1, max_size=2), st.sampled_from("xyz")), max_size=8, unique_by=lambda one: one[0]
)


def written(records: Records) -> Path | None:
    """Return an object of these ids and messages; None without any."""
    bodies = [{"time": START, "id": record_id, "message": message} for record_id, message in records]
    return visit(json.dumps(bodies).encode(), of=provider(unique_id=FieldMapping("id", text))).path


@given(RECORDS, RECORDS)
def test_a_difference_counts_what_a_simple_comparison_counts(old: Records, new: Records) -> None:
    found = difference(written(old), written(new), lambda: None)
    before, after = (
        {record_id: {"body": message, "raw_index": at} for at, (record_id, message) in enumerate(records)}
        for records in (old, new)
    )
    both = before.keys() & after.keys()
    changed = {
        (record_id, column, before[record_id][column], after[record_id][column])
        for record_id in both
        for column in ("body", "raw_index")
        if before[record_id][column] != after[record_id][column]
    }
    assert (found.added, found.removed) == (len(after) - len(both), len(before) - len(both))
    assert found.changed == len({record_id for record_id, *_ in changed})
    assert found.columns == Counter(column for _, column, *_ in changed)
    assert bool(found) == bool(found.added or found.removed or changed)
    columns = {(one.record_id, one.what, one.old, one.new) for one in found.examples if one.what in found.columns}
    assert columns <= changed
    assert {one.record_id for one in found.examples if one.what == "added"} <= after.keys() - both
    assert {one.record_id for one in found.examples if one.what == "removed"} <= before.keys() - both
    counts = Counter(one.what for one in found.examples)
    totals = {"added": found.added, "removed": found.removed, **found.columns}
    assert counts == {what: min(MOST_EXAMPLES, total) for what, total in totals.items() if total}


def test_a_comparison_ends_when_the_time_is_used_up() -> None:
    def ensure_time() -> None:
        raise OutOfTimeError("the function's time is used up")

    with pytest.raises(OutOfTimeError):
        difference(written([("a", "x")]), None, ensure_time)
