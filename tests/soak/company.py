"""Records that a seed makes up, and a comparison: what becomes of one does not depend on its company.

A record is built together with others, alone in its block and, one in fifty, alone in its body; beside what is no
record; across the border of a block; and into an object that holds some of them, or all, already. Each time it must be
the same row or the same reject.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from random import Random
from typing import Any
from unittest import mock

import orjson

from logarchive.record.layout import JsonLayout
from logarchive.row.build import Built
from logarchive.vendor import tencent_log_line
from tests.unit import visit
from tests.unit.visit import END, START

type Body = Callable[[Sequence[bytes]], bytes]
type Row = dict[str, Any]

KEYS = ("a", "b", "a.b", "message", "level", "port", "user", "name", "", "a#2", "\\u0061", "\\ud800", "é", "가")
PLAIN_KEYS = ("message", "n", "user", "a.b", "port", "level", "é", "b", "a")
TEXTS = ("", "x", "INFO", "\\ud83d\\ude00", "\\udfff", "{", '\\"}', "},{", '\\":', "\\u00e9", "é", "\\/", "가나")
NUMBERS = (
    *("0", "-0", "0.0", "-0.0", "10", "1.10", "1.0", "1.5", "1E5", "1E22", "1e16", "1e400", "-1e-400", "NaN"),
    *("18446744073709551615", "18446744073709551616", "-9223372036854775809", "2147483648"),
)
SPACES = ("", "", "", " ", "\t ")
#: Elements of an array, or lines, that are no records of the hour.
NO_RECORDS = (b"17", b"null", b'"text"', b"[1]", b'{"a":1.10}', b'{"time":"yesterday"}', b'{"time":12345,"x":1.5}')

FIELDS = (
    "NULL",
    "-",
    "(null)",
    "7",
    "007",
    "1.5",
    "x",
    '"a b"',
    '"(null)"',
    "a b",
    'a"b',
    '"',
    "GET",
    "hit",
    "?",
    "\r",
)
HEAD = ("20261122130000", "192.0.2.1", "h.test", "/p?q=1", "5", "22", "2", "200", "NULL", "7")
TAILS = (
    *('"Mozilla (X11)" NULL GET HTTP/1.1 hit 80', "two words bytes=0-1, 5-9 GET HTTP/1.1 hit", '"x" "-" - - -', "a b"),
    *(
        '"Tab 10\\" Build/X1)" - GET HTTP/1.1 hit',
        '"" bytes=0-1, 5-9',
        "NULL NULL NULL NULL miss",
        'a "b" c "bytes=0-"',
    ),
)
NO_LINES = (b"bad", b'" never closed', b"\x00\xff", b"yesterday 192.0.2.1 h.test /p 5 22 2 200 NULL 7 a NULL")

#: What cuts a body into blocks.
MOST_ITEMS = ("block", "json_array", "json_document")
MOST_BYTES = ("json_array", "json_value", "json_document")


class Maker:
    """Makes up records: most of a few shapes with plain values, so that blocks are read fast, some with anything."""

    def __init__(self, random: Random) -> None:
        """Choose the shapes, and how many records hold anything: none to a third."""
        self._random = random
        self._odd = random.choice((0.0, 0.002, 0.02, 0.3))
        self._bad = random.choice((0.0, 0.002, 0.02))
        self._shapes = [random.sample(range(len(PLAIN_KEYS)), random.randrange(1, 6)) for _ in range(4)]

    def json_record(self) -> bytes:
        """Make up a JSON record of the hour, or now and then something that is none."""
        random = self._random
        if random.random() < self._bad:
            return random.choice(NO_RECORDS)
        time = random.randrange(START, END)
        if random.random() >= self._odd:
            return orjson.dumps(
                {"time": time, **{PLAIN_KEYS[at]: self._plain(at) for at in random.choice(self._shapes)}}
            )
        pairs = [self._pair(0) for _ in range(random.randrange(6))]
        written = random.choice((f"{time}",) * 8 + (f'"{time}"', f"{time}.0", f"{time * 1000 + 7}"))
        pairs.insert(random.randrange(len(pairs) + 1), f'"time":{written}')
        return self._object(pairs).encode()

    def detailed_record(self) -> bytes:
        """Make up a JSON record with a text that holds an object."""
        detail = self._object([self._pair(1) for _ in range(self._random.randrange(4))])
        return self.json_record().replace(b"{", b'{"detail":%b,' % json.dumps(detail).encode(), 1)

    def log_line(self) -> bytes:
        """Make up a line of Tencent's access log: plain, with an odd field, or none at all."""
        random = self._random
        if random.random() < self._bad:
            return random.choice(NO_LINES)
        head = list[str](HEAD)
        head[0] = f"2026112213{random.randrange(60):02}{random.randrange(60):02}"
        head[3] = f"/p{random.randrange(2000)}" + random.choice(("", "?", "?q=a", "?a=b?c"))
        tail = random.choice(TAILS)
        if random.random() < self._odd:
            head[random.randrange(len(head))] = random.choice(FIELDS)
        if random.random() < self._odd:
            tail = " ".join(random.choices(FIELDS, k=random.randrange(2, 7)))
        return " ".join([*head, tail]).encode()

    def _plain(self, at: int) -> Any:
        random = self._random
        if random.random() < 0.02:
            return random.choice((None, True, 1.5, -0.0, 1e16, "", "x", 7, [1, {"a": 2.5}], {}, {"b": "x"}))
        return (f"가{random.randrange(9)}", random.randrange(2**40), {"name": "n", "b": random.random()})[at % 3]

    def _value(self, depth: int) -> str:
        random = self._random
        kind = random.random()
        if kind < 0.12 and depth < 4:
            return self._object([self._pair(depth + 1) for _ in range(random.randrange(4))])
        if kind < 0.2 and depth < 4:
            return "[" + ",".join(self._value(depth + 1) for _ in range(random.randrange(3))) + "]"
        if kind < 0.5:
            return json.dumps(random.choice(TEXTS)) if kind < 0.3 else f'"{random.choice(TEXTS)}"'
        if kind < 0.7:
            return random.choice(NUMBERS)
        if kind < 0.8:
            return repr(random.uniform(-1e6, 1e6))
        return random.choice(("true", "false", "null", "{}", "[]", str(random.randrange(-(2**70), 2**70))))

    def _pair(self, depth: int) -> str:
        space = self._random.choice(SPACES)
        return f'"{self._random.choice(KEYS)}"{space}:{space}{self._value(depth)}'

    def _object(self, pairs: list[str]) -> str:
        space = self._random.choice(SPACES)
        return "{" + space + f"{space},{space}".join(pairs) + "}"


