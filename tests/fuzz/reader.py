"""Readers of bodies: the fast one reads what the exact one reads, and a document is read whole or not at all."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from functions.apigateway.app import provider as apigateway
from functions.elsa.app import columns as elsa_columns
from logarchive.column.bounds import Bounds
from logarchive.column.line_group import LineGroups
from logarchive.column.mapping import ColumnMapping
from logarchive.column.record_frame import Frame, frame
from logarchive.errors import MalformedError, OutOfTimeError
from logarchive.record import csv_record, json_array, line_record
from logarchive.record.block import Bad, Block, Buffer
from logarchive.record.json_document import blocks, document
from logarchive.record.layout import JsonLayout
from logarchive.record.line_record import LineReader
from logarchive.record.unpack import members
from logarchive.vendor import tencent_log_line
from tests.truth.body import members as members_of_stdlib
from tests.truth.json_text import DECODER, Pairs
from tests.unit.visit import columns_of

TIME = "logTime"
ELSA = ColumnMapping(elsa_columns(None))  # type: ignore[arg-type] # it takes no source
EVENTS = ColumnMapping(apigateway.columns(apigateway.source.model_validate({"secret": "s"})))
LINES = ColumnMapping(tencent_log_line.columns("+08:00"))
#: So many chunks of a body are unpacked: more than an honest body of this size holds, and few enough to be quick.
MOST_CHUNKS = 200
WHITE = " \t\n\r"


def recognised(data: bytes) -> None:
    """Read JSON or CSV, whichever it is. An array is read whole if the standard library can read it, else not."""
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    try:
        count = _framed(blocks(iter([data]), JsonLayout(), TIME), ELSA)
    except MalformedError:
        assert not (_is_array(text) and _array(text) is not None)
        raise
    if _is_array(text):
        values = _array(text)
        assert values is not None
        assert len(values) == count


def document_at_path(data: bytes) -> None:
    """Read the records of a document whose place is known."""
    _framed(document(iter([data]), "events.content"), EVENTS)


def json_lines(data: bytes) -> None:
    """Read JSON lines: each line that is not blank is a record or a reject, as the standard library says."""
    items = [item for block in json_array.lines(Buffer(iter([data])), TIME) for item in _compared(block, ELSA).items]
    lines = [line for line in map(bytes.strip, data.split(b"\n")) if line]
    assert len(items) == len(lines)
    for line, item in zip(lines, items, strict=True):
        with suppress(RecursionError):
            assert isinstance(item, Bad) != _is_object(line) or (isinstance(item, Bad) and "deep" in item.reason)


def csv(data: bytes) -> None:
    """Read CSV with a header."""
    _framed(csv_record.blocks(Buffer(iter([data])), TIME), ELSA)


def log_lines(data: bytes) -> None:
    """Read log lines as columns, together and each alone; what is read so is what reading them one by one gives."""
    groups, reader = LineGroups(LINES, tencent_log_line.LAYOUT), LineReader(tencent_log_line.LAYOUT)
    for block in line_record.blocks(iter([data])):
        lines = [line for line in block if not line.isspace()]
        for some in (lines, lines * 2, *([line] for line in lines[:4])):
            assert _shown(groups.read(some)) == _shown(frame(reader.block(some), LINES, Bounds(None)))
        _framed([reader.block(lines)], LINES)


def unpack(data: bytes) -> None:
    """Unpack an archive. Where the standard library can unpack it too, both give the same."""
    left = iter(range(MOST_CHUNKS))

    def ensure_time() -> None:
        if next(left, None) is None:
            raise OutOfTimeError

    with TemporaryDirectory() as directory:
        path = Path(directory) / "body"
        path.write_bytes(data)
        ours = [b"".join(chunks) for chunks in members(path, ensure_time)]
    theirs: list[bytes] = []
    try:
        theirs += members_of_stdlib(data)
    except Exception:  # noqa: BLE001 (what it raises for what it cannot read is not documented)
        return
    assert ours == theirs


def _framed(read: Iterable[Block], mapping: ColumnMapping) -> int:
    return sum(len(_compared(block, mapping).items) for block in read)


def _compared(block: Block, mapping: ColumnMapping) -> Block:
    """Make columns of a block; if it was read fast, they are those of the exact reader."""
    made = _shown(frame(block, mapping, Bounds(None)))
    if block.reread is not None:
        assert made == _shown(frame(block.exactly(), mapping, Bounds(None)))
    return block


def _shown(made: Frame) -> str:
    """Show all of a frame. As text, NaN is equal to itself."""
    bad = [(at, reject.reason, bytes(reject.text)) for at, reject in made.bad]
    return repr((made.size, bad, list(made.positions), [*map(bytes, made.canonical)], columns_of(made)))


def _is_array(text: str) -> bool:
    return text.lstrip(WHITE)[:1] == "["


def _array(text: str) -> list[Any] | None:
    """Return the values of an array as the standard library reads it; None for what is no JSON, or nested deeply."""
    try:
        values: list[Any] = DECODER.decode(text)
    except (ValueError, RecursionError):
        return None
    return values


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(DECODER.decode(line.decode()), Pairs)
    except ValueError:
        return False
