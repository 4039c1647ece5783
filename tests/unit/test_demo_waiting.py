"""The demo waits as long as anything moves, and says what does not go on, where, and what its function has logged."""

import json
import subprocess
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError

import duckdb
import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from tests.truth import Window
from tests.unit.test_demo_figure import NOW, SOURCE, planned, sealed
from tests.unit.test_demo_page import Terminal
from tools.demo.account import Account
from tools.demo.function_log import brief, described, written
from tools.demo.page import WIDTH, Page
from tools.demo.progress import Standing, Watch, items, stuck
from tools.demo.providers import Providers
from tools.demo.waiting import QUIET_SECONDS, Sight, Waiting, answered
from tools.demo.world import DemoSource
from tools.stack import StackError, aws, stop, wait_until_ready


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep logs elsewhere than in the folder of somebody's own demo."""
    monkeypatch.setattr("tools.stack.LOGS", tmp_path / "kept")
    return tmp_path / "kept"


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def waited(sights: Iterable[Sight]) -> tuple[float, str]:
    """Wait through what the looks show; return when it was over, and what was printed."""
    clock, out, looks = Clock(), Terminal(), iter(sights)
    waiting = Waiting(Page(out), clock, lambda _seconds: clock.sleep(60))
    try:
        waiting.until_done(lambda: next(looks), StackError)
    except StackError as error:
        out.write(f"{error}\n")
    return clock.now, out.getvalue().replace("\x1b[K", "")


def test_what_moves_is_waited_for_however_long_it_takes() -> None:
    slow = [Sight("", done=False, moved=number) for number in range(500)]
    over, printed = waited([*slow, Sight("all visited", done=True, moved=500)])
    assert over == 500 * 60 > QUIET_SECONDS
    assert printed.endswith("all visited\n")
    assert "nothing has moved" not in printed


def test_what_does_not_move_is_given_up_at_last_and_said_before() -> None:
    still = Sight("1/2 windows", done=False, moved="same")
    over, printed = waited([Sight("0/2 windows", done=False, moved="other"), *[still] * 100])
    assert over == 60 + QUIET_SECONDS
    assert "nothing has moved for 60 s; 1/2 windows" in printed
    assert printed.endswith(f"nothing has moved for {QUIET_SECONDS:.0f} s\n")


def test_a_move_starts_the_time_anew() -> None:
    def pausing() -> Iterable[Sight]:
        for number in range(10):
            yield from [Sight("", done=False, moved=number)] * int(QUIET_SECONDS / 60)
        yield Sight("done", done=True, moved=10)

    assert waited(pausing())[1].endswith("done\n")


@pytest.mark.parametrize(
    "error",
    [
        ReadTimeoutError(endpoint_url="http://localhost:1/"),
        EndpointConnectionError(endpoint_url="http://localhost:1/"),
        URLError("no"),
        TimeoutError("no"),
        duckdb.IOException("IO Error: Timeout was reached error for HTTP GET to x"),
    ],
)
def test_where_nothing_answers_one_sentence_says_for_how_long_and_where_the_logs_stay(
    error: Exception, tmp_path: Path, logs: Path
) -> None:
    (tmp_path / "ministack.log").write_text("killed")
    with pytest.raises(StackError) as raised, answered(tmp_path):
        raise error
    text = str(raised.value)
    assert text.startswith(f"a program of the demo did not answer, though it may take 960 s: {error}\n")
    kept = Path(text.rpartition(": ")[2])
    assert (kept.parent, kept.read_text()) == (logs, "killed")


def test_what_is_no_lack_of_an_answer_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(duckdb.IOException), answered(tmp_path):
        raise duckdb.IOException("IO Error: No files found")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 3", "ministack, the emulator of AWS, ended before it answered, with 3. Its whole log: "),
        (
            "exec sleep 60",
            "ministack, the emulator of AWS, did not answer at http://localhost:1/_ministack/health within 0 s",
        ),
    ],
)
def test_an_emulator_that_does_not_start_says_what_was_waited_for_and_where_its_log_stays(
    script: str, said: str, tmp_path: Path, logs: Path
) -> None:
    log = tmp_path / "ministack.log"
    log.write_text("one\ntwo\n")
    process = subprocess.Popen(["/bin/sh", "-c", script], start_new_session=True)
    if script.startswith("exit"):
        process.wait()
    with pytest.raises(StackError) as raised:
        wait_until_ready(process, "http://localhost:1", log, 0.2)
    stop(process)
    assert str(raised.value).startswith(said)
    assert str(raised.value).endswith(f"{logs / 'ministack.log'}; the end of it:\none\ntwo")


