"""A checkpoint that was kept is read from the mail that it came in, however that was saved."""

import datetime as dt
import re
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest

from logarchive.proof.notice import News, SourceNews, subject, text
from tests.verifier.archive import ORIGIN, Archive

NOW = dt.datetime(2026, 11, 20, 3, tzinfo=dt.UTC)


def mail(transfer: str) -> Callable[[str], bytes]:
    def sent(notice: str) -> bytes:
        message = EmailMessage()
        message["Subject"] = subject(News(None, NOW, {}))
        message.set_content(notice, cte=transfer)
        return message.as_bytes()

    return sent


WAYS: dict[str, Callable[[str], bytes]] = {
    "as text": str.encode,
    "as text of Windows": lambda notice: notice.replace("\n", "\r\n").encode(),
    "its last lines, in UTF-8 with a mark": lambda notice: notice[notice.index(f"{ORIGIN}\n") :].encode("utf-8-sig"),
    "as text of Windows, in UTF-16": lambda notice: notice.encode("utf-16"),
    "as text in a code page without the dash": lambda notice: notice.encode("cp949", errors="replace"),
    "quoted in an answer": lambda notice: "\n".join(f"> {line}" for line in notice.split("\n")).encode(),
    "as sent, in quoted-printable": mail("quoted-printable"),
    "as sent, in base64": mail("base64"),
}


@pytest.fixture
def notice(short: Archive) -> str:
    note = (short.root / short.keys("proof/checkpoints/")[0]).read_bytes()
    return text(News(None, NOW, {"elsa/shop": SourceNews()}), note)


def verified(archive: Archive, folder: Path, body: bytes) -> tuple[int, int]:
    """Return the exit code, and how many checkpoints were checked."""
    (folder / "mail").write_bytes(body)
    outcome = archive.verify("--since", str(folder / "mail"))
    assert not [note for note in outcome.report.get("notes", []) if "no earlier checkpoint" in note]
    return outcome.code, outcome.report.get("checked", {}).get("checkpoints", 0)


@pytest.mark.parametrize("way", WAYS)
def test_a_notice_is_a_checkpoint_that_was_kept(short: Archive, notice: str, tmp_path: Path, way: str) -> None:
    assert verified(short, tmp_path, WAYS[way](notice)) == (0, short.verify().report["checked"]["checkpoints"] + 1)


@pytest.mark.parametrize("way", WAYS)
def test_a_notice_whose_checkpoint_was_changed_proves_nothing(
    short: Archive, notice: str, tmp_path: Path, way: str
) -> None:
    changed = re.sub(rf"(?<={short.origin}\n)\d+", "1", notice)
    assert verified(short, tmp_path, WAYS[way](changed)) == (2, 0)


@pytest.mark.parametrize("body", [b"", b"Content-Type: text/plain; charset=klingon\n\nhello", b"\xff\xfe" * 100])
def test_a_file_without_a_checkpoint_is_none(short: Archive, tmp_path: Path, body: bytes) -> None:
    assert verified(short, tmp_path, body) == (2, 0)
