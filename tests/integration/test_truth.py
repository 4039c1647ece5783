"""The archive equals the truth, record by record and field by field, for two days of both providers.

Two days of hourly windows are planned, visited, visited again and sealed, while the clock goes on: with late records,
records that the provider drops before the next visit, equal records, an hour over the cap and hours without traffic.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pytest

from tests import truth
from tests.integration.stage import HOUR, SECRETS, Stage, stage
from tests.simulator import HOSTS, Record
from tools.stack import Aws

START = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
DAYS = 2
MINUTE = dt.timedelta(minutes=1)


@dataclass
class Lived:
    """A source whose life is over: every window is finished."""

    on: Stage
    place: truth.Place
    start: dt.datetime
    end: dt.datetime
    hosts: Sequence[str] = ()

    @cached_property
    def windows(self) -> list[truth.Window]:
        return self.on.windows(self.place.provider, self.place.source)

    def total(self, number: str) -> int:
        return sum(int(window.item.get(number, 0)) for window in self.windows)

    def compared(self) -> truth.Findings:
        told = self.on.simulator.truth
        return truth.compare(self.on.bucket, self.place, self.windows, told, self.start, self.end, self.hosts)

    def led_back(self) -> truth.Findings:
        return truth.lead_back(self.on.bucket, self.place, self.windows)

    def proven(self) -> truth.Findings:
        return truth.check_raw(self.on.bucket, self.place, self.windows, SECRETS)

    def records(self, window: truth.Window) -> list[Record]:
        """Return what the provider ever held of a window."""
        records = self.on.simulator.truth(self.place.provider, window.start, window.end)
        return [record for record in records if not self.hosts or record.host in self.hosts]

    def first_visit(self, window: truth.Window) -> dt.datetime:
        return dt.datetime.strptime(f"{window.item['visits'][0][:15]} +0000", "%Y%m%dT%H%M%S %z")


def lived(on: Stage, provider: str, hours: int, **settings: object) -> Lived:
    """Let a source live for some hours, and until all of them are sealed."""
    hosts: Any = settings.get("hosts", ())
    on.put_source(provider, "shop", **settings)
    end = START + hours * HOUR
    on.live(provider, "shop", end)
    return Lived(on, truth.Place(provider, "shop"), START, end, hosts)


def elsa(on: Stage) -> Lived:
    """Two days of a project, with one hour far over the cap."""
    on.simulator.set("elsa", records_an_hour=1800, burst=30_000)
    return lived(on, "elsa", 24 * DAYS, count=3000)


def cdn(on: Stage) -> Lived:
    """Two days of four hosts with the traffic of twelve: what costs time here is the number of files."""
    on.simulator.set("dsa", lines_an_hour=7600)
    return lived(on, "dsa", 24 * DAYS, api="cdn", hosts=(*HOSTS[:3], "rare.example.com"))


def dsa(on: Stage) -> Lived:
    """More than ten hosts behind the old API, whose lines have every shape."""
    odd = {"packing": "tar", "fields": "mix", "time_format": "quoted", "unreadable_times": 1, "unparsable": 3}
    on.simulator.set("dsa", quiet=[4], **odd)
    return lived(on, "dsa", 8, api="dsa", hosts=HOSTS, signature_method="HmacSHA256")


def odd_elsa(on: Stage) -> Lived:
    """A project whose answers and records are as odd as the documentation allows."""
    odd = {"layout": "members", "empty": "body", "order": "descending", "cut": "oldest", "time_format": "us"}
    on.simulator.set("elsa", **odd, odd_fraction=0.5, unreadable_times=5, hostile=4, exclusive_end=True)
    return lived(on, "elsa", 8, count=300)


#: How to live, on which scale, and how many records at least are compared then: 300,000 in all.
LIVES: dict[str, tuple[Callable[[Stage], Lived], float, int]] = {
    "elsa": (elsa, 1, 112_000),
    "dsa": (dsa, 0.2, 4_000),
    "cdn": (cdn, 1, 190_000),
    "odd elsa": (odd_elsa, 0.2, 3_000),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LIVES)
def test_the_archive_is_the_truth(emulator: Aws, name: str) -> None:
    live, scale, least = LIVES[name]
    with stage(emulator, START, scale) as on:
        life = live(on)
        every_record_stands_once_with_every_field(life, least)
        every_row_leads_back_to_its_record(life)
        raw_proves_itself(life)
        every_window_is_sealed_and_says_what_the_provider_dropped(life)
        late_rows_are_those_that_were_not_served_at_the_first_visit(life)
        if not life.total("rejects"):
            a_visit_costs_at_most_eight_requests_beside_its_parts(life)
        if name == "elsa":
            the_hour_over_the_cap_was_asked_for_in_many_pieces(life)


def every_record_stands_once_with_every_field(life: Lived, least: int) -> None:
    found = life.compared()
    assert not found.differences, found.told()
    assert found.counts["records"] >= least
    assert found.counts["windows"] == (life.end - life.start) / HOUR
    assert found.counts["empty"] >= 1
    assert found.counts["rows"] + found.counts["rejects"] == found.counts["records"]


def every_row_leads_back_to_its_record(life: Lived) -> None:
    found = life.led_back()
    assert not found.differences, found.told()
    assert found.counts["rows"] == life.total("rows") > 0


def raw_proves_itself(life: Lived) -> None:
    found = life.proven()
    assert not found.differences, found.told()
    assert found.counts["manifests"] == found.counts["complete"] == 3 * len(life.windows)
    assert found.counts["objects"] == sum("object" in window.item for window in life.windows) > 0
    assert found.counts["parts"] >= found.counts["objects"]


def every_window_is_sealed_and_says_what_the_provider_dropped(life: Lived) -> None:
    for window in life.windows:
        assert window.visited_at is not None
        dropped = any(record.fleeting and record.served for record in life.records(window))
        assert (window.item["state"], window.item.get("issue")) == ("sealed", "shrunk" if dropped else None)
    assert Counter(window.item.get("issue") for window in life.windows)["shrunk"] > 0


def late_rows_are_those_that_were_not_served_at_the_first_visit(life: Lived) -> None:
    for window in life.windows:
        first = life.first_visit(window) + MINUTE
        late = [one for one in life.records(window) if one.served_ms and one.served_ms > first.timestamp() * 1000]
        # A record without a readable time is no row, and so never a late one.
        late = [one for one in late if one.kind in {"plain", "odd", "duplicate"}]
        assert window.item["late"] == len(late)
    assert life.total("late") > 0


def the_hour_over_the_cap_was_asked_for_in_many_pieces(life: Lived) -> None:
    burst = life.on.simulator.elsa.burst_hour(life.end)
    (window,) = (window for window in life.windows if window.start == burst)
    seen = life.on.simulator.requests
    spans = {dt.datetime.fromisoformat(str(one["end"])) - dt.datetime.fromisoformat(str(one["start"])) for one in seen}
    assert window.item["rows"] > 30_000
    assert window.item["requests"] > 20
    assert min(spans) < HOUR / 2**6


def a_visit_costs_at_most_eight_requests_beside_its_parts(life: Lived) -> None:
    visits = sum(len(window.item["visits"]) for window in life.windows)
    ours = [name for name, params in life.on.calls.made if _is_of_a_visit(name, params)]
    assert visits == 3 * len(life.windows)
    assert len(ours) / visits <= 8, Counter(ours)


def _is_of_a_visit(name: str, params: Mapping[str, Any]) -> bool:
    """Tell what a visit costs from its parts, and from what a tick costs whatever is due: planning, heads, slots."""
    if name in {"PutObject", "GetObject", "HeadObject"}:
        return not str(params["Key"]).startswith("raw/") or str(params["Key"]).endswith("manifest.json")
    if name == "Query":
        return params.get("IndexName") == "due"
    return name != "TransactWriteItems" and not str(params["Key"]["window"]).startswith("#")
