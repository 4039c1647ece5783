"""The monthly report: the page on which an auditor signs what of a month was archived, and what was not. Pure."""

import datetime as dt
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal

import orjson

from logarchive.coverage.document import filled, resource
from logarchive.coverage.gap import Cell, Expected, Gap, Leaf, gaps_of, promised_of, soonest_loss_first
from logarchive.coverage.model import Totals, totals_of
from logarchive.ledger.entry import Head
from logarchive.moment import HOUR
from logarchive.window import Span

type Language = Literal["en", "ko"]

#: The most gaps that a report lists.
MOST_GAPS = 200
_ZERO = dt.timedelta(0)


@dataclass(frozen=True)
class SourceMonth:
    """What became of one source's month."""

    name: str
    #: The time of the month for which it must have windows, and how much of it is in sealed ones.
    promised: Span
    sealed: dt.timedelta
    totals: Totals
    shrunk: int
    unfinished: int
    gaps: Sequence[Gap]


@dataclass(frozen=True)
class Month:
    """What a report says."""

    #: The bucket's name.
    archive: str
    span: Span
    read_at: dt.datetime
    sources: Sequence[SourceMonth]
    unread: Sequence[str] = ()
    checkpoint: str = ""
    #: Sources that cannot be used, and why: nothing is archived of them.
    invalid: Mapping[str, str] = field(default_factory=dict[str, str])
    #: That of the month, and of the times in the report.
    zone: dt.timezone = dt.UTC

    @property
    def name(self) -> str:
        """The month, `2026-11`."""
        return f"{self.span.start.astimezone(self.zone):%Y-%m}"


def source_month(name: str, head: Head | None, leaves: Sequence[Leaf], month: Span, now: dt.datetime) -> SourceMonth:
    """Sum up a source's month; `leaves` are those that overlap it.

    What is counted in a window belongs to the month of its start; the month is final only when all of them are.
    """
    promised = promised_of(head, leaves, month) or Span(month.start, month.start)
    inside = [leaf for leaf in leaves if leaf.window.start >= month.start]
    sealed = (_overlap(leaf.window, promised) for leaf in leaves if leaf.entry.state == "sealed")
    return SourceMonth(
        name=name,
        promised=promised,
        sealed=sum(sealed, _ZERO),
        totals=totals_of(inside),
        shrunk=sum(leaf.entry.issue == "shrunk" for leaf in inside),
        unfinished=sum(not leaf.entry.finished for leaf in leaves),
        gaps=gaps_of(name, promised, leaves, Expected(min(month.end, now))) if head else (),
    )


def _overlap(one: Span, other: Span) -> dt.timedelta:
    return max(_ZERO, min(one.end, other.end) - max(one.start, other.start))


def reasons(month: Month, language: Language) -> list[str]:
    """Return why a report may still change by itself."""
    texts: Any = _texts(language)["reasons"]
    found: list[str] = []
    if month.read_at < month.span.end:
        found.append(texts["month"])
    if month.unread:
        found.append(texts["unread"].format(names=", ".join(month.unread)))
    unfinished = [source for source in month.sources if source.unfinished]
    if count := sum(source.unfinished for source in unfinished):
        names = ", ".join(source.name for source in unfinished)
        found.append(texts["open"].format(n=f"{count:,}", names=names))
    return found


def _texts(language: Language) -> Any:  # noqa: ANN401 (JSON)
    return orjson.loads(resource("report.json"))[language]


def report(month: Month, language: Language) -> bytes:
    """Return the report."""
    texts = _texts(language)
    body = "\n".join(
        [
            f"<h1>{escape(texts['title'])}</h1>",
            *_head(month, texts, reasons(month, language)),
            *_sources(month, texts),
            *_gaps(month, texts),
            *_invalid(month.invalid, texts),
            *_forms(month, texts),
        ]
    )
    return filled("report", language=language, title=f"{texts['title']} {month.name}", body=body)


def _head(month: Month, texts: Any, why: Sequence[str]) -> Iterable[str]:  # noqa: ANN401 (JSON)
    begin, end = (f"{moment.astimezone(month.zone):%Y-%m-%d %H:%M}" for moment in (month.span.start, month.span.end))
    facts = [
        (texts["month"], f"{month.name} ({texts['range'].format(start=begin, end=end)}, {month.zone})"),
        (texts["archive"], month.archive),
        (texts["read_at"], f"{month.read_at.astimezone(month.zone):%Y-%m-%d %H:%M} ({month.zone})"),
    ]
    yield _table([], facts, "form")
    yield _note(texts["times"].format(zone=month.zone))
    if why:
        items = "".join(f"<li>{escape(reason)}</li>" for reason in why)
        yield f'<div class="warning">{escape(texts["provisional"])}<ul>{items}</ul></div>'


def _sources(month: Month, texts: Any) -> Iterable[str]:  # noqa: ANN401 (JSON)
    sources, absent = month.sources, texts["not_applicable"]
    names = ("source", "time", "hours", "complete", "verified", "rows", "rejects", "late", "shrunk", "open", "closed")
    rows = [
        [source.name, _times(source.promised, month, texts), *_numbers([source], absent)]
        for source in sources
        if source.promised.length
    ]
    yield f"<h2>{escape(texts['sources'])}</h2>"
    if not rows:
        yield f"<p>{escape(texts['none'])}</p>"
        return
    yield _table(
        [texts[name] for name in names], [*rows, [texts["total"], "", *_numbers(sources, absent)]], "wide", numbers=2
    )
    yield _note(texts["sources_note"])


