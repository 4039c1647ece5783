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

from functions.elsa.app import provider as elsa
from logarchive.action.handler import act
from logarchive.ledger.entry import Entry
from logarchive.ledger.head import head_of
from logarchive.moment import instant
from logarchive.store.place import Place
from tests.replayed import NEWER, history
from tests.scenario import HOUR, MINUTE, START, Killed, Scenario, read_rows
from tests.soak.world import HOURS, SOURCES, Faults, SoakS3, SoakTable, badly_served, records
from tests.turn import Turn

STEPS = 400
END = START + HOURS * HOUR


class ViolationError(AssertionError):
    """A promise was broken; the message says which, by which seed."""


class Play(Scenario):
    """One seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.faults = Faults(random.Random(seed + 1))
        table, s3 = SoakTable(), SoakS3()
        table.faults = s3.faults = self.faults
        self.worlds = {name: records(self.random, name) for name in SOURCES}
        self.documents = {name: self._source(name) for name in SOURCES}
        super().__init__([], table, s3, now=END + 10 * MINUTE, sources=self.documents, gate=self._wait)
        self.turns: dict[int, Turn] = {}
        self.by_thread: dict[int, Turn] = {}
        self.names = itertools.count()
        self.trail: list[str] = []
        #: Split windows, with the number of writes to the bucket before.
        self.split: dict[tuple[str, str], int] = {}
        self.checked: dict[tuple[str, str], Any] = {}
        #: Of each source the head's `reopened`, up to when all is finished, and the windows before that.
        self.past: dict[str, tuple[int, dt.datetime, list[Entry]]] = {}

    def run(self) -> None:
        """Play at random, then let all go well until every window is finished, and compare."""
        try:
            for _ in range(STEPS):
                self._step()
                self._check_ledger()
        finally:
            for turn in self.turns.values():
                while not turn.done:  # what it does on its way out waits too
                    turn.step(stop=True)
            self.turns.clear()
        self._settle()
        self._compare()
        self._replay()
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
            self.documents[self.random.choice(SOURCES)].update(self._change())
            self.provider = self.random.choice((elsa, NEWER))  # another version is deployed
        else:
            key = self.random.choice(ready)
            self.turns[key].step()
            if self.turns[key].done:
                self._judge(self.turns.pop(key))

    def _event(self) -> dict[str, Any]:
        event: dict[str, Any]
        if self.dispatched and self.random.random() < 0.7:
            event = self.random.choice(self.dispatched)  # at times delivered twice, at times never
            if self.random.random() < 0.8:
                self.dispatched.remove(event)
            return event
        roll = self.random.random()
        if roll < 0.6:
            return {"action": "tick", "inline": self.random.random() < 0.5}
        if roll < 0.8:
            return {"action": "work", "source": self.random.choice(SOURCES)}
        first = self.random.randrange(HOURS)
        last = self.random.randrange(first + 1, HOURS + 1)
        start, end = (instant(START + hour * HOUR) for hour in (first, last))
        event = {
            "source": self.random.choice(SOURCES),
            "start": start,
            "end": end,
            "inline": self.random.random() < 0.5,
        }
        if roll < 0.9:
            return {"action": "backfill", **event, "reopen": self.random.random() < 0.5}
        return {"action": "replay", **event, "outdated": self.random.random() < 0.3}

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
            thread = threading.get_ident()
            self.by_thread[thread] = turn
            try:
                turn.wait()
                act(self.archive(lambda: self.now + off), event)
            finally:
                # A later thread may get the same number, and be the one that collects what this one has left.
                del self.by_thread[thread]

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

    def _wait(self, _call: str, moment: str) -> None:
        """Wait, in an invocation's thread, before each call; the scheduler's own calls pass."""
        turn = self.by_thread.get(threading.get_ident())
        if turn and moment == "before":
            turn.wait()

    def _serve(self, request: httpx.Request, now: dt.datetime) -> httpx.Response:
        self._wait("api", "before")
        asked = json.loads(request.content)
        faults = self.faults.random if self.faults.on else None
        return badly_served(faults, self.worlds[asked["projectKey"]], asked, self.now)

    def _replay(self) -> None:
        """Replay everything: the windows are as before, but for what another mapping makes of their records."""
        before = {name: self._histories(name) for name in SOURCES}
        self.provider = NEWER
        for name in SOURCES:
            for _ in range(3):
                answer = self.act("replay", source=name, start=instant(START), end=instant(END + 40 * HOUR))
                self.act("work", source=name)
                if not any(entry.replay for entry in self.entries(name)) and "busy" not in str(answer):
                    break
                self.now += 20 * MINUTE  # for so long may a worker that was killed have the only slot, or a window
            if waiting := [entry.window_key for entry in self.entries(name) if entry.replay]:
                raise ViolationError(f"{name}: {waiting} still wait for a replay")
            if (after := self._histories(name)) != before[name]:
                raise ViolationError(f"{name}: a replay has made {after} of {before[name]}")
            if outdated := [entry.window_key for entry in self.entries(name) if entry.outdated(2)]:
                raise ViolationError(f"{name}: {outdated} were not replayed")

    def _histories(self, name: str) -> list[Any]:
        """Return what became of the windows of which nothing is to come."""
        return [history(entry) for entry in self.entries(name) if entry.window.end <= END]

    # --- what must hold ---

    def _check_ledger(self) -> None:
        """The leaves tile: none overlaps another; what is not finished is due some day."""
        if self.checked == self.table.items:
            return
        self.checked = dict(self.table.items)
        for name in SOURCES:
            entries = self.entries(name)
            for entry in entries:
                if entry.state == "split":
                    self.split.setdefault((name, entry.window.slug), self.s3.writes)
            leaves = sorted((entry for entry in entries if entry.state != "split"), key=lambda entry: entry.window)
            for left, right in itertools.pairwise(leaves):
                if left.window.end > right.window.start:
                    raise ViolationError(f"{name}: {left.window_key} overlaps {right.window_key}")
            for entry in leaves:
                if entry.finished != (entry.state in {"sealed", "closed"}):
                    raise ViolationError(f"{name}: {entry.window_key} is {entry.state} and due at {entry.due_at}")
            self._check_past(name, leaves)

    def _check_past(self, name: str, leaves: list[Entry]) -> None:
        """What `status` sums up of a source changes only when the head counts that."""
        head = head_of(item for (partition, _), item in self.table.items.items() if partition == f"elsa#{name}")
        if head is None:
            return
        if name in self.past and self.past[name][0] == head.reopened:
            _, before, windows = self.past[name]
            if [leaf for leaf in leaves if leaf.window.start < before] != windows:
                raise ViolationError(f"{name}: what was finished before {before} has changed, and nothing counts that")
        before = min([head.cursor, *(leaf.window.start for leaf in leaves if leaf.due_at)])
        self.past[name] = head.reopened, before, [leaf for leaf in leaves if leaf.window.start < before]

    def _settle(self) -> None:
        """Let the schedule fire without faults until every window is finished."""
        self.faults.on = False
        for document in self.documents.values():
            document["enabled"] = True
        for _ in range(60):
            self.tick()
            self._check_ledger()
            entries = [e for name in SOURCES for e in self.entries(name) if e.state != "split" and e.window.end <= END]
            if entries and all(entry.finished and not entry.replay for entry in entries):
                return
            self.now += 70 * MINUTE
        raise ViolationError("some window is never finished")

    def _compare(self) -> None:
        """Every record that a complete visit has seen stands in `logs` once; sealed windows say how many."""
        for name in SOURCES:
            rows, seen = self.rows(name), self._seen(name)
            lost = {body for body in seen if rows[body] < seen[body]}
            doubled = {body for body in rows if rows[body] > seen[body]}
            if lost or doubled:
                raise ViolationError(f"{name}: lost {sorted(lost)}, doubled {sorted(doubled)}")
            self._compare_numbers(name)
            self._compare_objects(name)
            told = sum(entry.numbers.rows for entry in self.entries(name) if entry.state != "split")
            if told != sum(rows.values()):
                raise ViolationError(f"{name}: the ledger tells of {told} rows, the bucket holds {sum(rows.values())}")

    def _compare_numbers(self, name: str) -> None:
        """The numbers of each window are those of its newest good visit; `kept` are the rows that it lacks."""
        for entry in self.entries(name):
            if entry.visits:
                manifest = self.s3.objects[Place("elsa", name, entry.window).manifest(entry.visits[-1])]
                newest = json.loads(manifest.body)["numbers"]
                fetched = entry.numbers.model_dump(include=set(newest))
                if newest != fetched | {"rows": entry.numbers.rows - entry.numbers.kept}:
                    raise ViolationError(f"{name}: {entry.window_key} has {entry.numbers}, its newest visit {newest}")

    def _compare_objects(self, name: str) -> None:
        """The ledger knows each object; its rows are of the mapping that the ledger says."""
        for entry in self.entries(name):
            stored = self.s3.objects[entry.object.key] if entry.object else None
            if stored and entry.object and stored.etag != entry.object.etag:
                raise ViolationError(f"{name}: {entry.window_key} has another object than the ledger says")
            if stored and entry.mapping == NEWER.mapping_version and None in map(_event_name, read_rows(stored.body)):
                raise ViolationError(f"{name}: {entry.window_key} has rows of an older mapping than the ledger says")

    def _seen(self, name: str) -> Counter[str]:
        """Count each body as often as one complete visit has seen it at most.

        What a worker stored after its window was split, long after its lease, is in `raw/` only, and not counted.
        """
        most: Counter[str] = Counter()
        for key, stored in self.s3.objects.items():
            if key.endswith("/manifest.json") and f"/source={name}/" in key:
                window = key.split("/")[-3]
                if int(stored.version[1:]) <= self.split.get((name, window), self.s3.writes):
                    most |= self.visit(json.loads(stored.body))
        return most


def _event_name(row: dict[str, Any]) -> object:
    return row["event_name"]


def play(seed: int) -> None:
    """Play a seed. Raises ViolationError, which names the seed and what happened in it."""
    game = Play(seed)
    try:
        game.run()
    except BaseException as error:
        raise ViolationError(f"seed {seed}: {error!r}\n{game.trail}\n{game.faults.trail}") from error
