"""The archive equals the truth, record by record and field by field, for hours and days of each provider.

Windows are planned, visited, visited again and sealed, while the clock goes on: with late records, records that the
provider drops before the next visit, equal records, answers over a cap, listings that shift and hours without traffic.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Mapping

import pytest

from tests import truth
from tests.integration.life import START, Life
from tests.integration.lives import LIVES, SOAK
from tests.integration.replays import (
    a_dry_run_says_what_a_replay_with_another_mapping_then_changes,
    a_replay_leaves_every_object_and_every_entry_as_they_are,
)
from tests.integration.stage import HOUR, Stage, stage
from tests.truth.body import listed
from tools.stack import Aws


@pytest.mark.slow
@pytest.mark.parametrize("name", LIVES)
def test_the_archive_is_the_truth(emulator: Aws, name: str) -> None:
    check_life(emulator, name, *LIVES[name])


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.parametrize("name", SOAK)
def test_the_archive_of_a_hundred_thousand_records_is_the_truth(emulator: Aws, name: str) -> None:
    check_life(emulator, name, *SOAK[name])


def check_life(emulator: Aws, name: str, live: Callable[[Stage], Life], scale: float, least: int) -> None:
    with stage(emulator, START, scale) as on:
        life = live(on)
        every_record_stands_once_with_every_field(life, least)
        every_row_leads_back_to_its_record(life)
        raw_proves_itself(life)
        every_window_is_sealed_and_says_what_the_provider_dropped(life)
        late_rows_are_those_that_were_not_served_at_the_first_visit(life)
        for check, lives in MORE.items():
            if name in lives:
                check(life)
        a_replay_leaves_every_object_and_every_entry_as_they_are(life)
        if name in CHANGED:
            a_dry_run_says_what_a_replay_with_another_mapping_then_changes(life)


def every_record_stands_once_with_every_field(life: Life, least: int) -> None:
    records = life.truth_of or life.on.simulator.truth
    found = truth.compare(life.bucket, life.place, life.windows, records, life.start, life.end, life.hosts)
    assert not found.differences, found.report()
    assert found.counts["records"] >= least
    assert found.counts["windows"] == (life.end - life.start) / life.window
    assert found.counts["empty"] >= 1
    assert found.counts["rows"] + found.counts["rejects"] == found.counts["records"]


def every_row_leads_back_to_its_record(life: Life) -> None:
    found = truth.lead_back(life.bucket, life.place, life.windows, life.row_of)
    assert not found.differences, found.report()
    assert found.counts["rows"] == life.total("rows") > 0


def raw_proves_itself(life: Life) -> None:
    found = truth.check_raw(life.bucket, life.place, life.windows, life.secrets)
    assert not found.differences, found.report()
    assert found.counts["manifests"] == found.counts["complete"] == life.visits * len(life.windows)
    assert found.counts["objects"] == sum("object" in window.item for window in life.windows) > 0
    assert found.counts["parts"] >= found.counts["objects"]


def every_window_is_sealed_and_says_what_the_provider_dropped(life: Life) -> None:
    for window in life.windows:
        assert window.visited_at is not None
        dropped = any(record.fleeting and record.served for record in life.records(window))
        assert (window.item["state"], window.item.get("issue")) == ("sealed", "shrunk" if dropped else None)
    assert Counter(window.item.get("issue") for window in life.windows)["shrunk"] > 0


def late_rows_are_those_that_were_not_served_at_the_first_visit(life: Life) -> None:
    for window in life.windows:
        assert window.item["late"] == len(life.late(window))
    assert life.total("late") > 0


def elsas_hour_over_the_cap_was_asked_for_in_many_pieces(life: Life) -> None:
    burst = life.on.simulator.elsa.burst_hour(life.end)
    (window,) = (window for window in life.windows if window.start == burst)
    assert window.item["rows"] > life.on.simulator.elsa.switches.burst
    assert window.item["requests"] > 20
    assert min(asked_for(life)) < HOUR / 2**6


def ms(moment: dt.datetime) -> int:
    return round(moment.timestamp() * 1000)


def asked_for(life: Life) -> set[dt.timedelta]:
    """Return how long the ranges were that were asked for."""
    seen = [one for one in life.on.simulator.requests if one["end"]]
    return {dt.datetime.fromisoformat(str(one["end"])) - dt.datetime.fromisoformat(str(one["start"])) for one in seen}


def the_provider_refused_now_and_then(life: Life) -> None:
    assert sum(one["status"] == 429 for one in life.on.simulator.requests) >= 10


def what_moved_while_it_was_read_was_read_again(life: Life) -> None:
    manifests = [manifest for window in life.windows for manifest in life.manifests(window)]
    moved = [one for one in manifests if any(part["role"] == "superseded" for part in one["parts"])]
    assert len(moved) >= 5
    assert all(part["superseded_by"] for one in moved for part in one["parts"] if part["role"] == "superseded")


def the_total_proves_every_window(life: Life) -> None:
    assert {window.item["verification"] for window in life.windows} == {"verified"}


def nothing_proves_a_window(life: Life) -> None:
    assert {window.item["verification"] for window in life.windows} == {"unverified"}


def answers_were_read_page_by_page(life: Life) -> None:
    paged = [window for window in life.windows if len({one.raw_part for one in life.held(window)}) > 1]
    assert len(paged) * 2 > len(life.windows)


def policies_that_no_list_names_any_more_were_asked_for(life: Life) -> None:
    policies = life.on.simulator.multidrm.policies
    gone = {str(one.id): one.deleted_ms for one in policies.between(*(ms(at) for at in (life.start, life.end)))}
    late = [one for window in life.windows for one in life.records(window) if gone[one.host] < ms(window.end)]
    assert len(late) > 20


def the_crowded_hour_is_whole(life: Life) -> None:
    crowded = life.on.simulator.security365.crowded_hour(life.end)
    (window,) = (window for window in life.windows if window.start <= crowded < window.end)
    crowd = life.on.simulator.security365.switches.crowd
    assert window.item["rows"] >= crowd
    assert min(asked_for(life)) < HOUR * 10_000 / crowd
    assert Counter(one.row[0] for one in life.held(window)).most_common(1)[0][1] >= 300


def a_crowd_in_one_millisecond_lies_across_the_border_of_two_pages(life: Life) -> None:
    is_tied = life.on.simulator.security365.switches.is_tied
    tied = [
        one
        for one in life.windows
        if any(map(is_tied, range(ms(one.start), ms(one.end), ms(START + HOUR) - ms(START))))
    ]
    assert len(tied) > (life.end - life.start).days
    for window in tied:
        held = life.held(window)
        ((time, count),) = Counter(one.row[0] for one in held).most_common(1)
        assert count >= 300
        assert len({one.raw_part for one in held if one.row[0] == time}) > 1


def every_row_bears_the_id_that_the_provider_gave(life: Life) -> None:
    for window in life.windows:
        held = life.held(window)
        items = {part: listed(life.bucket.read(part), "items") for part in {one.raw_part for one in held}}
        for one in held:
            assert dict(items[one.raw_part][one.raw_index])["sort"][1] == one.record_id


#: Which lives are replayed with another mapping: one of each provider.
CHANGED = ("dsa", "odd elsa", "odd apigateway", "odd multidrm", "odd security365")
#: What is looked at besides, and for which lives.
MORE: Mapping[Callable[[Life], None], Collection[str]] = {
    elsas_hour_over_the_cap_was_asked_for_in_many_pieces: {"elsa"},
    answers_were_read_page_by_page: {
        *("apigateway", "multidrm", "listed multidrm"),
        *("security365", "inclusive security365", "odd security365"),
    },
    the_provider_refused_now_and_then: {"apigateway", "multidrm", "security365"},
    the_total_proves_every_window: {"apigateway", "multidrm"},
    nothing_proves_a_window: {"listed multidrm", "security365"},
    what_moved_while_it_was_read_was_read_again: {"apigateway", "multidrm"},
    policies_that_no_list_names_any_more_were_asked_for: {"multidrm"},
    the_crowded_hour_is_whole: {"security365"},
    a_crowd_in_one_millisecond_lies_across_the_border_of_two_pages: {"security365"},
    every_row_bears_the_id_that_the_provider_gave: {"security365", "inclusive security365", "odd security365"},
}