KINDS: dict[str, tuple[Callable[[Maker], bytes], Body, Any, Sequence[bytes]]] = {
    "array": (Maker.json_record, visit.array, visit.provider(), NO_RECORDS),
    "json lines": (Maker.json_record, visit.lines, visit.provider(), (*NO_RECORDS, b'{"time":', b"nope")),
    "document": (Maker.json_record, visit.wrapped, visit.provider(), NO_RECORDS),
    "embedded": (Maker.detailed_record, visit.array, visit.provider(JsonLayout(embedded=("detail",))), NO_RECORDS),
    "log lines": (
        Maker.log_line,
        visit.lines,
        visit.provider(tencent_log_line.LAYOUT, columns=tencent_log_line.columns("+00:00")),
        NO_LINES,
    ),
}


def compare(kind: str, seed: int, count: int) -> int:
    """Compare `count` records of one kind in every company.

    Returns:
        How many of them are rows.

    Raises:
        AssertionError: Something differs; it names the seed and the record.

    """
    record, layout, of, no_records = KINDS[kind]
    random = Random(seed)
    maker = Maker(random)
    records = [record(maker) for _ in range(count)]

    def build(texts: Sequence[bytes], existing: Built | None = None, name: str = "v1") -> Built:
        return visit.visit(layout(texts), of=of, existing=existing, name=name)

    def ensure(found: Any, wanted: Any, company: str) -> None:
        if found != wanted:
            different = [at for at in {*found, *wanted} if found.get(at) != wanted.get(at)]
            at = min(different, default=-1)
            shown = f"{records[at]!r}\n{found.get(at)}\n{wanted.get(at)}"
            raise AssertionError(f"{kind}, seed {seed}, {company}: {len(different)} differ, first {at}: {shown}")

    together = build(records)
    rows, rejects = _rows(together), _rejects(together)
    good = records[min(rows)]
    assert len(rows) + len(rejects) + together.numbers.outside == count, (kind, seed)

    for items in (1, random.randrange(2, 50)):
        with ExitStack() as small:
            for module in MOST_ITEMS:
                small.enter_context(mock.patch(f"logarchive.record.{module}.BLOCK_ITEMS", items))
            for module in MOST_BYTES:
                small.enter_context(mock.patch(f"logarchive.record.{module}.BLOCK_BYTES", 50 * items))
            cut = build(records)
        ensure(_rows(cut), rows, f"in blocks of {items}")
        ensure(_rejects(cut), rejects, f"in blocks of {items}, as a reject")

    for at in random.sample(range(count), count // 50):
        one = records[at]
        # A body is known as a log by its first record: a reject needs one before it.
        before = [] if at in rows else [good]
        alone = build([*before, one])
        ensure(_plain({at: _rows(alone).get(len(before))}), _plain({at: rows.get(at)}), "alone")
        ensure({at: _rejects(alone).get(len(before))}, {at: rejects.get(at)}, "alone, as a reject")

    mixed, place = [good], list[int]()
    for one in records:
        mixed += random.choices(no_records, k=random.randrange(3))
        place.append(len(mixed))
        mixed.append(one)
    back = {there: here for here, there in enumerate(place)}
    beside = build(mixed)
    found = {back[at]: row for at, row in _rows(beside).items() if at in back}
    ensure(_plain(found), _plain(rows), "beside what is no record")
    ensure(
        {back[at]: one for at, one in _rejects(beside).items() if at in back},
        rejects,
        "beside what is no record, as a reject",
    )

    chosen = sorted(random.sample(range(count), count // 2))
    half = [records[at] for at in chosen]
    after = build(records, existing=build(half), name="v2")
    ensure(_rows(after), rows, "after a merge into an object of half of them")
    merged = build(half, existing=together, name="v2")
    assert merged.object_rows == len(rows), (kind, seed)
    assert _values(merged) == _values(together), f"{kind}, seed {seed}: half merged into all of them"
    return len(rows)


def _rows(built: Built) -> dict[int, Row]:
    return {row["raw_index"]: row for row in visit.rows(built)}


def _rejects(built: Built) -> dict[int, Row]:
    return {one.pop("index"): one for one in visit.rejects(built)}


def _without_place(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "raw_index"}


def _plain(rows: Mapping[int, Row | None]) -> dict[int, Row | None]:
    """Return rows without their places, and with ids that do not count equal records."""
    return {at: row and {**_without_place(row), "record_id": row["record_id"][:32]} for at, row in rows.items()}


def _values(built: Built) -> Counter[str]:
    """Return all rows but for the raw records that they were made of, of which a merge keeps the newest."""
    return Counter(repr(_without_place({**row, "raw_part": None})) for row in visit.rows(built))
