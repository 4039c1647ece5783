"""What invocations leave in the ledger for the watch: an item of each source, of each provider, and of the proof log.

A tick writes what it has measured, and which sources are neither paused nor removed. How often something was met is
counted by `ADD`, and never goes back: whoever writes need not read, and whoever reads remembers what was counted
before.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from itertools import batched, islice
from typing import Any, cast, get_args

from pydantic import BaseModel, ConfigDict

from logarchive.errors import Issue
from logarchive.ledger.dynamodb import MOST_KEYS, Table, Write
from logarchive.ledger.entry import Instant
from logarchive.moment import HOUR, MINUTE, SECOND, instant
from logarchive.proof.state import PARTITION
from logarchive.runtime.metric import Tally, issue_metric
from logarchive.warning.kind import Kind

SORT = "#signals"
#: Metric that is counted -> the kind of condition that it is of.
COUNTED: Mapping[str, Kind] = {
    **{issue_metric(issue): cast("Kind", issue) for issue in get_args(Issue.__value__)},
    "Rejects": "rejects",
    "ReplayErrors": "replay_failed",
    "SourceErrors": "source_invalid",
}
#: Each of these says that a tick has measured the source.
_MEASURED = {"LagSeconds", "HoursToLoss", "QuietSources"}
#: A tick with too little time measures some sources later.
LATEST = 30 * MINUTE
#: So much is kept of why a source cannot be used.
MOST_CHARACTERS = 300
#: Of so many sources, so that the item stays below DynamoDB's 400 KB.
MOST_INVALID = 200


class SourceSignals(BaseModel):
    """What is known of one source."""

    model_config = ConfigDict(frozen=True)

    measured_at: Instant | None = None
    #: Since when its oldest window without a good visit has been due; if none is, when it was measured.
    due_since: Instant | None = None
    #: When the provider begins to delete records that are not archived.
    lost_at: Instant | None = None
    #: How long it has had no record, if that is longer than its `quiet_after`.
    quiet_seconds: int | None = None
    #: Metric -> how often it was counted, ever.
    counts: dict[str, int] = {}


class ProviderSignals(BaseModel):
    """What is known of one provider and its sources, whatever their state."""

    model_config = ConfigDict(frozen=True)

    ticked_at: Instant | None = None
    #: The sources that are neither paused nor removed; None: no tick has said.
    active: frozenset[str] | None = None
    sources: dict[str, SourceSignals] = {}

    def rests(self, source_name: str) -> bool:
        """Return whether a tick has said that a source is paused or removed."""
        return self.active is not None and source_name not in self.active

    def measured(self, source_name: str) -> SourceSignals | None:
        """Return what is known of a source; of one that rests, only when it loses records, if that is still measured.

        A removed source has records that were asked for and are not archived: until they are lost, that needs a person.
        """
        source = self.sources.get(source_name)
        if not source or not source.measured_at:
            return None
        if not self.rests(source_name):
            return source
        return None if self.is_stale(source) else SourceSignals(measured_at=source.measured_at, lost_at=source.lost_at)

    def is_stale(self, source: SourceSignals) -> bool:
        """Return whether the newest ticks could not measure a source, though they ran."""
        return bool(source.measured_at and self.ticked_at and source.measured_at <= self.ticked_at - LATEST)


class ProofSignals(BaseModel):
    """What the runs of the notary have come to."""

    model_config = ConfigDict(frozen=True)

    signed_at: Instant | None = None
    failed_at: Instant | None = None
    #: At the end of the last run.
    backlog_seconds: int = 0


def write_signals(table: Table, provider: str, tally: Tally, now: dt.datetime) -> None:
    """Write what an invocation of a provider's function has measured and counted, if it is of interest."""
    signals = {name: signal for name, values in tally.of_source.items() if (signal := _signal(values, now))}
    ticked = {"ticked_at": instant(now)} if "LagSeconds" in tally.total else {}
    if ticked or signals:
        # First: by their names the items are found.
        table.update(Write(f"{provider}#", SORT, ticked, (), {"names": {*signals}} if signals else {}))
    # One by one: a transaction would refuse, and so lose, what another invocation counts at the same time.
    for name, (put, add) in signals.items():
        table.update(Write(f"{provider}#{name}", SORT, put, (), add))


