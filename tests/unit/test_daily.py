import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from logarchive.action.notary import Daily, act, daily
from logarchive.action.result import Result
from logarchive.moment import DAY, instant
from logarchive.proof.daily import LAST_SECONDS, DailyNotice
from logarchive.runtime.aws import NotaryAws
from logarchive.runtime.metric import Tally
from logarchive.warning.watch import Watch
from tests.scenario import END, MINUTE, Killed, Scenario


@dataclass
class Topic:
    messages: list[str] = field(default_factory=list[str])
    fails: bool = False

    def publish(self, subject: str, text: str) -> None:
        if self.fails:
            raise RuntimeError("no such topic")
        self.messages.append(f"{subject}\n{text}")


@dataclass
class Stage:
    """An archive with a topic."""

    scenario: Scenario
    topic: Topic = field(default_factory=Topic)
    tally: Tally = field(default_factory=Tally)
    holding: dict[str, dt.datetime] = field(default_factory=dict[str, dt.datetime])
    changed: Callable[[DailyNotice], DailyNotice] = lambda daily: daily

    def notarize(self, **event: object) -> Result:
        run = self.scenario.notary(count=self.tally)
        notice = DailyNotice(
            run.log, run.marks.table, self.topic.publish, ["dsa", "elsa"], run.invocation, lambda: self.holding
        )
        return act(run, {"action": "notary", **event}, Daily(self.scenario.coverage(run), self.changed(notice)))


def archived() -> Stage:
    """Return an archive with one window that is sealed, and one that is open."""
    stage = Stage(Scenario([]))
    stage.scenario.until_sealed()
    stage.scenario.now = END + DAY + 10 * MINUTE
    stage.scenario.tick()
    return stage


def checkpoint(stage: Stage) -> str:
    return stage.scenario.s3.objects["proof/checkpoint"].body.decode()


def test_a_notice_is_sent_once_a_day_with_the_newest_checkpoint() -> None:
    stage = archived()
    assert stage.notarize()["notice"]
    assert [checkpoint(stage) in message for message in stage.topic.messages] == [True]
    assert not stage.notarize()["notice"]
    stage.scenario.now += DAY
    stage.scenario.tick()
    first, (_, second) = checkpoint(stage), (stage.notarize(), *stage.topic.messages)[1:]
    assert first != checkpoint(stage)
    assert checkpoint(stage) in second


def test_a_notice_tells_of_what_was_sealed_since_the_last_one_and_of_what_is_open() -> None:
    stage = archived()
    stage.notarize()
    stage.scenario.now += DAY
    stage.notarize()
    first, second = stage.topic.messages
    assert "elsa/shop: 1 sealed with 0 rows; 1 open (waiting)" in first
    assert "elsa/shop: 0 sealed with 0 rows; 1 open (waiting)" in second
    assert f"sealed since {instant(stage.scenario.now - DAY)}" in second


def test_a_sealed_window_that_is_only_to_be_replayed_is_not_open() -> None:
    stage = archived()
    [sealed, _] = stage.scenario.entries()
    assert stage.scenario.ledger.mark_replay(sealed, stage.scenario.now)
    stage.notarize()
    assert "elsa/shop: 1 sealed with 0 rows; 1 open (waiting)" in stage.topic.messages[0]


def test_a_notice_names_all_that_needs_a_person_whoever_was_told_before() -> None:
    stage = archived()
    stage.notarize()
    stage.holding["forbidden elsa/shop"] = END
    stage.notarize(notice=True)
    first, second = stage.topic.messages
    assert "Nothing needs a person.\n사람이 확인해야 하는 상태가 없습니다." in first
    assert f"\n- forbidden elsa/shop (since {instant(END)})\n" in second
    assert "사람이 확인해야 하는 상태 (" in second


def test_a_notice_reads_what_held_at_the_last_look() -> None:
    stage = archived()
    run = stage.scenario.notary()
    sent = list[str]()
    aws = NotaryAws(run.log.store, run.marks.table, None)
    topic = cast("Any", stage.topic)
    made = daily(replace(aws, topic=topic), run, ["elsa"]).notice
    assert made
    assert made.holding() == {}
    watch = Watch(run.marks.table, ["elsa"], stage.scenario.invocation(), lambda _subject, text: sent.append(text))
    for _ in range(3):
        watch.look()
        stage.scenario.now += 45 * MINUTE
    assert sent
    assert "proof_unsigned proof" in made.holding()


def test_it_can_be_sent_again_on_demand() -> None:
    stage = archived()
    assert [stage.notarize()["notice"], stage.notarize(notice=True)["notice"]] == [True, True]
    assert len(stage.topic.messages) == 2


def test_an_empty_archive_sends_nothing() -> None:
    stage = Stage(Scenario([]))
    assert not stage.notarize(notice=True)["notice"]
    assert stage.topic.messages == []


def test_a_failed_notice_is_raised_once_all_is_signed_and_sent_by_the_next_run() -> None:
    stage = archived()
    stage.topic.fails = True
    with pytest.raises(RuntimeError, match="no such topic"):
        stage.notarize()
    assert stage.scenario.kms.signed[-1].decode() in checkpoint(stage)
    assert stage.tally.total["NoticeErrors"] == 1
    assert stage.scenario.events[-2:] == ["notice.failed", "coverage.written"]
    stage.topic.fails = False
    assert stage.notarize()["notice"]


def test_a_notice_that_was_not_written_down_is_sent_again() -> None:
    stage = archived()

    def gate(call: str, moment: str) -> None:
        if (call, moment) == ("ddb.update #notice", "before"):
            raise Killed

    stage.scenario.gate = gate
    with pytest.raises(Killed):
        stage.notarize()
    stage.scenario.gate = lambda _call, _moment: None
    assert stage.notarize()["notice"]
    assert len(stage.topic.messages) == 2


def test_entries_that_are_too_many_are_counted_but_not_read() -> None:
    stage = archived()
    stage.changed = lambda daily: replace(daily, most_entries=2)
    size = stage.notarize()["size"]
    assert f"Not counted: {size - 2} earlier entries" in stage.topic.messages[0]


def test_only_bundles_with_new_entries_are_read() -> None:
    stage = archived()
    run = stage.scenario.notary()
    size = stage.notarize()["size"]
    log, every = run.log, list(run.log.entries(0, size))
    assert len(every) == size
    for start in range(size + 1):
        assert list(log.entries(start, size)) == every[start:]


def test_a_source_is_not_asked_for_its_open_windows_when_time_is_short() -> None:
    stage = archived()
    late = stage.scenario.invocation()
    deadline = stage.scenario.now + dt.timedelta(seconds=LAST_SECONDS)
    stage.changed = lambda daily: replace(daily, invocation=replace(late, deadline=deadline))
    assert stage.notarize()["notice"]
    assert "Not counted: the open windows of 1 sources" in stage.topic.messages[0]


def test_an_item_that_cannot_be_read_keeps_no_notice_back() -> None:
    stage = archived()
    for item in stage.scenario.table.items.values():
        if "due_at" in item and "state" in item:
            item["attempt"] = "many"
    assert stage.notarize()["notice"]
    assert "Not counted: the open windows of 1 sources" in stage.topic.messages[0]


def test_without_a_topic_there_is_no_notice() -> None:
    stage = archived()
    run = stage.scenario.notary()
    made = daily(NotaryAws(run.log.store, run.marks.table, None), run, ["elsa"])
    assert made.notice is None
    assert not act(run, {"action": "notary"}, made)["notice"]
