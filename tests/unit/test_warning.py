"""What warned before there was a watch still warns, each for itself; what is over is said to be over."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, get_args

import httpx
import pytest

from logarchive.action.handler import act
from logarchive.action.notary import watch
from logarchive.errors import ArchiveError, Issue
from logarchive.ledger.entry import Entry
from logarchive.moment import DAY
from logarchive.numbers import WindowNumbers
from logarchive.runtime.aws import Metrics, NotaryAws
from logarchive.runtime.metric import Tally
from logarchive.runtime.settings import NotarySettings
from logarchive.store.bucket import Store
from logarchive.warning.condition import LIMITS
from logarchive.warning.function_metric import FunctionMetrics
from logarchive.warning.kind import ADVICE, ISSUES, Condition, Kind
from logarchive.warning.look import after_look
from logarchive.warning.message import MOST_CHARACTERS, MOST_LINES, Change, subject, text
from logarchive.warning.signal import write_active, write_proof_signals, write_signals
from logarchive.warning.watch import LAST_SECONDS, Watch
from logarchive.window import Window
from tests.scenario import END, HOUR, MINUTE, START, Killed, Scenario

QUARTER = 15 * MINUTE
SHOP: dict[str, Any] = {
    "secret": "la/ncloud/one", "project_key": "p", "project_id": 1, "start": "2026-11-20T00:00:00Z",
    "window": "PT1H", "revisit": [],
}  # fmt: skip
#: The second source is another feed.
TILL = SHOP | {"project_key": "q"}
FUNCTIONS = {"elsa": "la-elsa", "dsa": "la-dsa", "notary": "la-notary"}


@dataclass
class FakeCloudWatch:
    """AWS's metrics: function or queue, and metric -> the values of the last hour."""

    values: dict[tuple[str, str], list[float]] = field(default_factory=dict[tuple[str, str], list[float]])
    broken: bool = False
    spans: list[dt.timedelta] = field(default_factory=list[dt.timedelta])

    def get_paginator(self, operation: str) -> "FakeCloudWatch":
        assert operation == "get_metric_data"
        return self

    def paginate(
        self,
        *,
        MetricDataQueries: list[dict[str, Any]],  # noqa: N803 (botocore's names)
        StartTime: dt.datetime,  # noqa: N803
        EndTime: dt.datetime,  # noqa: N803
    ) -> Iterator[dict[str, Any]]:
        self.spans.append(EndTime - StartTime)
        for query in MetricDataQueries:  # one a page, in parts
            metric = query["MetricStat"]["Metric"]
            [dimension] = metric["Dimensions"]
            assert query["MetricStat"]["Stat"] == ("Maximum" if metric["MetricName"] == "Duration" else "Sum")
            for value in self.values.get((dimension["Value"], metric["MetricName"]), []):
                found = {"Id": query["Id"], "Values": [value], "StatusCode": "PartialData"}
                yield {"MetricDataResults": [found]}
            status = "InternalError" if self.broken else "Complete"
            yield {"MetricDataResults": [{"Id": query["Id"], "Values": [], "StatusCode": status}]}