def write_active(table: Table, provider: str, names: Collection[str], invalid: Mapping[str, str]) -> None:
    """Write which sources of a provider are neither paused nor removed, if that is not known.

    `invalid` says why parameters cannot be used, by their names below the path of the sources: `elsa/typo`. The first
    MOST_INVALID are kept; `status` and `doctor` have all.
    """
    kept = islice(sorted(invalid.items()), MOST_INVALID)
    new = {"active": sorted(names), "invalid": {name: why[:MOST_CHARACTERS] for name, why in kept}}
    known = table.get(f"{provider}#", SORT) or {}
    if any(known.get(name) != value for name, value in new.items()):
        table.update(Write(f"{provider}#", SORT, new, ()))


def read_invalid(table: Table, providers: Iterable[str]) -> dict[str, str]:
    """Return the sources that the newest ticks could not use, and why: also those that the ledger has never held."""
    items = [table.get(f"{provider}#", SORT) or {} for provider in providers]
    found = {name: str(why) for item in items for name, why in item.get("invalid", {}).items()}
    return dict(sorted(found.items()))


def _signal(values: Mapping[str, float], now: dt.datetime) -> tuple[dict[str, Any], dict[str, int]] | None:
    """Return what to put into the item of a source, and what to add; None if there is neither."""
    add = {metric: int(values[metric]) for metric in COUNTED if values.get(metric)}
    if not _MEASURED & {*values}:
        return ({}, add) if add else None
    lag, hours = values.get("LagSeconds"), values.get("HoursToLoss")
    lost_at = None if hours is None else instant(now + hours * HOUR)
    put = {"measured_at": instant(now), "lost_at": lost_at}
    if not {"LagSeconds", "QuietSources"} & {*values}:
        return put, add  # without a parameter that can be read, nobody knows the rest: it stays as it was
    due_since = None if lag is None else instant(now - lag * SECOND)
    quiet_seconds = int(values["QuietSeconds"]) if values.get("QuietSources") else None
    return {**put, "due_since": due_since, "quiet_seconds": quiet_seconds}, add


def read_signals(table: Table, provider: str) -> ProviderSignals:
    """Read what the invocations of a provider's function have left."""
    item = table.get(f"{provider}#", SORT) or {}
    sources = {name: SourceSignals() for name in sorted(item.get("names", ()))}
    for names in batched(sources, MOST_KEYS, strict=False):
        for found in table.get_many([(f"{provider}#{name}", SORT) for name in names]):
            sources[found["source"].removeprefix(f"{provider}#")] = _of_source(found)
    return ProviderSignals(ticked_at=item.get("ticked_at"), active=item.get("active"), sources=sources)


def _of_source(item: Mapping[str, Any]) -> SourceSignals:
    return SourceSignals.model_validate({**item, "counts": {name: item[name] for name in COUNTED if name in item}})


def write_proof_signals(table: Table, tally: Tally, now: dt.datetime) -> None:
    """Write what a run of the notary has come to, if it has come to anything."""
    total = tally.total
    put: dict[str, Any] = {"signed_at": instant(now)} if total.get("ProofSigned") else {}
    put |= {"failed_at": instant(now)} if total.get("ProofErrors") else {}
    put |= {"backlog_seconds": int(total["ProofBacklogSeconds"])} if "ProofBacklogSeconds" in total else {}
    if put:
        table.update(Write(PARTITION, SORT, put, ()))


def read_proof_signals(table: Table) -> ProofSignals:
    """Read what the runs of the notary have come to."""
    return ProofSignals.model_validate(table.get(PARTITION, SORT) or {})
