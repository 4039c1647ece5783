"""A look at what functions and ledger tell, and the message if a condition has begun or ended since the last one.

The message is sent before that is written down: if either fails, the next look sends it again.
"""

import datetime as dt
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

from pydantic import BaseModel, ConfigDict

from logarchive.ledger.dynamodb import ABSENT, Table, Write, equal
from logarchive.ledger.entry import Instant
from logarchive.ledger.ledger import Ledger
from logarchive.moment import DAY, HOUR, MINUTE, instant
from logarchive.proof.state import PARTITION
from logarchive.runtime.invocation import Invocation
from logarchive.warning.condition import RECENT, Seen, holding
from logarchive.warning.function_metric import FunctionMetrics, FunctionReadings
from logarchive.warning.kind import ISSUES, Condition, Kind
from logarchive.warning.message import Change, subject, text
from logarchive.warning.signal import COUNTED, ProviderSignals, read_proof_signals, read_signals

SORT = "#watch"
#: How many open windows of a source are read to see whether one has an issue still.
MOST_OPEN = 1000
#: From here on no window is looked for: the time is for the message, and for the work of the notary.
LAST_SECONDS = 300

#: AWS's metrics are read from so long before they were read last, since they come late; but no more than a day.
OVERLAP, LONGEST_READ = 20 * MINUTE, DAY
#: After a longer one, what is missing counts from the first look.
LONGEST_GAP = HOUR

#: `elsa/checkout` -> metric -> number.
type Counts = dict[str, dict[str, int]]


class Met(BaseModel):
    """What a look has counted since the one before."""

    model_config = ConfigDict(frozen=True)

    at: Instant
    counts: Counts


class Held(BaseModel):
    """A condition that holds."""

    model_config = ConfigDict(frozen=True)

    kind: str
    subject: str
    since: Instant
    #: Whether a message has named it.
    told: bool = False
    #: When a look found last that it had been met.
    met_at: Instant | None = None
    #: When a message said last that it was met again; whether the next one has to wait until a day after that.
    again_at: Instant | None = None
    again_waits: bool = False

    @property
    def condition(self) -> Condition:
        """The condition itself."""
        return Condition(cast("Kind", self.kind), self.subject)


class State(BaseModel):
    """What is known from earlier looks: an item of the ledger."""

    model_config = ConfigDict(frozen=True)

    #: Since when there have been looks with no gap of more than an hour, and when the last one was.
    begun: Instant
    looked_at: Instant
    #: When AWS's metrics were read last; None: never.
    metrics_read_at: Instant | None = None
    #: How often each was counted, ever.
    totals: Counts = {}
    #: What was counted in the last hour.
    recent: list[Met] = []
    held: list[Held] = []


