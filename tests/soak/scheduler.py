"""Plays one seed: invocations of two sources in a random order of their calls, with faults, kills and clocks that jump.

Each invocation is a thread that waits before every call until the scheduler lets it go on, so a seed plays the same
way each time. After every step the ledger is checked, at the end the archive is compared with what was seen.
"""

import datetime as dt
import itertools
import json
import random
import threading
from collections import Counter
from typing import Any

import httpx

from functions.elsa.app import provider
from logarchive.action.archive import Archive
from logarchive.action.handler import act
from logarchive.ledger.entry import Entry
from logarchive.moment import EPOCH, MILLISECOND, instant
from logarchive.runtime.invocation import Invocation
from logarchive.runtime.metric import Tally
from logarchive.runtime.source_loader import SourceLoader
from logarchive.store.bucket import Store
from logarchive.store.place import Place
from logarchive.window import Window
from tests.fake_aws import FakeSecrets, FakeSsm
from tests.scenario import START, read_rows, unzip
from tests.soak.world import HOUR, HOURS, MINUTE, SOURCES, Faults, Killed, SoakS3, SoakTable, records, served
from tests.turn import Turn

TIMEOUT = 15 * MINUTE
STEPS = 400
END = START + HOURS * HOUR


class ViolationError(AssertionError):
    """A promise was broken; the message says which, by which seed."""