@dataclass
class Stage:
    """The functions of two providers, of which `elsa` is played, and the watch."""

    scenario: Scenario = field(default_factory=lambda: Scenario([], sources={}, now=START))
    cloudwatch: FakeCloudWatch = field(default_factory=FakeCloudWatch)
    mails: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    #: The metric `Warnings`, one value for each look.
    published: list[float] = field(default_factory=list[float])
    #: What happens before every look: the two providers tick, and the log was signed.
    alive: set[str] = field(default_factory=lambda: {"elsa", "dsa", "proof"})
    refuses: bool = False
    #: Whether there is a topic.
    tells: bool = True

    def invoke(self, event: Mapping[str, Any]) -> None:
        """Do what a provider's function does for an event, from the event to what it leaves."""
        tally = Tally()
        act(self.scenario.archive(count=tally), event)
        write_signals(self.scenario.table, "elsa", tally, self.scenario.now)  # type: ignore[arg-type] # a drop-in

    def tick(self) -> None:
        self.invoke({"action": "tick", "inline": True})

    def visited(self, issue: Issue | None, times: int = 1, source: str = "shop", rejects: int = 0) -> None:
        """Report visits as a worker does, each in an invocation of its own."""
        before = Entry(window_key=Window(START, END).key, state="planned", due_at=START)
        after = before.replace(state="archived", issue=issue, numbers=WindowNumbers(rejects=rejects))
        for _ in range(times):
            tally = Tally()
            self.scenario.invocation(count=tally).report_visit(source, before, after)
            write_signals(self.scenario.table, "elsa", tally, self.scenario.now)  # type: ignore[arg-type]

    def replay_fails(self, source: str) -> None:
        """Report a replay that has left its window as it was, as a worker does."""
        tally, entry = Tally(), Entry(window_key=Window(START, END).key, state="sealed", due_at=None)
        self.scenario.invocation(count=tally).report_replay(source, entry, entry.replace(replay_error="a part is gone"))
        write_signals(self.scenario.table, "elsa", tally, self.scenario.now)  # type: ignore[arg-type]

    def counted(self, **metrics: float) -> None:
        """Leave what a run of the notary has counted."""
        tally = Tally()
        for name, value in metrics.items():
            tally(name, value)
        write_proof_signals(self.scenario.table, tally, self.scenario.now)  # type: ignore[arg-type]

    def ticked(self, provider: str) -> None:
        """Leave what a tick does that can measure no source."""
        tally = Tally()
        tally("LagSeconds", 0)
        write_signals(self.scenario.table, provider, tally, self.scenario.now)  # type: ignore[arg-type]

    def watch(self, tally: Tally) -> Watch:
        functions = FunctionMetrics(Metrics(self.cloudwatch), FUNCTIONS, "la-queue")
        made = self.scenario.invocation(count=tally)
        tell = self.send if self.tells else None
        return Watch(self.scenario.table, ["elsa", "dsa"], made, tell, functions)  # type: ignore[arg-type]

    def send(self, subject_: str, text_: str) -> None:
        if self.refuses:
            raise ConnectionError
        self.mails.append((subject_, text_))

    def look(self) -> None:
        """Let the notary look, a quarter of an hour after the last time."""
        self.scenario.now += QUARTER
        if "elsa" in self.alive:
            self.invoke({"action": "tick"})
        if "dsa" in self.alive:
            self.ticked("dsa")
        if "proof" in self.alive:
            self.counted(ProofSigned=1)
        tally = Tally()
        try:
            self.watch(tally).look()
        finally:
            self.published.append(tally.total["Warnings"])

    def said(self, title: str = "Begun") -> set[str]:
        """Return the conditions that the last mail names under a title, and forget all mails."""
        mail = self.mails[-1][1] if self.mails else ""
        self.mails.clear()
        part = next((part for part in mail.split("\n\n") if part.startswith(title)), "")
        lines = (line.removeprefix("- ") for line in part.splitlines() if line.startswith("- "))
        return {line.partition(":")[0].partition(" (")[0] for line in lines}


@pytest.fixture
def stage() -> Stage:
    made = Stage()
    made.look()
    assert (made.mails, made.published) == ([], [0])
    return made


def counts(function: str, metric: str, value: float) -> Callable[[Stage], None]:
    return lambda stage: stage.cloudwatch.values.update({(function, metric): [0, value]})


def is_late(source: dict[str, Any], name: str) -> Callable[[Stage], None]:
    """Have a source that refuses every request planned, and time pass."""

    def provoke(stage: Stage) -> None:
        stage.scenario.answer = lambda _request: httpx.Response(500, json={})
        stage.scenario.sources = {**(stage.scenario.sources or {}), name: source}
        stage.invoke({"action": "tick"})

    return provoke


def visits(issue: Issue, source: str) -> Callable[[Stage], None]:
    return lambda stage: stage.visited(issue, LIMITS.get(issue, 0) + 1, source)