@dataclass(frozen=True)
class Watch:
    """The look of one invocation."""

    table: Table
    providers: Sequence[str]
    invocation: Invocation
    #: Takes the subject and the text of a message; None: there is nobody who gets it.
    publish: Callable[[str, str], None] | None = None
    #: None: AWS's metrics are not read.
    functions: FunctionMetrics | None = None

    def look(self) -> dict[str, Any]:
        """Look, send a message if something has changed, and return how many conditions hold.

        Raises what the reading of AWS's metrics raises, after everything else is done; and what `publish` raises.
        """
        now, item = self.invocation.clock(), self.table.get(PARTITION, SORT)
        last = State.model_validate(item) if item else State(begun=now, looked_at=now)
        providers = {provider: read_signals(self.table, provider) for provider in self.providers}
        counted = _counted(last, now, providers)
        readings, failure = self._readings(last, now)
        since = {held.condition: held.since for held in last.held}
        told = {held.condition for held in last.held if held.told}
        seen = Seen(
            now, counted.begun, providers, _met(counted), read_proof_signals(self.table), readings, since.keys()
        )
        found = holding(seen)
        found |= {one: "a window is open with it" for one in since if one not in found and self._open(one, providers)}
        self.invocation.count("Warnings", len(found))
        met_again = {one: again_at for one, again_at in _met_again(last, counted).items() if one in found}
        again = {one: found[one] for one, at in met_again.items() if at is None or now - at >= DAY}
        self._log(found, since, again)
        self._tell(Change(
            now,
            begun={one: what for one, what in found.items() if one not in told},
            ended={one: begun for one, begun in since.items() if one in told and one not in found},
            lasting={one: begun for one, begun in since.items() if one in told - again.keys() and one in found},
            again=again,
        ))  # fmt: skip
        read = {} if failure else {"metrics_read_at": now}
        put = counted.model_copy(update={"held": self._held(found, last, counted, again), **read}).model_dump(
            mode="json"
        )
        # If another look was faster, its state stands: the next look counts from there.
        when = equal(looked_at=item["looked_at"]) if item else ABSENT
        self.table.update(Write(PARTITION, SORT, put, when))
        if failure:
            raise failure
        return {"warnings": len(found)}

    def _held(self, found: Iterable[Condition], last: State, counted: State, again: Container[Condition]) -> list[Held]:
        before, now, met_now = {held.condition: held for held in last.held}, counted.looked_at, _met_now(counted)
        met_again = _met_again(last, counted)
        held: list[Held] = []
        for one in sorted(found):
            known = before.get(one) or Held(kind=one.kind, subject=one.subject, since=now)
            met_at = now if one in met_now else known.met_at
            again_at = now if one in again else known.again_at
            more = {"met_at": met_at, "again_at": again_at, "again_waits": one in met_again and one not in again}
            held.append(known.model_copy(update={"told": known.told or bool(self.publish), **more}))
        return held

    def _readings(self, last: State, now: dt.datetime) -> tuple[FunctionReadings | None, Exception | None]:
        try:
            return self.functions.read(_read_from(last, now), now) if self.functions else FunctionReadings(), None
        except Exception as error:  # noqa: BLE001 (raised by `look`, at its end)
            self.invocation.log("warning.failed", error=repr(error))
            return None, error

    def _open(self, condition: Condition, providers: Mapping[str, ProviderSignals]) -> bool:
        """Return whether a window is open with an issue: between two visits that have it, it has not ended."""
        provider, _, name = condition.subject.partition("/")
        if condition.kind not in ISSUES or provider not in providers or providers[provider].rests(name):
            return False  # what was paused or removed is not visited again
        if self.invocation.seconds_to_work() < LAST_SECONDS:
            return True  # nobody has looked whether it has ended
        try:
            entries = islice(Ledger(self.table, provider, name).open(), MOST_OPEN)
            return any(entry.issue == condition.kind and not entry.finished for entry in entries)
        except ValueError:  # an item cannot be read: nobody can say that it has ended
            return True

    def _log(
        self, found: Mapping[Condition, str], since: Mapping[Condition, dt.datetime], again: Mapping[Condition, str]
    ) -> None:
        for one, what in found.items():
            if one not in since:
                self.invocation.log("warning.begun", kind=one.kind, subject=one.subject, seen=what)
        for one, what in again.items():
            self.invocation.log("warning.again", kind=one.kind, subject=one.subject, seen=what)
        for one, begun in since.items():
            if one not in found:
                self.invocation.log("warning.ended", kind=one.kind, subject=one.subject, since=instant(begun))

    def _tell(self, change: Change) -> None:
        if self.publish and (change.begun or change.again or change.ended):
            self.publish(subject(change), text(change))


def read_held(table: Table) -> dict[str, dt.datetime]:
    """Return what held at the last look, and since when: `forbidden elsa/checkout`."""
    item = table.get(PARTITION, SORT)
    held = State.model_validate(item).held if item else []
    return {f"{one.kind} {one.subject}": one.since for one in held}


def _read_from(last: State, now: dt.datetime) -> dt.datetime:
    """Return from when on AWS's metrics are read, so that nothing is missed if there was no look for a while."""
    read_at = last.metrics_read_at or now
    return max(min(now - RECENT, read_at - OVERLAP), now - LONGEST_READ)


def _counted(last: State, now: dt.datetime, providers: Mapping[str, ProviderSignals]) -> State:
    """Return the state with what was counted since the last look, and without what is older than an hour."""
    totals: Counts = {
        f"{provider}/{name}": source.counts
        for provider, signals in providers.items()
        for name, source in signals.sources.items()
        if source.counts
    }
    new = {subject: _more(counts, last.totals.get(subject, {})) for subject, counts in totals.items()}
    recent = [met for met in last.recent if now - met.at < RECENT]
    recent += [Met(at=now, counts=counts)] if (counts := {one: more for one, more in new.items() if more}) else []
    begun = last.begun if now - last.looked_at <= LONGEST_GAP else now
    return last.model_copy(update={"begun": begun, "looked_at": now, "totals": totals, "recent": recent})


def _more(counts: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    """Return by how much each count has grown."""
    return {name: count - before.get(name, 0) for name, count in counts.items() if count > before.get(name, 0)}


def _met(state: State) -> dict[Condition, int]:
    """Return how often each condition was met in the last hour."""
    found: dict[Condition, int] = {}
    for met in state.recent:
        for condition, times in _conditions(met).items():
            found[condition] = found.get(condition, 0) + times
    return found


def _met_now(state: State) -> set[Condition]:
    """Return what the newest look has found to be met since the one before."""
    return {condition for met in state.recent if met.at == state.looked_at for condition in _conditions(met)}


def _met_again(last: State, counted: State) -> dict[Condition, dt.datetime | None]:
    """Return the told issues that are met after an hour without, or had to wait; and when that was said last."""
    now, met = counted.looked_at, _met_now(counted)
    told = [held for held in last.held if held.told and held.kind in ISSUES]
    late = [held for held in told if held.condition in met and now - (held.met_at or held.since) > RECENT]
    return {held.condition: held.again_at for held in told if held.again_waits or held in late}


def _conditions(met: Met) -> dict[Condition, int]:
    return {
        Condition(COUNTED[metric], subject_): times
        for subject_, counts in met.counts.items()
        for metric, times in counts.items()
    }
