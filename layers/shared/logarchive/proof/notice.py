"""The daily notice: what was archived and is open, what needs a person, and the newest checkpoint. Pure.

Whoever keeps a notice can show later that the log was not rewritten. It is read by people, in a mail: so it is short.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from logarchive.moment import instant

#: How many sources have a line of their own; those with an issue come first.
MOST_LINES = 50
#: How many open windows of a source are counted.
MOST_OPEN = 1000
#: A name or an issue that would make the notice too long is cut; a checkpoint is never.
MOST_CHARACTERS = 200

_HOLDING = """\
What needs a person (what each means, and what to do: docs/operations.md of the archive's program)
사람이 확인해야 하는 상태 (의미와 조치 방법: 아카이브 프로그램의 docs/operations.md)
"""
_NOTHING_HOLDS = """\
Nothing needs a person.
사람이 확인해야 하는 상태가 없습니다.
"""
_UNSIGNED = "This archive has no key: the checkpoint is not signed."
_HOW = """\
Keep this message. The checkpoint is the whole state of the archive's proof log: whoever has it can find out later
whether anything that was archived until now has been changed or removed. Save this message as a text file, and check
a copy of the archive's bucket with it:

python3 verify.py COPY --key KEY --since MESSAGE.txt

COPY is the folder with the copy, KEY the public key that you were given. More: docs/proof.md of the archive's program.

이 메일을 보관해 주십시오. 체크포인트는 지금까지의 증명 로그 전체를 나타내므로, 이 메일이 있으면 지금까지 보관된 기록이
나중에 변경되거나 삭제되었는지 확인할 수 있습니다. 메일을 텍스트 파일로 저장하고, 위의 명령으로 버킷의 사본을
검사하십시오. COPY는 사본이 있는 폴더, KEY는 미리 전달받은 공개 키입니다.
"""


@dataclass
class SourceNews:
    """What happened to one source since the last notice, and what is open now."""

    #: The window's key -> its state, issue and rows, as the newest entry says.
    windows: dict[str, tuple[str, str | None, int]] = field(default_factory=dict[str, tuple[str, str | None, int]])
    #: Issue, or None for a window that waits for its next visit -> how many windows are open with it.
    open: Counter[str | None] = field(default_factory=Counter[str | None])

    def take(self, entry: Mapping[str, Any]) -> None:
        """Take in an entry of a window; the newest one counts."""
        self.windows[entry["window"]] = entry["state"], entry["issue"], entry["numbers"]["rows"]

    @property
    def rows(self) -> int:
        """The rows of the windows that were sealed."""
        return sum(rows for state, _, rows in self.windows.values() if state == "sealed")

    def count(self, state: str) -> int:
        """Return how many windows came into a state."""
        return sum(state == became for became, _, _ in self.windows.values())

    @property
    def closed(self) -> Counter[str | None]:
        """Issue -> how many windows were closed with it."""
        return Counter(issue for state, issue, _ in self.windows.values() if state == "closed")

    @property
    def is_worrying(self) -> bool:
        """Whether a window was closed, or is open with an issue."""
        return bool(self.closed) or any(self.open)


@dataclass(frozen=True)
class News:
    """What a notice says."""

    since: dt.datetime | None
    now: dt.datetime
    #: `elsa/checkout` -> its news.
    sources: Mapping[str, SourceNews]
    #: `forbidden elsa/checkout` -> since when it needs a person.
    holding: Mapping[str, dt.datetime] = field(default_factory=dict[str, dt.datetime])
    #: Entries since the last notice that were too many to be read.
    unread: int = 0
    #: Sources whose open windows were not counted: time was short, or an item cannot be read.
    uncounted: int = 0


def news_of(entries: Iterable[bytes]) -> dict[str, SourceNews]:
    """Return what entries of the log say, by source."""
    sources: dict[str, SourceNews] = {}
    for line in entries:
        entry = orjson.loads(line)
        news = sources.setdefault(f"{entry['provider']}/{entry['source']}", SourceNews())
        if entry["entry"] == "window":
            news.take(entry)
    return sources


def subject(news: News) -> str:
    """Return the subject of a notice: what a mailbox is searched for."""
    return f"Log archive {news.now:%Y-%m-%d}: daily notice with checkpoint"


def text(news: News, note: bytes) -> str:
    """Return a notice; `note` is the newest checkpoint as it is stored."""
    worrying_first = sorted(news.sources.items(), key=lambda item: (not item[1].is_worrying, item[0]))
    shown, others = worrying_first[:MOST_LINES], worrying_first[MOST_LINES:]
    since = f"since {instant(news.since)}" if news.since else "so far"
    lines = [f"Windows sealed {since}, and those that are open at {instant(news.now)} (waiting: for a visit):", ""]
    lines += [f"{_cut(name)}: {_line(source)}" for name, source in shown] or ["There is no source yet."]
    if others:
        lines.append(f"{len(others):,} more sources: {_together([source for _, source in others])}")
    if news.unread:
        lines.append(f"Not counted: {news.unread:,} earlier entries of the log, which were too many.")
    if news.uncounted:
        lines.append(f"Not counted: the open windows of {news.uncounted:,} sources (no time, or not readable).")
    lines += ["", *_holding(news.holding)]
    lines += ["The newest checkpoint of the proof log:", "", note.decode()]
    lines += [_HOW] if b"\n\n\xe2\x80\x94 " in note else [_UNSIGNED, "", _HOW]
    return "\n".join(lines)


def _holding(holding: Mapping[str, dt.datetime]) -> list[str]:
    if not holding:
        return [_NOTHING_HOLDS]
    lines = [f"- {_cut(name)} (since {instant(since)})" for name, since in sorted(holding.items())]
    more = len(lines) - MOST_LINES
    rest = [f"- and {more:,} more / 그 밖에 {more:,}건"] if more > 0 else []
    return [_HOLDING, *lines[:MOST_LINES], *rest, ""]


def _line(source: SourceNews) -> str:
    sealed = f"{source.count('sealed'):,} sealed with {source.rows:,} rows"
    closed = f", {source.closed.total():,} closed ({_issues(source.closed)})" if source.closed else ""
    count = source.open.total()
    at_least = "at least " if count >= MOST_OPEN else ""
    still_open = f"{at_least}{count:,} open ({_issues(source.open)})" if count else "none open"
    return f"{sealed}{closed}; {still_open}"


def _together(sources: Sequence[SourceNews]) -> str:
    sealed, rows = sum(source.count("sealed") for source in sources), sum(source.rows for source in sources)
    still_open, worrying = sum(source.open.total() for source in sources), sum(source.is_worrying for source in sources)
    return f"{sealed:,} sealed with {rows:,} rows; {still_open:,} open; {worrying:,} of the sources have an issue"


def _issues(counts: Counter[str | None]) -> str:
    named = sorted((_cut(issue) if issue else "waiting", count) for issue, count in counts.items())
    return named[0][0] if len(named) == 1 else ", ".join(f"{count:,} {name}" for name, count in named)


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}..."