def is_wrong(name: str) -> Callable[[Stage], None]:
    def provoke(stage: Stage) -> None:
        stage.scenario.sources = {**(stage.scenario.sources or {}), name: {"project_idd": 1}}
        stage.tick()

    return provoke


def is_quiet(name: str, key: str) -> Callable[[Stage], None]:
    def provoke(stage: Stage) -> None:
        begun = stage.scenario.now.replace(minute=0, second=0) - 6 * HOUR
        found = SHOP | {"project_key": key, "quiet_after": "PT3H", "start": f"{begun:%Y-%m-%dT%H:%M:%SZ}"}
        stage.scenario.sources = {**(stage.scenario.sources or {}), name: found}
        stage.tick()
        stage.tick()

    return provoke


OLD = {"start": "2026-11-19T20:00:00Z"}
#: The alarm that there was -> how it fires, how another case of it fires, and what is then said.
ALARMS: dict[str, tuple[Callable[[Stage], None], Callable[[Stage], None], str, str]] = {
    "FunctionErrorsAlarm": (
        counts("la-elsa", "Errors", 1), counts("la-notary", "Errors", 1),
        "function_failed elsa", "function_failed notary",
    ),
    "FunctionThrottlesAlarm": (
        counts("la-elsa", "Throttles", 1), counts("la-dsa", "Throttles", 2),
        "function_throttled elsa", "function_throttled dsa",
    ),
    "FunctionNearTimeoutAlarm": (
        counts("la-elsa", "Duration", 890_001), counts("la-dsa", "Duration", 899_000),
        "function_near_timeout elsa", "function_near_timeout dsa",
    ),
    "DeadLettersAlarm": (
        counts("la-queue", "NumberOfMessagesSent", 1), counts("la-elsa", "Errors", 1),
        "dead_letters queue", "function_failed elsa",
    ),
    "ElsaLagAlarm": (is_late(SHOP | OLD, "shop"), is_late(TILL | OLD, "till"), "behind elsa/shop", "behind elsa/till"),
    **{
        f"{issue}Alarm": (visits(issue, "shop"), visits(issue, "till"), f"{issue} elsa/shop", f"{issue} elsa/till")
        for issue in get_args(Issue.__value__)
    },
    "RejectsAlarm": (
        lambda stage: stage.visited(None, rejects=1), lambda stage: stage.visited(None, source="till", rejects=7),
        "rejects elsa/shop", "rejects elsa/till",
    ),
    "no alarm, for replays": (
        lambda stage: stage.replay_fails("shop"), lambda stage: stage.replay_fails("till"),
        "replay_failed elsa/shop", "replay_failed elsa/till",
    ),
    "SourceErrorsAlarm": (is_wrong("typo"), is_wrong("other"), "source_invalid elsa/typo", "source_invalid elsa/other"),
    "HoursToLossAlarm": (
        is_late(SHOP | {"retention": "PT12H", "delay": "PT9H"}, "shop"),
        is_late(TILL | {"retention": "PT12H", "delay": "PT9H"}, "till"),
        "loss_soon elsa/shop", "loss_soon elsa/till",
    ),
    "QuietSourcesAlarm": (is_quiet("shop", "p"), is_quiet("till", "q"), "quiet elsa/shop", "quiet elsa/till"),
    "ProofBacklogAlarm": (
        lambda stage: stage.counted(ProofBacklogSeconds=3601), lambda stage: stage.counted(ProofErrors=1),
        "proof_backlog proof", "proof_errors proof",
    ),
    "ProofErrorsAlarm": (
        lambda stage: stage.counted(ProofErrors=1), lambda stage: stage.counted(ProofBacklogSeconds=3601),
        "proof_errors proof", "proof_backlog proof",
    ),
}  # fmt: skip


@pytest.mark.parametrize("alarm", ALARMS)
def test_what_fired_an_alarm_warns_and_warns_again_for_another_case_while_it_holds(stage: Stage, alarm: str) -> None:
    first, second, begun, also = ALARMS[alarm]
    first(stage)
    stage.look()
    assert begun in stage.said()
    stage.look()
    assert stage.said() == set()  # what holds is said once
    second(stage)
    stage.look()
    mail = stage.mails[-1][1]
    assert also in stage.said()
    assert f"Still so:\n- {begun}" in mail or f"\n- {begun} (since" in mail
    assert stage.published[-1] >= 2