def _numbers(sources: Sequence[SourceMonth], absent: str) -> list[str]:
    totals = [source.totals for source in sources]
    promised = sum((source.promised.length for source in sources), _ZERO)
    sealed = sum((source.sealed for source in sources), _ZERO)
    counts = (
        sum(one.rows for one in totals),
        sum(one.rejects for one in totals),
        sum(one.late for one in totals),
        sum(source.shrunk for source in sources),
        sum(source.unfinished for source in sources),
        sum(one.closed for one in totals),
    )
    compared = [one for one in totals if one.comparable]
    verified = _percent(sum(one.verified for one in compared), sum(one.windows for one in compared), absent)
    hours = f"{promised / HOUR:,.2f}".removesuffix(".00")
    return [hours, _percent(sealed, promised, "-"), verified, *(f"{count:,}" for count in counts)]


def _percent[N: (int, dt.timedelta)](share: N, of: N, absent: str) -> str:
    """Return a share in percent, rounded down: only what is whole is 100 %; of nothing, `absent`."""
    return f"{10_000 * share // of / 100:g} %" if of else absent


def _gaps(month: Month, texts: Any) -> Iterable[str]:  # noqa: ANN401 (JSON)
    found = soonest_loss_first(gap for source in month.sources for gap in source.gaps)
    yield f"<h2>{escape(texts['gaps'])}</h2>"
    if not found:
        yield f"<p>{escape(texts['no_gaps'])}</p>"
        return
    heads = [texts[name] for name in ("source", "time", "windows", "state", "reason", "measure")]
    yield _table(heads, [_gap(gap, month, texts) for gap in found[:MOST_GAPS]], "wide gaps")
    if left := len(found[MOST_GAPS:]):
        yield _note(texts["gaps_left"].format(n=f"{left:,}"))


def _invalid(invalid: Mapping[str, str], texts: Any) -> Iterable[str]:  # noqa: ANN401 (JSON)
    """Yield the sources that cannot be used: what the ledger has never held has no gap."""
    if invalid:
        yield f'<p class="warning">{escape(texts["invalid"])}</p>'
        heads = [texts[name] for name in ("source", "reason", "measure")]
        yield _table(heads, [[name, why, ""] for name, why in invalid.items()], "wide gaps")


def _gap(gap: Gap, month: Month, texts: Any) -> list[str]:  # noqa: ANN401 (JSON)
    if gap.cell == Cell.MISSING and gap.error:
        said = texts["stalled"]
    else:
        reason = texts["issues"][gap.issue or ""]
        said = f"{reason} ({gap.error})" if gap.error else reason
    return [
        gap.source,
        _times(gap.span, month, texts),
        f"{gap.windows:,}",
        texts["cells"][str(gap.cell.value)],
        said,
        "",
    ]


def _times(span: Span, month: Month, texts: Any) -> str:  # noqa: ANN401 (JSON)
    """Write a time of the month; a moment does not break at its hyphen, nor at its space."""
    start, end = (f"{moment.astimezone(month.zone):%m\u2011%d\u00a0%H:%M}" for moment in (span.start, span.end))
    text: str = texts["range"].format(start=start, end=end)
    return text


def _forms(month: Month, texts: Any) -> Iterable[str]:  # noqa: ANN401 (JSON)
    """Yield what people fill in, and what they need for it."""
    yield f"<h2>{escape(texts['access'])}</h2>"
    yield f"<p>{escape(texts['access_note'])}</p>"
    yield _table(texts["access_heads"], [[""] * 4] * 3, "signs")
    yield f"<h2>{escape(texts['integrity'])}</h2>"
    yield f"<p>{escape(texts['checkpoint'])}</p>"
    yield f"<pre>{escape(month.checkpoint or texts['no_checkpoint'])}</pre>"
    yield _table([], [[texts["verified_on"], ""]], "form")
    yield f"<h2>{escape(texts['duties'])}</h2>"
    yield _table(texts["duty_heads"], texts["duties_rows"], "wide")
    yield _note(texts["duties_note"])
    yield f'<div class="together"><h2>{escape(texts["result"])}</h2>'
    yield _table([], [[name, ""] for name in texts["result_rows"]], "form tall")
    yield _table(texts["sign_heads"], [[name, "", "", ""] for name in texts["sign_rows"]], "signs")
    yield "</div>"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], kind: str, *, numbers: int = sys.maxsize) -> str:
    """Return a table; the cells from the one at `numbers` on are numbers, empty ones leave room to write in."""
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    lines = ("".join(_cell(text, at, numeric=at >= numbers) for at, text in enumerate(row)) for row in rows)
    body = "".join(f"<tr>{line}</tr>\n" for line in lines)
    return f'<table class="{kind}">{f"<thead><tr>{head}</tr></thead>" if heads else ""}<tbody>{body}</tbody></table>'


def _cell(text: str, at: int, *, numeric: bool) -> str:
    if at == 0 and text:
        return f'<th scope="row">{escape(text)}</th>'
    kind = ' class="blank"' if not text else ' class="number"' if numeric else ""
    return f"<td{kind}>{escape(text)}</td>"


def _note(text: str) -> str:
    return f'<p class="note">{escape(text)}</p>'
