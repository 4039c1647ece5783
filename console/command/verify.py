"""`logarchive verify`, `logarchive evidence`: a copy of the bucket is made, and the verifier works on it.

The verifier is a program of its own, for people who have no account: here it is only handed a copy and a key.
"""

import io
import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from console.account import proof
from console.account.copy import TOPS, copy, ensure_empty_or_copy
from console.command.argument import SOURCES, switch
from console.core.report import OK, Report
from console.failure import ConsoleError
from console.session import Session, session_of
from verifier import evidence as packs
from verifier import verify as verifier

#: What is copied if only the log is to be checked.
_LOG = ("proof/",)

COPY = Annotated[Path | None, typer.Option("--copy", help="Keep the copy in this folder, and update it next time.")]
KEY = Annotated[
    str | None, typer.Option(help="The public key that you were given, or a file with it; else the account's own.")
]
_OWN_KEY = (
    "The key is the one that the account has now. Whoever does not trust the account gives the key that they were "
    "given: --key"
)


def verify(  # noqa: PLR0913, PLR0917 (what the command line may say)
    context: typer.Context,
    copy_in: COPY = None,
    key: KEY = None,
    since: Annotated[list[str], typer.Option(metavar="FILE", help="A checkpoint that you kept; may be repeated.")] = [],  # noqa: B006 (Typer copies it)
    source: SOURCES = [],  # noqa: B006 (likewise)
    begin: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Only windows after it, in UTC unless it names a zone.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Only windows before it, likewise.")] = None,
    only_log: Annotated[bool, switch("--only-log", help="Copy and check proof/ alone.")] = False,
) -> None:
    """Copy the bucket and check the copy: what is complete, and whether anything was changed since it was archived."""
    session = session_of(context)
    trusted = _key(session, key)
    with _folder(copy_in) as folder:
        _copied(session, folder, _LOG if only_log else TOPS)
        words = [str(folder), f"--key={trusted}", *_repeated("--since", since), *_repeated("--source", source)]
        words += [*_given("--from", begin), *_given("--to", end), *(["--json"] if session.screen.as_json else [])]
        raise typer.Exit(verifier.main(words))


def evidence(
    context: typer.Context,
    what: Annotated[
        str, typer.Argument(metavar="WINDOW|ROW", help="PROVIDER/SOURCE/WINDOW, or RAW_PART#RAW_INDEX of a row.")
    ],
    out: Annotated[Path, typer.Option(help="The pack, a zip.")],
    copy_in: COPY = None,
    key: KEY = None,
    contact: Annotated[str, typer.Option(help="Whom to ask, for the last lines of the pack's README.")] = "",
) -> None:
    """Make a pack of evidence for one window, or for one row, that anybody can check without the archive."""
    session = session_of(context)
    prefix, option = place(what)
    trusted = _key(session, key)
    with _folder(copy_in) as folder:
        _copied(session, folder, (*_LOG, prefix))
        words = [str(folder), option, what, "--key", trusted, "--out", str(out), "--contact", contact]
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            code = packs.main(words)
    text = said.getvalue().strip()
    session.end(Report({"pack": str(out) if code == OK else None, "said": text}, lines=[text], code=code))


def place(what: str) -> tuple[str, str]:
    """Return the prefix under `raw/` of a window or row, and the option of `evidence.py` that names it. Pure."""
    if packs.PART.fullmatch(what.partition("#")[0]):
        return f"{what.rpartition('/')[0].rpartition('/')[0]}/", "--row"
    match = re.fullmatch(r"([a-z0-9]+)/([a-z0-9-]+)/(\d{4}-\d\d-\d\d)T(\d\d):(\d\d):(\d\d)Z/(P\w+)", what)
    if not match:
        raise ConsoleError(
            f"{what}: is no window and no row; for instance elsa/shop/2026-11-22T13:00:00Z/PT1H, "
            "or the row's RAW_PART#RAW_INDEX"
        )
    provider, source, date, hour, minute, second, length = match.groups()
    slug = f"{date.replace('-', '')}T{hour}{minute}{second}Z-{length}"
    return f"raw/provider={provider}/source={source}/date={date}/{slug}/", "--window"


@contextmanager
def _folder(chosen: Path | None) -> Generator[Path]:
    """Return the folder of the copy: the chosen one, which stays, or one that is removed afterwards."""
    if chosen is not None:
        ensure_empty_or_copy(chosen)
        yield chosen
        return
    with TemporaryDirectory(prefix="logarchive-copy-") as name:
        yield Path(name)


def _key(session: Session, given: str | None) -> str:
    session.stack.function(proof.NOTARY)  # before anything is copied
    if given is None:
        session.screen.tell(_OWN_KEY)
    return given or proof.key_of(session.stack)


def _copied(session: Session, folder: Path, prefixes: Sequence[str]) -> None:
    """Copy, let the notary name what is new, and copy what has changed meanwhile: so a copy has no loose ends."""
    for what in ("copying", "copying what is new"):
        with session.screen.progress(what) as bar:
            copy(session.stack, folder, prefixes, bar.move)
        if what == "copying":
            proof.notarize(session.stack)


def _given(option: str, value: str | None) -> list[str]:
    return [] if value is None else [f"{option}={value}"]


def _repeated(option: str, values: Sequence[str]) -> list[str]:
    return [f"{option}={value}" for value in values]