def test_every_condition_is_provoked_by_a_test_of_this_file() -> None:
    provoked = {name.partition(" ")[0] for alarm in ALARMS.values() for name in alarm[2:]}
    assert provoked | {"no_tick", "proof_unsigned"} == set(ADVICE)


@pytest.mark.parametrize("dead", [{"elsa"}, {"elsa", "dsa"}])
def test_a_tick_that_does_not_run_for_half_an_hour_warns(stage: Stage, dead: set[str]) -> None:
    stage.alive -= dead
    for _ in range(2):
        stage.look()
        assert stage.said() == set()
    stage.look()
    assert stage.said() == {f"no_tick {name}" for name in dead}
    stage.alive |= dead
    stage.look()
    assert stage.said("Ended") == {f"no_tick {name}" for name in dead}


def test_another_tick_that_does_not_run_warns_while_one_does_not_already(stage: Stage) -> None:
    stage.alive.remove("elsa")
    for _ in range(3):
        stage.look()
    assert stage.said() == {"no_tick elsa"}
    stage.alive.remove("dsa")
    for _ in range(3):
        stage.look()
    assert stage.said() == {"no_tick dsa"}


def test_ticks_that_never_ran_are_missing_since_the_first_look() -> None:
    stage = Stage(alive={"proof"})
    for _ in range(3):
        stage.look()
        assert stage.said() == set()
    stage.look()
    assert stage.said() == {"no_tick elsa", "no_tick dsa"}


def test_what_is_missing_counts_from_the_first_look_after_a_gap(stage: Stage) -> None:
    """So a version that leaves no signs of life, and was deployed for a while, is not taken for silence."""
    stage.scenario.now += DAY
    stage.alive.clear()
    begun = list[set[str]]()
    for _ in range(6):
        stage.look()
        begun.append(stage.said())
    silent = {"no_tick elsa", "no_tick dsa"}
    assert begun == [set(), set(), set(), silent, set(), {"proof_unsigned proof"}]


def test_what_was_missing_before_a_gap_is_missing_after_it(stage: Stage) -> None:
    stage.alive.remove("elsa")
    for _ in range(3):
        stage.look()
    assert stage.said() == {"no_tick elsa"}
    stage.scenario.now += DAY
    for _ in range(4):
        stage.look()
    assert stage.mails == []
    assert {one["kind"] for one in held(stage)} == {"no_tick"}


def test_a_dead_tick_hides_neither_lag_nor_a_coming_loss(stage: Stage) -> None:
    now = stage.scenario.now.replace(minute=0)
    is_late(SHOP | {"start": f"{now - HOUR:%Y-%m-%dT%H:%M:%SZ}", "retention": "PT15H"}, "shop")(stage)
    stage.look()
    assert stage.said() == set()
    stage.alive.remove("elsa")
    begun = set[str]()
    for _ in range(4 * 3):
        stage.look()
        begun |= stage.said()
    assert begun == {"no_tick elsa", "behind elsa/shop", "loss_soon elsa/shop"}


def test_an_hour_in_which_nothing_was_signed_warns_whatever_else_holds(stage: Stage) -> None:
    stage.counted(ProofErrors=1)
    stage.alive.remove("proof")
    begun = list[set[str]]()
    for _ in range(5):
        stage.look()
        begun.append(stage.said())
    assert begun == [{"proof_errors proof"}, set(), set(), set(), {"proof_unsigned proof"}]
    stage.alive.add("proof")
    stage.look()
    assert stage.said("Ended") == {"proof_unsigned proof"}


@pytest.mark.parametrize("kind", LIMITS)
def test_visits_of_all_sources_count_together_where_some_are_normal(stage: Stage, kind: Any) -> None:
    stage.visited(kind, 2, "shop")
    stage.visited(kind, LIMITS[kind] - 2, "till")
    stage.look()
    assert stage.said() == set()
    stage.visited(kind, 1, "till")
    stage.look()
    assert stage.said() == {f"{kind} elsa/shop", f"{kind} elsa/till"}


