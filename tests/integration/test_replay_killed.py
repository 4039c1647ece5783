"""A replay may be killed before and after each of its external calls; whoever comes next replays, and never visits."""

import contextlib

import pytest

from tests.fake_aws import open_gate
from tests.integration.test_kill import Killer
from tests.replayed import RANGE, ROWS, check_replayed, history, prepared, refuse, window
from tests.scenario import MINUTE, Killed, Scenario


def run(killer: Killer, *, sealed: bool) -> Scenario:
    """Mark the window and replay it, killed at one call; then let the schedule fire until no mark is left."""
    stage = prepared(sealed=sealed)
    stage.gate, stage.answer = killer, refuse
    for action, fields in (("replay", RANGE), ("work", {"source": "shop"})):
        with contextlib.suppress(Killed):
            stage.act(action, **fields)
    stage.gate = open_gate
    if not window(stage).replay and window(stage).mapping < 2:  # it was killed before the mark, or right after
        stage.act("replay", **RANGE)
    while window(stage).replay:
        stage.now += 20 * MINUTE
        stage.act("work", source="shop")
    return stage


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("sealed", [True, False])
def test_a_replay_killed_at_any_call_is_done_by_the_next_worker(moment: str, *, sealed: bool) -> None:
    counting = Killer(10**9, "before")
    before = window(prepared(sealed=sealed))
    run(counting, sealed=sealed)
    assert len(counting.seen) > 20
    for number in range(1, len(counting.seen) + 1):
        killer = Killer(number, moment)
        stage = run(killer, sealed=sealed)
        where = (number, killer.seen[number - 1])
        rows = ROWS if sealed else {name: count for name, count in ROWS.items() if name != "late"}
        check_replayed(stage, rows, where)
        after = window(stage)
        assert history(after) == history(before), where
        assert after.unmerged_claims <= 1, where
