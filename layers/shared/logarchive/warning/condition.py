"""Which conditions hold, judged by all that a look has seen. Pure."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from logarchive.ledger.lag import LOSS_NOTICE
from logarchive.moment import HOUR, MINUTE, instant
from logarchive.warning.function_metric import FunctionReadings
from logarchive.warning.kind import OF_FUNCTIONS, Condition, Kind
from logarchive.warning.signal import ProofSignals, ProviderSignals, SourceSignals

#: What is counted holds for so long after it was met last.
RECENT = HOUR
#: A window may be due for so long before its source is behind.
LONGEST_LAG = 2 * HOUR
#: A tick runs every five minutes; every 15, if it was chosen so.
LONGEST_SILENCE = 30 * MINUTE
#: Of 900 s. A visit normally stops 20 s before the end.
LONGEST_RUN = dt.timedelta(seconds=890)
LONGEST_UNSIGNED = LONGEST_BACKLOG = HOUR
#: Kind -> how often it may be met in an hour, over all sources. Each other kind holds as soon as it is met.
LIMITS: Mapping[Kind, int] = {"throttled": 3, "unavailable": 3, "mismatch": 3}


@dataclass(frozen=True)
class Seen:
    """All that a look has seen."""

    now: dt.datetime
    #: Since when there have been looks: what was not seen since then is missing since then.
    begun: dt.datetime
    providers: Mapping[str, ProviderSignals]
    #: How often each was met in the last hour.
    met: Mapping[Condition, int]
    proof: ProofSignals
    #: None: they could not be read.
    functions: FunctionReadings | None
    #: What held at the last look.
    held: AbstractSet[Condition] = field(default_factory=frozenset[Condition])


def holding(seen: Seen) -> dict[Condition, str]:
    """Return the conditions that hold, each with what was seen of it."""
    found = dict(_met(seen))
    for provider, signals in seen.providers.items():
        found |= _of_provider(seen, provider, signals)
    return found | dict(_of_functions(seen)) | dict(_of_proof(seen))


def _met(seen: Seen) -> Iterator[tuple[Condition, str]]:
    """Yield what was met too often, and what held and was met again."""
    totals = Counter[Kind]()
    for condition, times in seen.met.items():
        totals[condition.kind] += times
    for condition, times in seen.met.items():
        if totals[condition.kind] > LIMITS.get(condition.kind, 0) or condition in seen.held:
            yield condition, _times(times)


def _of_provider(seen: Seen, provider: str, signals: ProviderSignals) -> dict[Condition, str]:
    silent = Condition("no_tick", provider)
    found: dict[Condition, str] = {}
    if (missing := _missing(seen, silent, signals.ticked_at)) > LONGEST_SILENCE:
        found[silent] = f"none for {_length(missing)}"
    for name in signals.sources:
        if source := signals.measured(name):
            of_source = _of_source(f"{provider}/{name}", source, seen.now)
            found |= _kept(of_source, source, seen.held) if signals.is_stale(source) else of_source
    return found


def _kept(found: Mapping[Condition, str], source: SourceSignals, held: AbstractSet[Condition]) -> dict[Condition, str]:
    """Return what goes on of a source that could not be measured again: nothing begins, and nothing ends."""
    since = instant(source.measured_at) if source.measured_at else "ever"
    return {one: f"{what}; not measured since {since}" for one, what in found.items() if one in held}


def _of_source(subject: str, source: SourceSignals, now: dt.datetime) -> dict[Condition, str]:
    """Return the conditions of what a tick has measured; the time since counts too, should no tick run any more."""
    found: dict[Condition, str] = {}
    if source.due_since and now - source.due_since > LONGEST_LAG:
        lag = now - source.due_since
        found[Condition("behind", subject)] = f"the oldest window has been due for {_length(lag)}"
    if source.lost_at and source.lost_at - now < LOSS_NOTICE:
        left = source.lost_at - now
        found[Condition("loss_soon", subject)] = f"in {_length(left)}" if left > dt.timedelta(0) else "it has begun"
    if source.quiet_seconds is not None:
        quiet = dt.timedelta(seconds=source.quiet_seconds)
        found[Condition("quiet", subject)] = f"no record for {_length(quiet)}"
    return found


def _of_functions(seen: Seen) -> Iterator[tuple[Condition, str]]:
    if seen.functions is None:
        yield from ((one, "as before: it could not be read now") for one in seen.held if one.kind in OF_FUNCTIONS)
        return
    span = seen.functions.span
    for one in seen.functions.functions:
        if one.errors:
            yield Condition("function_failed", one.name), _times(one.errors, span)
        if one.throttles:
            yield Condition("function_throttled", one.name), _times(one.throttles, span)
        if one.longest > LONGEST_RUN:
            yield Condition("function_near_timeout", one.name), f"{one.longest.total_seconds():.0f} s"
    if seen.functions.dead_letters:
        yield Condition("dead_letters", "queue"), _times(seen.functions.dead_letters, span)


def _of_proof(seen: Seen) -> Iterator[tuple[Condition, str]]:
    unsigned, failed = Condition("proof_unsigned", "proof"), seen.proof.failed_at
    if (missing := _missing(seen, unsigned, seen.proof.signed_at)) > LONGEST_UNSIGNED:
        yield unsigned, f"for {_length(missing)}"
    backlog = dt.timedelta(seconds=seen.proof.backlog_seconds)
    if backlog > LONGEST_BACKLOG:
        yield Condition("proof_backlog", "proof"), f"the oldest change has waited for {_length(backlog)}"
    if failed and seen.now - failed < RECENT:
        yield Condition("proof_errors", "proof"), f"at {failed:%H:%M} UTC"


def _missing(seen: Seen, condition: Condition, seen_at: dt.datetime | None) -> dt.timedelta:
    """Return for how long something was not seen: for what does not hold yet, from the beginning of the looks at most.

    While nobody looked, an older version may have run, which leaves no signs of life.
    """
    since = seen_at or seen.begun
    return seen.now - (since if condition in seen.held else max(since, seen.begun))


def _times(number: int, span: dt.timedelta = HOUR) -> str:
    return f"{number:,} in the last {'hour' if span == HOUR else _length(span)}"


def _length(length: dt.timedelta) -> str:
    hours, minutes = divmod(length // MINUTE, 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min"