class Play:
    """One seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.faults = Faults(random.Random(seed + 1))
        self.now = END + 10 * MINUTE
        self.table, self.s3 = SoakTable(), SoakS3()
        self.table.faults = self.s3.faults = self.faults
        self.table.gate = self.s3.gate = self._gate
        self.world = {name: records(self.random, name) for name in SOURCES}
        self.sources = {name: self._source(name) for name in SOURCES}
        self.turns: dict[int, Turn] = {}
        self.by_thread: dict[int, Turn] = {}
        self.waiting: list[dict[str, Any]] = []
        self.names = itertools.count()
        self.trail: list[str] = []
        #: Split windows, with the number of writes to the bucket before.
        self.split: dict[tuple[str, str], int] = {}
        self.checked: dict[tuple[str, str], Any] = {}

    def run(self) -> None:
        """Play at random, then let all go well until every window is finished, and compare."""
        try:
            for _ in range(STEPS):
                self._step()
                self._check_ledger()
        finally:
            for turn in self.turns.values():
                if not turn.done:
                    turn.step(stop=True)
            self.turns.clear()
        self._settle()
        self._compare()

    # --- random play ---

    def _step(self) -> None:
        ready = [key for key, turn in self.turns.items() if not turn.done]
        roll = self.random.random()
        if len(ready) < 6 and (not ready or roll < 0.06):
            self._start(self._event())
        elif roll < 0.12:
            self.now += self.random.choice((1, 5, 20, 70)) * MINUTE
        elif roll < 0.13:
            self.sources[self.random.choice(SOURCES)] |= self._change()
        else:
            key = self.random.choice(ready)
            self.turns[key].step()
            if self.turns[key].done:
                self._judge(self.turns.pop(key))

    def _event(self) -> dict[str, Any]:
        if self.waiting and self.random.random() < 0.7:
            event = self.random.choice(self.waiting)  # at times delivered twice, at times never
            if self.random.random() < 0.8:
                self.waiting.remove(event)
            return event
        roll = self.random.random()
        if roll < 0.6:
            return {"action": "tick", "inline": self.random.random() < 0.5}
        if roll < 0.8:
            return {"action": "work", "source": self.random.choice(SOURCES)}
        first = self.random.randrange(HOURS)
        last = self.random.randrange(first + 1, HOURS + 1)
        start, end = (instant(START + hour * HOUR) for hour in (first, last))
        event = {"action": "backfill", "source": self.random.choice(SOURCES), "start": start, "end": end}
        return event | {"inline": self.random.random() < 0.5, "reopen": self.random.random() < 0.5}

    def _source(self, name: str) -> dict[str, Any]:
        return {
            "secret": "la/ncloud/one",
            "project_key": name,
            "project_id": 1,
            "start": instant(START + self.random.randrange(3) * HOUR),
            "window": self.random.choice(("PT1H", "PT2H")),
            "revisit": ["PT1H", "PT4H"],
            "workers": self.random.randrange(1, 4),
        }

    def _change(self) -> dict[str, Any]:
        return self.random.choice(
            ({"window": "PT1H"}, {"window": "PT2H"}, {"enabled": False}, {"enabled": True}, {"start": instant(START)})
        )

    def _start(self, event: dict[str, Any]) -> None:
        off = self.random.choice((0, 0, 0, -7, 3)) * MINUTE
        key = next(self.names)

        def run() -> None:
            self.by_thread[threading.get_ident()] = turn
            turn.wait()
            act(self._archive(f"i{key}", off), event)

        turn = Turn(run)
        self.turns[key] = turn
        self.trail.append(f"{key} {json.dumps(event)}")
        turn.start()

    def _judge(self, turn: Turn) -> None:
        error = turn.error
        if error is None or isinstance(error, (Killed, MemoryError)):
            return
        if isinstance(error, (AssertionError, TypeError, KeyError, AttributeError)):
            raise error

    def _gate(self, _call: str, moment: str) -> None:
        """Wait, in an invocation's thread, before each call; the scheduler's own calls pass."""
        turn = self.by_thread.get(threading.get_ident())
        if turn and moment == "before":
            turn.wait()

    def _archive(self, name: str, off: dt.timedelta) -> Archive[Any, Any]:
        def clock() -> dt.datetime:
            return self.now + off

        invocation = Invocation(
            name=name,
            started=clock(),
            deadline=clock() + TIMEOUT,
            clock=clock,
            sleep=lambda _seconds: None,
            log=lambda event, **_keys: None,
            count=Tally(),
        )
        ssm = FakeSsm({f"/la/sources/elsa/{name}": json.dumps(source) for name, source in self.sources.items()})
        secrets = FakeSecrets({"la/ncloud/one": '{"access_key": "a", "secret_key": "s"}'})
        return Archive(
            provider=provider,
            table=self.table,  # type: ignore[arg-type] # drop-ins
            store=Store(self.s3, "bucket"),  # type: ignore[arg-type]
            source_loader=SourceLoader(provider, ssm, secrets, "/la/sources/elsa", "la", None),  # type: ignore[arg-type]
            dispatch=lambda event: self.waiting.append(dict(event)),
            invocation=invocation,
            transport=httpx.MockTransport(self._serve),
        )

    def _serve(self, request: httpx.Request) -> httpx.Response:
        self._gate("api", "before")
        asked = json.loads(request.content)
        return served(self.faults.random if self.faults.on else None, self.world[asked["projectKey"]], asked, self.now)

    # --- what must hold ---

    def _entries(self, name: str) -> list[Entry]:
        return [
            Entry.of_item(item)
            for (partition, sort), item in self.table.items.items()
            if partition == f"elsa#{name}" and not sort.startswith("#")
        ]

    def _check_ledger(self) -> None:
        """The leaves tile: none overlaps another; what is not finished is due some day."""
        if self.checked == self.table.items:
            return
        self.checked = dict(self.table.items)
        for name in SOURCES:
            entries = self._entries(name)
            for entry in entries:
                if entry.state == "split":
                    self.split.setdefault((name, entry.window.slug), self.s3.writes)
            leaves = sorted((entry for entry in entries if entry.state != "split"), key=lambda entry: entry.window)
            for left, right in itertools.pairwise(leaves):
                if left.window.end > right.window.start:
                    raise ViolationError(f"{name}: {left.window_key} overlaps {right.window_key}")
            for entry in leaves:
                if (entry.due_at is None) != (entry.state in {"sealed", "closed"}):
                    raise ViolationError(f"{name}: {entry.window_key} is {entry.state} and due at {entry.due_at}")

    def _settle(self) -> None:
        """Let the schedule fire without faults until every window is finished."""
        self.faults.on = False
        self.sources = {name: source | {"enabled": True} for name, source in self.sources.items()}
        for _ in range(60):
            act(self._archive(f"settle{next(self.names)}", dt.timedelta(0)), {"action": "tick", "inline": True})
            self._check_ledger()
            entries = [e for name in SOURCES for e in self._entries(name) if e.state != "split" and e.window.end <= END]
            if entries and all(entry.finished for entry in entries):
                return
            self.now += 70 * MINUTE
        raise ViolationError("some window is never finished")

    def _compare(self) -> None:
        """Every record that a complete visit has seen stands in `logs` once; sealed windows say how many."""
        for name in SOURCES:
            rows, seen = self._rows(name), self._seen(name)
            lost = {body for body in seen if rows[body] < seen[body]}
            doubled = {body for body in rows if rows[body] > seen[body]}
            if lost or doubled:
                raise ViolationError(f"{name}: lost {sorted(lost)}, doubled {sorted(doubled)}")
            self._compare_numbers(name)
            told = sum(entry.numbers.rows for entry in self._entries(name) if entry.state != "split")
            if told != sum(rows.values()):
                raise ViolationError(f"{name}: the ledger tells of {told} rows, the bucket holds {sum(rows.values())}")

    def _compare_numbers(self, name: str) -> None:
        """The numbers of each window are those of its newest good visit; `kept` are the rows that it lacks."""
        for entry in self._entries(name):
            if entry.visits:
                manifest = self.s3.objects[Place("elsa", name, entry.window).manifest(entry.visits[-1])]
                newest = json.loads(manifest.body)["numbers"]
                fetched = entry.numbers.model_dump(include=set(newest))
                if newest != fetched | {"rows": entry.numbers.rows - entry.numbers.kept}:
                    raise ViolationError(f"{name}: {entry.window_key} has {entry.numbers}, its newest visit {newest}")

    def _rows(self, name: str) -> Counter[str]:
        rows: Counter[str] = Counter()
        for key, stored in self.s3.objects.items():
            if key.startswith("logs/") and f"/{name}-" in key:
                rows.update(row["body"] for row in read_rows(stored.body))
        return rows

    def _seen(self, name: str) -> Counter[str]:
        """Count each body as often as one complete visit has seen it at most.

        What a worker stored after its window was split, long after its lease, is in `raw/` only, and not counted.
        """
        most: Counter[str] = Counter()
        for key, stored in self.s3.objects.items():
            if key.endswith("/manifest.json") and f"/source={name}/" in key:
                window = key.split("/")[-3]
                if int(stored.version[1:]) <= self.split.get((name, window), self.s3.writes):
                    most |= self._visited(json.loads(stored.body))
        return most

    def _visited(self, manifest: dict[str, Any]) -> Counter[str]:
        window = Window.parse(manifest["window"])
        bodies: Counter[str] = Counter()
        parts: list[dict[str, Any]] = manifest["parts"] if manifest["complete"] else []
        for part in parts:
            if part["role"] == "data":
                for record in json.loads(unzip(self.s3.objects[part["key"]].body)):
                    moment = EPOCH + record["logTime"] * MILLISECOND
                    bodies[record["body"]] += window.start <= moment < window.end
        return bodies


def play(seed: int) -> None:
    """Play a seed. Raises ViolationError, which names the seed and what happened in it."""
    game = Play(seed)
    try:
        game.run()
    except BaseException as error:
        raise ViolationError(f"seed {seed}: {error!r}\n{game.trail}\n{game.faults.trail}") from error