def test_visits_that_are_hours_apart_do_not_count_together(stage: Stage) -> None:
    for _ in range(3):
        stage.visited("throttled", 2)
        for _ in range(5):
            stage.look()
            assert stage.said() == set()


def test_what_was_counted_is_over_an_hour_after_it_was_met_last(stage: Stage) -> None:
    stage.visited(None, rejects=1)
    for look in range(4):
        stage.look()
        assert ("rejects elsa/shop" in stage.said()) is (look == 0)
        assert stage.published[-1] == 1
    stage.look()
    assert stage.said("Ended") == {"rejects elsa/shop"}
    assert stage.published[-1] == 0


def refuse(stage: Stage) -> None:
    """Let the provider refuse the window that is due, and the notary say so."""
    stage.scenario.sources = {"shop": SHOP}
    stage.scenario.answer = lambda _request: httpx.Response(403, json={})
    stage.scenario.now += 2 * HOUR
    stage.tick()
    stage.look()
    assert "forbidden elsa/shop" in stage.said()


def test_an_issue_has_not_ended_between_two_visits(stage: Stage) -> None:
    """A refused window is visited again after an hour, then every six hours."""
    refuse(stage)
    for _ in range(8):  # the function only ticks: nothing is visited
        stage.look()
        assert "forbidden elsa/shop" not in stage.said("Ended")
    stage.scenario.recovers()
    stage.scenario.now += 7 * HOUR
    for _ in range(6):
        stage.tick()
        stage.look()
    assert not [held for held in stage.scenario.table.items["#proof", "#watch"]["held"] if held["kind"] == "forbidden"]


def test_an_issue_that_is_met_again_after_an_hour_without_is_said_again(stage: Stage) -> None:
    refuse(stage)
    stage.visited("forbidden")  # within the hour
    for _ in range(6):
        stage.look()
        assert stage.said("Met again") == set()
    stage.visited("forbidden")
    stage.look()
    [(line, mail)] = [one for one in stage.mails if "met again" in one[0]]
    assert line.endswith("warnings 1 met again")
    assert "\n- forbidden elsa/shop (1 in the last hour)\n" in f"\n{mail}"
    assert stage.scenario.events[-1] == "warning.again"
    stage.mails.clear()
    stage.look()
    assert stage.said("Met again") == set()


def test_an_issue_is_said_to_be_met_again_once_a_day_at_most_and_what_had_to_wait_is_said_then(stage: Stage) -> None:
    refuse(stage)
    for quarter in range(4 * 60):
        if quarter < 4 * 40 and quarter % 6 == 5:
            stage.visited("forbidden")  # every hour and a half, for 40 hours
        stage.look()
    said = [line for line, _ in stage.mails if "met again" in line]
    assert len(said) == 2 + 1  # and once for what was met after the second
    times = [dt.datetime.fromisoformat(line.split(" UTC")[0].removeprefix("Log archive ")) for line in said]
    assert min(later - sooner for sooner, later in pairwise(times)) >= dt.timedelta(days=1)


@pytest.mark.parametrize("action", ["doctor", "status", "work", "gaps"])
def test_a_name_that_an_event_has_wrong_is_no_condition(stage: Stage, action: str) -> None:
    stage.scenario.sources = {"shop": SHOP}
    stage.invoke({"action": action, "source": "shpo"})
    assert ("elsa#shpo", "#signals") not in stage.scenario.table.items
    stage.look()
    assert stage.said() == set()


@pytest.mark.parametrize("sources", [{"shop": {"project_idd": 1}}, {}])
def test_a_source_that_an_event_cannot_use_is_a_condition(stage: Stage, sources: dict[str, Any]) -> None:
    stage.scenario.sources = {"shop": SHOP}
    stage.tick()
    stage.alive.remove("elsa")
    stage.scenario.sources = sources
    stage.invoke({"action": "work", "source": "shop"})
    stage.look()
    assert "source_invalid elsa/shop" in stage.said()


