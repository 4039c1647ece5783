"""A small demo that was kept: each command that `KEEP=1 make demo` prints works when it is pasted into a shell."""

import datetime as dt
import gc
import subprocess
import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from tests.integration.test_demo import processes
from tools.demo.account import Account
from tools.demo.around import Around
from tools.demo.kept import Kept
from tools.demo.providers import providers
from tools.demo.world import HOUR, SECRETS, hour, sources
from tools.stack import Afterwards, free_port, local_stack

#: How a command may end: all is fine; there is something to look at, as while a provider fails; `aws` is not installed.
ENDS = {0, 1, 127}


type Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Shell:
    """A shell in which the prepared lines were pasted, after another demo had been looked at."""

    around: Around

    def paste(self, command: str) -> Done:
        lines = ["export PORT=1", *self.around.prepared(), command]
        return subprocess.run(["bash", "-c", "\n".join(lines)], capture_output=True, text=True, check=False)


@contextmanager
def kept_demo() -> Generator[Shell]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # its processes outlive what has started them
        shell, kept = started()
        gc.collect()
    try:
        yield shell
    finally:
        kept.stop(print)


def started() -> tuple[Shell, Kept]:
    now, port, afterwards = dt.datetime.now(dt.UTC), free_port(), Afterwards()
    played_orders = {"switches": {"elsa": {"records_an_hour": 200}}}
    with (
        # No tick comes meanwhile.
        local_stack(port, afterwards=afterwards, ScheduleExpression="rate(15 minutes)") as stack,
        providers(stack.folder, played_orders, afterwards=afterwards) as played,
    ):
        account, (source, *_) = Account.of(stack), sources(played.url, now)
        for name, value in SECRETS.items():
            account.put_secret(name, value)
        begin = {"start": f"{hour(now) - 5 * HOUR:%Y-%m-%dT%H:%M:%SZ}"}
        account.put_source(replace(source, document=source.document | begin))
        account.invoke(source.provider, {"action": "tick", "inline": True})
        account.notarize()
        kept = Kept(port, played.url, stack.process_id, played.process_id, str(stack.folder))
        kept.note()
        afterwards.run_on = True
    return Shell(Around(port, stack.aws["endpoint_url"], stack.outputs, source, now)), kept


@pytest.mark.slow
def test_every_command_that_a_kept_demo_prints_works_and_the_last_one_ends_it() -> None:
    with kept_demo() as shell:
        groups = {
            what: {command: shell.paste(command) for command in commands} for what, commands in shell.around.groups()
        }
        done = {command: one for group in groups.values() for command, one in group.items()}
        assert {command: one.stderr for command, one in done.items() if one.returncode not in ENDS} == {}
        check_outage(next(group for what, group in groups.items() if "breaks down" in what))
        assert "elsa/second" in shell.paste("logarchive --demo sources").stdout
        assert processes(shell.around.port)
        assert shell.paste("demo stop").stdout.endswith("Nothing is left running.\n")
        assert processes(shell.around.port) == []


def check_outage(group: Mapping[str, Done]) -> None:
    """An hour that a broken provider did not return is a gap; once it is mended, the same command fetches it."""
    breaking, backfill, gaps, mending = group
    assert [group[command].returncode for command in (breaking, gaps, mending)] == [0, 1, 0]
    assert "not complete" in group[gaps].stdout
    assert group[backfill].returncode == 0  # it is in the group twice; this is the last one
