"""The coverage page: one HTML file that needs no network. Its data is JSON, which its script draws."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from logarchive.coverage.document import filled, json_text, resource
from logarchive.coverage.gap import Gap, soonest_loss_first
from logarchive.coverage.lateness import suggested_delay
from logarchive.coverage.model import Coverage, SourceCoverage
from logarchive.moment import SECOND, instant
from logarchive.window import Span

#: The most gaps that the page lists; of the others it says how many there are.
MOST_GAPS = 500
MOST_CHARACTERS = 300


def page(coverage: Coverage) -> bytes:
    """Return the page."""
    found = soonest_loss_first(gap for source in coverage.sources for gap in source.gaps)
    data = {
        "archive": coverage.archive,
        "read_at": instant(coverage.read_at),
        "checkpoint": coverage.checkpoint,
        "unread": [[name, why[:MOST_CHARACTERS]] for name, why in coverage.unread],
        "invalid": [[name, why[:MOST_CHARACTERS]] for name, why in coverage.invalid.items()],
        "gaps": list(map(_gap, found[:MOST_GAPS])),
        "gaps_left": len(found[MOST_GAPS:]),
        "sources": list(map(_source, coverage.sources)),
    }
    return filled("page", data=json_text(data), texts=resource("page.json"))


def runs(values: Iterable[int]) -> str:
    """Write numbers as text, equal neighbours once: `0*24 7 9*2`."""
    pairs = ((value, sum(1 for _ in equal)) for value, equal in groupby(values))
    return " ".join(f"{value}*{count}" if count > 1 else str(value) for value, count in pairs)


def _source(source: SourceCoverage) -> dict[str, Any]:
    hours, delay = source.hours, suggested_delay(source.curve)
    return {
        "name": source.name,
        "planned": _span(source.planned) if source.planned else None,
        "first": f"{hours.first:%Y-%m-%d}",
        "totals": {**vars(source.totals), "compared": source.totals.windows if source.totals.comparable else 0},
        "cells": runs(hours.cells),
        "rows": runs(hours.rows),
        "rejects": runs(hours.rejects),
        "late": runs(hours.late),
        "bytes": runs(hours.day_bytes),
        "curve": [[one.age // SECOND, one.visits, one.rows, one.later] for one in source.curve],
        "delay": delay // SECOND if delay is not None else None,
    }


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "source": gap.source,
        "span": _span(gap.span),
        "cell": gap.cell.value,
        "windows": gap.windows,
        "issue": gap.issue,
        "error": gap.error and gap.error[:MOST_CHARACTERS],
        "lost_at": instant(gap.lost_at) if gap.lost_at else None,
    }


def _span(span: Span) -> Sequence[str]:
    return [instant(span.start), instant(span.end)]