@pytest.mark.parametrize("change", ["paused", "removed"])
def test_nothing_holds_of_a_source_that_was_paused_or_removed(stage: Stage, change: str) -> None:
    stage.scenario.sources = {"shop": SHOP | OLD}
    stage.scenario.answer = lambda _request: httpx.Response(403, json={})
    stage.tick()
    stage.look()
    assert stage.said() == {"behind elsa/shop", "forbidden elsa/shop"}
    stage.scenario.sources = {"shop": SHOP | {"enabled": False}} if change == "paused" else {}
    ended = set[str]()
    for _ in range(4):
        stage.look()
        ended |= stage.said("Ended")
    assert ended == {"behind elsa/shop", "forbidden elsa/shop"}
    assert stage.published[-1] == 0


def test_what_holds_of_a_source_goes_on_while_ticks_cannot_measure_it(stage: Stage) -> None:
    stage.scenario.sources = {"shop": SHOP | OLD | {"retention": "PT12H"}}
    stage.scenario.answer = lambda _request: httpx.Response(403, json={})
    stage.tick()
    stage.look()
    begun = stage.said()
    assert begun == {"behind elsa/shop", "loss_soon elsa/shop", "forbidden elsa/shop"}
    stage.alive.remove("elsa")
    for _ in range(8):
        stage.ticked("elsa")
        stage.look()
    assert not any("Ended" in text_ for _, text_ in stage.mails)
    assert {f"{one['kind']} {one['subject']}" for one in held(stage)} >= begun


def test_what_holds_of_a_source_goes_on_when_its_parameter_becomes_wrong(stage: Stage) -> None:
    stage.scenario.sources = {"shop": SHOP | OLD}
    stage.scenario.answer = lambda _request: httpx.Response(403, json={})
    stage.tick()
    stage.look()
    assert stage.said() == {"behind elsa/shop", "forbidden elsa/shop"}
    stage.scenario.sources = {"shop": SHOP | OLD | {"projekt": 1}}
    for _ in range(8):
        stage.look()
    assert {one["kind"] for one in held(stage)} == {"behind", "forbidden", "source_invalid"}


def test_nothing_begins_by_what_was_measured_before_a_pause(stage: Stage) -> None:
    stage.scenario.sources = {"shop": SHOP}
    stage.tick()
    stage.scenario.sources = {"shop": SHOP | {"enabled": False}}
    for _ in range(12):
        stage.look()
    stage.alive.remove("elsa")
    write_active(stage.scenario.table, "elsa", ["shop"], {})  # type: ignore[arg-type] # the tick has just begun
    stage.look()
    assert stage.mails == []


def held(stage: Stage) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stage.scenario.table.items["#proof", "#watch"]["held"]
    return found


def test_new_dead_letters_are_noticed_beside_old_ones(stage: Stage) -> None:
    counts("la-queue", "NumberOfMessagesSent", 2)(stage)
    stage.look()
    assert stage.said() == {"dead_letters queue"}
    stage.cloudwatch.values.clear()  # sent more than an hour ago; they are in the queue still
    stage.look()
    assert stage.said("Ended") == {"dead_letters queue"}
    counts("la-queue", "NumberOfMessagesSent", 1)(stage)
    stage.look()
    assert stage.said() == {"dead_letters queue"}
    assert set(stage.cloudwatch.spans) == {HOUR}


@pytest.mark.parametrize(
    ("gap", "span", "said"),
    [
        (HOUR, HOUR + 35 * MINUTE, "1 h 35 min"), (5 * HOUR, 5 * HOUR + 35 * MINUTE, "5 h 35 min"),
        (3 * DAY, DAY, "24 h 0 min"),
    ],
)  # fmt: skip
def test_failures_while_the_notary_did_not_look_are_not_missed(
    stage: Stage, gap: dt.timedelta, span: dt.timedelta, said: str
) -> None:
    counts("la-elsa", "Errors", 2)(stage)
    stage.scenario.now += gap
    stage.look()
    assert stage.cloudwatch.spans[-1] == span
    assert f"(2 in the last {said})" in stage.mails[-1][1]
    stage.look()
    assert stage.cloudwatch.spans[-1] == HOUR