@pytest.mark.parametrize("change", [{"attempt": 2}, {"rows": 6}, {"failures": 1}, {"due_at": "2026-11-23T14:00:00Z"}])
def test_every_change_in_the_ledger_is_a_move(change: dict[str, Any]) -> None:
    before, after = sealed(0), sealed(0, **change)
    assert items([Standing(SOURCE, [before])]) == items([Standing(SOURCE, [sealed(0)])])
    assert items([Standing(SOURCE, [before])]) != items([Standing(SOURCE, [after])])


def test_the_source_that_has_failed_most_is_named() -> None:
    other = DemoSource("dsa", "edge", {})
    failing = planned(1, failures=3, error="out of reach: HTTP 503")
    source, why = stuck([Standing(SOURCE, [sealed(0), planned(1)]), Standing(other, [planned(0), failing])], NOW)
    assert source == other
    assert why == f"window {failing.key} is still to be visited: failed 3 times, out of reach: HTTP 503"
    assert stuck([Standing(SOURCE, [planned(1)])], NOW)[1].endswith("is still to be visited")


def line(message: str, source: str = "", **more: object) -> str:
    common = {"level": "ERROR", "location": "log:30", "message": message, "timestamp": "2026-11-27 05:40:53,812+0000"}
    about = {"source": source} if source else {}
    return json.dumps({**common, "service": "elsa", "request_id": "r", **about, **more}, separators=(",", ":"))


LOG = [
    "START RequestId: r Version: $LATEST",
    line("window.issue", "other", window="w"),
    line("source.failed", "checkout", error="no secret"),
    "END RequestId: r",
    '{"_aws":{"Timestamp":1}}',
    "REPORT RequestId: r\tDuration: 1 ms",
]


def test_a_failure_names_the_function_its_last_lines_about_the_source_and_the_file_of_its_log(tmp_path: Path) -> None:
    file = written("logarchive-elsa", LOG, tmp_path / "logs")
    assert file.read_text().splitlines() == LOG
    assert described("logarchive-elsa", LOG, file, "checkout") == [
        "   function logarchive-elsa, the last lines of its log:",
        "     05:40:53 ERROR source.failed source=checkout error=no secret",
        f"   its whole log: {file}",
    ]


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        ([], "   function f: no log yet"),
        (
            ["Traceback (most recent call last):", "ImportError: " + "x" * 200],
            "     Traceback (most recent call last):",
        ),
        ([line("tick.unfinished", left=2)], "     05:40:53 ERROR tick.unfinished left=2"),
        ([line("window.issue", "other")], "     05:40:53 ERROR window.issue source=other"),
    ],
)
def test_lines_about_no_source_are_shown_and_those_about_others_where_there_is_nothing_else(
    lines: list[str], shown: str
) -> None:
    printed = described("f", lines, Path("log"), "checkout")
    assert shown in printed
    assert max(map(len, printed)) <= WIDTH


@dataclass(frozen=True)
class Failing(Account):
    """An account in which the visits of one window fail, and have failed before."""

    def windows(self, source: DemoSource) -> list[Window]:
        return [sealed(0), planned(1, failures=2, error="out of reach: HTTP 503")]

    def log(self, provider: str) -> list[str]:
        return LOG


class Silent(Providers):
    def count(self) -> int:
        return 7


def test_a_function_that_gets_no_further_is_named_with_its_source_its_window_and_its_log(tmp_path: Path) -> None:
    clock = Clock()
    waiting = Waiting(Page(Terminal()), clock, clock.sleep)
    account = Failing(aws("http://localhost:1"), {"ElsaFunctionName": "logarchive-elsa"}, tmp_path)
    with pytest.raises(StackError) as error:
        Watch(waiting, account, Silent("http://localhost:1", 0), [SOURCE]).visits(lambda _standings, _until: "")
    assert str(error.value).splitlines() == [
        "elsa/checkout: nothing has moved for 240 s",
        "   window 2026-11-23T11:00:00Z/PT1H is still to be visited: failed 2 times, out of reach: HTTP 503",
        "   function logarchive-elsa, the last lines of its log:",
        "     05:40:53 ERROR source.failed source=checkout error=no secret",
        f"   its whole log: {tmp_path / 'logarchive-elsa.log'}",
    ]
    assert clock.now == QUIET_SECONDS


def test_what_fails_beside_the_first_tick_ends_the_waiting_for_it(tmp_path: Path) -> None:
    failed: Future[object] = Future()
    failed.set_exception(StackError("elsa: no module named app"))
    watch = Watch(Waiting(Page(Terminal())), Failing(aws("http://localhost:1"), {}), Silent("", 0), [SOURCE])
    with pytest.raises(StackError, match="no module named app"):
        watch.tick(NOW, [failed])


def test_a_line_that_is_no_json_of_ours_is_left_as_it_is() -> None:
    assert [brief(text) for text in ("[1]", '{"a": 1}', "x")] == ["[1]", '{"a": 1}', "x"]
