import datetime as dt
from collections import Counter
from pathlib import Path

import orjson
import pytest

from logarchive.proof.checkpoint import Checkpoint, VerifierKey, note
from logarchive.proof.notice import MOST_LINES, News, SourceNews, news_of, subject, text

GOLDEN = Path(__file__).parents[1] / "fixtures" / "proof" / "notice.txt"
NOW = dt.datetime(2026, 11, 26, 0, 10, tzinfo=dt.UTC)
KEY = VerifierKey("logarchive-archivebucket-1a2b3c/proof", bytes(range(32)))
CHECKPOINT = Checkpoint(KEY.name, 70_000, bytes(range(32)))
NOTE = note(CHECKPOINT, KEY.line(bytes(64)))
#: SNS takes this much.
MOST_BYTES = 262_144


def entry(source: str, hour: int, state: str, rows: int = 0, issue: str | None = None) -> bytes:
    window = f"2026-11-25T{hour:02}:00:00Z/PT1H"
    numbers = {"rows": rows}
    return orjson.dumps(
        {"entry": "window", "provider": "elsa", "source": source, "window": window, "state": state, "issue": issue}
        | {"numbers": numbers}
    )


def test_a_notice_is_as_it_was_reviewed() -> None:
    sources = news_of(
        [entry("checkout", hour, "sealed", 50_143) for hour in range(24)]
        + [entry("search", hour, "sealed", 10) for hour in range(3)]
        + [entry("search", 3, "closed", 7, "expired")]
    )
    sources["elsa/checkout"].open = Counter({None: 25})
    sources["elsa/search"].open = Counter({"throttled": 1, None: 22, "forbidden": 2})
    sources["dsa/edge"] = SourceNews()
    holding = {"forbidden elsa/search": NOW - dt.timedelta(hours=9), "expired elsa/search": NOW}
    notice = text(News(NOW - dt.timedelta(days=1), NOW, sources, holding), NOTE)
    assert notice == GOLDEN.read_text()


def test_the_newest_entry_of_a_window_counts_and_only_sealed_windows_have_rows() -> None:
    entries = [entry("a", 0, "archived", 5), entry("a", 0, "sealed", 6), entry("a", 1, "archived", 100)]
    news = news_of([*entries, entry("a", 2, "closed", 1, "expired")])["elsa/a"]
    assert (news.count("sealed"), news.rows, news.closed) == (1, 6, {"expired": 1})


def test_a_source_that_has_only_begun_has_a_line() -> None:
    line = orjson.dumps({"entry": "source", "provider": "elsa", "source": "a", "feed": "f", "begin": "x"})
    assert "elsa/a: 0 sealed with 0 rows; none open" in text(News(None, NOW, news_of([line])), NOTE)


def test_the_notice_of_an_empty_archive_says_so_and_has_the_checkpoint() -> None:
    notice = text(News(None, NOW, {}), NOTE)
    assert "There is no source yet." in notice
    assert NOTE.decode() in notice


def test_a_checkpoint_without_a_signature_is_said_to_have_none() -> None:
    assert "has no key" in text(News(None, NOW, {}), note(CHECKPOINT))
    assert "has no key" not in text(News(None, NOW, {}), NOTE)


def test_a_notice_of_very_many_sources_is_short_and_names_those_with_an_issue() -> None:
    sources = {f"elsa/{number:04}-{'x' * 500}": SourceNews(open=Counter({None: 20})) for number in range(5000)}
    sources["elsa/zz"] = SourceNews(open=Counter({"y" * 10_000: 1}))
    holding = dict.fromkeys((f"behind {name}" for name in sources), NOW)
    notice = text(News(None, NOW, sources, holding, unread=7, uncounted=9), NOTE)
    assert f"and {5001 - MOST_LINES:,} more / " in notice
    assert len(notice.encode()) < MOST_BYTES / 8
    assert "elsa/zz: 0 sealed with 0 rows; 1 open (yyy" in notice
    assert f"{5001 - MOST_LINES:,} more sources: 0 sealed with 0 rows; {(5001 - MOST_LINES) * 20:,} open" in notice
    assert "Not counted: 7 earlier entries" in notice
    assert "Not counted: the open windows of 9 sources" in notice


@pytest.mark.parametrize("day", [dt.datetime(2026, 1, 1, tzinfo=dt.UTC), NOW])
def test_a_subject_is_one_short_line_of_ascii_as_sns_wants_it(day: dt.datetime) -> None:
    line = subject(News(None, day, {}))
    assert line.isascii()
    assert line.isprintable()
    assert len(line) < 100