def test_what_could_not_be_read_for_a_while_is_read_later(stage: Stage) -> None:
    stage.cloudwatch.broken = True
    for _ in range(8):
        with pytest.raises(ArchiveError):
            stage.look()
    stage.cloudwatch.broken = False
    stage.look()
    assert stage.cloudwatch.spans[-1] == 9 * QUARTER + 20 * MINUTE


def test_metrics_that_cannot_be_read_hide_nothing_else_and_fail_the_run(stage: Stage) -> None:
    counts("la-elsa", "Errors", 1)(stage)
    stage.look()
    assert stage.said() == {"function_failed elsa"}
    stage.cloudwatch.broken = True
    stage.visited("forbidden")
    with pytest.raises(ArchiveError, match="could not read"):
        stage.look()
    assert stage.said() == {"forbidden elsa/shop"}
    assert stage.published[-1] == 2  # what held of the functions still does
    assert stage.scenario.events[-1] != "warning.ended"
    assert "warning.failed" in stage.scenario.events


def test_a_message_that_was_not_sent_is_sent_by_the_next_look(stage: Stage) -> None:
    stage.visited("forbidden")
    stage.refuses = True
    with pytest.raises(ConnectionError):
        stage.look()
    assert stage.published[-1] == 1  # the alarm fires all the same
    stage.refuses = False
    stage.look()
    assert stage.said() == {"forbidden elsa/shop"}


def test_what_nobody_was_told_is_told_once_there_is_somebody(stage: Stage) -> None:
    stage.tells = False
    stage.visited("forbidden")
    stage.look()
    stage.look()
    assert stage.mails == []
    assert stage.scenario.events.count("warning.begun") == 1
    stage.tells = True
    stage.look()
    assert stage.said() == {"forbidden elsa/shop"}
    stage.look()
    assert stage.said() == set()


def test_what_nobody_was_told_and_is_over_needs_no_message(stage: Stage) -> None:
    stage.tells = False
    stage.visited(None, rejects=1)
    for _ in range(4):
        stage.look()
    stage.tells = True
    stage.look()
    assert stage.mails == []
    assert "warning.ended" in stage.scenario.events


