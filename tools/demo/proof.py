"""The proof: compares the archive with the provider's records, traces every row to its raw record, hashes every part.

It shares no code with the archive (`tests/truth`). Several processes work on it, a few windows at a time.
"""

import datetime as dt
import gc
import signal
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import batched
from multiprocessing import get_context
from os import process_cpu_count

from tests.truth import Findings, Window, check_raw, compare, lead_back, over_http
from tools.demo.account import Account
from tools.demo.world import SECRETS, DemoSource

#: How many windows a task has.
BATCH = 6


@dataclass(frozen=True)
class Task:
    """Some windows of one source that follow each other, and where the one before them ended."""

    source: DemoSource
    windows: Sequence[Window]
    start: dt.datetime


@dataclass(frozen=True)
class Proof:
    """The findings for one source."""

    source: DemoSource
    truth: Findings
    way_back: Findings
    raw: Findings

    @property
    def differences(self) -> list[str]:
        """Every difference, in words."""
        return [str(one) for findings in (self.truth, self.way_back, self.raw) for one in findings.differences]


def tasks(source: DemoSource, windows: Sequence[Window]) -> Iterator[Task]:
    """Cut a source's windows into tasks; each begins where the one before ended, so that no gap is overlooked."""
    start = windows[0].start
    for batch in batched(windows, BATCH, strict=False):
        yield Task(source, batch, start)
        start = batch[-1].end


@contextmanager
def proving(account: Account, url: str, all_tasks: Sequence[Task]) -> Generator[Iterator[Proof]]:
    """Start all tasks; yield an iterator over their findings."""
    with get_context("spawn").Pool(process_cpu_count() or 1, _prepare) as pool:
        yield pool.imap_unordered(partial(_prove, account, url), all_tasks)


def _prepare() -> None:
    """Leave Ctrl-C to the parent process; rows make no reference cycles, so garbage collection is off."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()


def _prove(account: Account, url: str, task: Task) -> Proof:
    place, bucket = task.source.place, account.bucket
    secrets = [
        value for secret in SECRETS.values() for name, value in secret.items() if name in {"secret_key", "license"}
    ]
    truth = compare(bucket, place, task.windows, over_http(url), task.start, task.windows[-1].end, task.source.hosts)
    return Proof(
        task.source, truth, lead_back(bucket, place, task.windows), check_raw(bucket, place, task.windows, secrets)
    )


def total(source: DemoSource, proofs: Sequence[Proof]) -> Proof:
    """Sum up the findings for one source."""
    whole = Proof(source, Findings(), Findings(), Findings())
    for proof in proofs:
        if proof.source.path == source.path:
            for into, findings in (
                (whole.truth, proof.truth),
                (whole.way_back, proof.way_back),
                (whole.raw, proof.raw),
            ):
                into.counts.update(findings.counts)
                into.differences.extend(findings.differences)
    return whole