@pytest.mark.parametrize("call", ["ddb.get #watch", "ddb.get #signals", "ddb.update #watch"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_look_that_is_killed_loses_no_warning(stage: Stage, call: str, moment: str) -> None:
    stage.visited("forbidden")

    def gate(name: str, when: str) -> None:
        if (name, when) == (call, moment):
            raise Killed

    stage.scenario.gate = gate
    stage.scenario.now += QUARTER
    with pytest.raises(Killed):
        stage.watch(Tally()).look()
    stage.scenario.gate = lambda _call, _moment: None
    told = stage.said()
    stage.look()
    assert told | stage.said() == {"forbidden elsa/shop"}
    assert stage.published[-1] == 1


def test_two_looks_at_a_time_lose_no_warning(stage: Stage) -> None:
    stage.visited("forbidden")
    between: list[None] = []

    def gate(name: str, when: str) -> None:
        if (name, when) == ("ddb.update #watch", "before") and not between:
            between.append(None)
            stage.visited("malformed")
            stage.look()

    stage.scenario.gate = gate
    stage.look()
    assert stage.mails
    assert {"forbidden", "malformed"} <= {
        held["kind"] for held in stage.scenario.table.items["#proof", "#watch"]["held"]
    }


def test_a_ledger_that_was_restored_counts_from_there(stage: Stage) -> None:
    stage.visited("forbidden", 5)
    stage.look()
    stage.said()
    stage.scenario.table.items["elsa#shop", "#signals"]["IssueForbidden"] = 2
    for _ in range(5):
        stage.look()
    assert stage.published[-1] == 0
    stage.visited("forbidden")
    stage.look()
    assert stage.said() == {"forbidden elsa/shop"}


def test_the_watch_needs_neither_the_key_nor_the_log_to_look_first() -> None:
    order: list[str] = []
    scenario = Scenario([], sources={})
    aws = NotaryAws(Store(scenario.s3, "bucket"), scenario.table, None)  # type: ignore[arg-type] # drop-ins
    settings = NotarySettings("bucket", "table", providers=("elsa",))
    tally = Tally()
    made = watch(aws, settings, scenario.invocation(count=tally))

    def run() -> dict[str, Any]:
        order.append("run")
        raise ArchiveError("the key is disabled")

    with pytest.raises(ArchiveError, match="disabled"):
        after_look({"action": "notary"}, made, lambda: order.append("write"), run)
    assert (order, tally.total) == (["write", "run"], {"Warnings": 0})
    assert after_look({"action": "report"}, made, lambda: order.append("write"), lambda: {"ok": True}) == {"ok": True}
    assert after_look({"action": "notary"}, made, lambda: None, lambda: {"ok": True}) == {"ok": True, "warnings": 0}


def test_a_look_that_fails_does_not_keep_the_notary_from_its_work(stage: Stage) -> None:
    stage.refuses = True
    stage.visited("forbidden")
    done: list[str] = []

    def run() -> dict[str, Any]:
        done.append("run")
        return {"ok": True}

    with pytest.raises(ConnectionError):
        after_look({"action": "notary"}, stage.watch(Tally()), lambda: None, run)
    assert done == ["run"]


def test_what_cannot_be_written_does_not_keep_the_notary_from_its_work(stage: Stage) -> None:
    done: list[str] = []

    def write() -> None:
        raise ConnectionError

    def run() -> dict[str, Any]:
        done.append("run")
        return {"ok": True}

    with pytest.raises(ConnectionError):
        after_look({"action": "notary"}, stage.watch(Tally()), write, run)
    assert done == ["run"]


def test_an_issue_goes_on_when_there_is_no_time_to_look_for_its_windows(stage: Stage) -> None:
    stage.scenario.sources = {"shop": SHOP}
    stage.visited("forbidden")
    stage.look()
    assert stage.said() == {"forbidden elsa/shop"}
    stage.scenario.now += 2 * HOUR
    for provider in ("elsa", "dsa"):
        stage.ticked(provider)
    stage.counted(ProofSigned=1)
    late = stage.watch(Tally())
    deadline = stage.scenario.now + dt.timedelta(seconds=LAST_SECONDS)
    replace(late, invocation=replace(late.invocation, deadline=deadline)).look()
    assert [one["kind"] for one in held(stage)] == ["forbidden"]
    stage.look()
    assert stage.said("Ended") == {"forbidden elsa/shop"}


def change(begun: Mapping[Condition, str], **others: Any) -> Change:
    return Change(START, begun, others.get("ended", {}), others.get("lasting", {}))


@pytest.mark.parametrize("kind", ADVICE)
def test_a_message_names_the_condition_what_it_means_and_what_to_do(kind: Kind) -> None:
    said = text(change({Condition(kind, "elsa/shop"): "4 in the last hour"}))
    assert said.startswith("Begun, seen at 2026-11-20T00:00:00Z:\n")
    assert f"- {kind} elsa/shop: " in said
    assert "(4 in the last hour).\n  What to do: " in said
    assert "](" not in said
    assert kind not in ISSUES or f"What to do: docs/operations.md#{kind}." in said


def test_a_message_about_very_many_sources_is_still_short() -> None:
    many = {Condition("behind", f"elsa/{number:03d}-{'x' * 1000}"): "x" for number in range(MOST_LINES + 7)}
    made = change(many, ended=dict.fromkeys(many, START), lasting=dict.fromkeys(many, START))
    assert text(made).count("- and 7 more") == 3
    assert len(text(made)) < 3 * MOST_LINES * (MOST_CHARACTERS + 250)
    assert subject(made) == "Log archive 2026-11-20 00:00 UTC: warnings 57 begun, 57 ended"
    assert len(subject(made)) < 100  # SNS takes no longer one
    assert subject(made).isascii()
