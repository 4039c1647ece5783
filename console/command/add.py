"""`logarchive sources add` and `sources check`: a source is looked at before it is written, by its own function."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from console.account import source as configured
from console.account.stack import Result, SourceName, Stack
from console.command import doctor
from console.command.argument import YES, DocumentFile, Given, SecretFile, Typed, one_source, switch
from console.command.draft import Draft
from console.core.draft import assigned, object_of, same_records
from console.core.report import LOOK, OK, PROGRAM, Report, many, moment
from console.failure import ConsoleError
from console.session import session_of

#: Why a source begins where it does.
_REASONS = {
    "start": "as `start` says",
    "retention": "the oldest window that the provider still holds",
    "archive_from": "the first day of the table logs, ArchiveFrom; the provider may hold more",
    "first_tick": "the window that is open at the first tick: without `retention` nobody knows what is still held",
}


def check(
    context: typer.Context,
    source: Annotated[str, one_source("A source that there is, or one that you want to add.")],
    given: Given = [],  # noqa: B006 (Typer copies it)
    file: DocumentFile = None,
    secret_file: SecretFile = None,
) -> None:
    """Check a source and its credentials without writing anything: one that there is, a change of it, or a new one."""
    session = session_of(context)
    name = session.stack.source_name(source)
    exists = configured.exists(session.stack, name)
    if exists and not (given or file or secret_file):
        session.end(doctor.report(session.stack.survey("doctor", source), session.program))
    draft = Draft.of(session, name, Typed("check", given, file, secret_file, ["--json"] * session.screen.as_json))
    begun = (configured.document(session.stack, name) or {}) if exists else {}
    begun |= object_of(file.read_bytes(), str(file)) if file else {}
    document, _ = draft.document(begun | assigned(given, draft.fields), whole=exists or file is not None)
    examined = draft.examined(document, draft.credentials(document["secret"]))
    data = {"source": str(name), "document": document, "verdict": examined["verdict"], "checks": examined["checks"]}
    wrong = examined["verdict"] != "ok"
    session.end(Report(data, [doctor.table(str(name), examined)], ["Nothing was written."], LOOK if wrong else OK))


def add(  # noqa: PLR0913, PLR0917 (what the command line may say)
    context: typer.Context,
    source: Annotated[str, one_source("The new source, for instance elsa/checkout.")],
    given: Given = [],  # noqa: B006 (Typer copies it)
    file: DocumentFile = None,
    secret_file: SecretFile = None,
    anyway: Annotated[
        bool, switch("--anyway", help="Write it though a check fails: the provider cannot be reached now.")
    ] = False,
    yes: YES = False,
) -> None:
    """Add a source. What is missing is asked for; nothing is written before its function has checked all of it."""
    session = session_of(context)
    name = session.stack.source_name(source)
    if configured.exists(session.stack, name):
        raise ConsoleError(
            f"{name} exists already: take another name, or remove that source: {session.program} sources remove {name}"
        )
    flags = ["--anyway"] * anyway + ["--yes"] * yes + ["--json"] * session.screen.as_json
    lacks = "--yes" if session.screen.attended and session.screen.as_json and not yes else ""
    draft = Draft.of(session, name, Typed("add", given, file, secret_file, flags, lacks))
    begun = object_of(file.read_bytes(), str(file)) if file else {}
    given_fields = begun | assigned(given, draft.fields)
    attempt = _settled(draft, given_fields, anyway=anyway)
    document = attempt.document
    tables, said = doctor.in_short(str(name), attempt.examined)
    twice = _archived_twice(session.stack, name, document, draft)
    session.screen.tell("\n".join([said, *(f"{field}: {value}" for field, value in document.items()), *twice]), *tables)
    session.screen.agree(f"Write {name}?", already=yes or not session.screen.attended)
    written = _write(session.stack, name, document, attempt.credentials)
    written |= {"begins": attempt.begins, "warnings": twice}
    session.end(added(written, attempt.examined, draft.fields["window"].description, session.program))


@dataclass(frozen=True)
class _Attempt:
    """A source as it would be written, and what its function has found."""

    document: dict[str, Any]
    begins: Result
    credentials: dict[str, str] | None
    #: Whether the credentials were typed.
    typed: bool
    examined: Result


def _attempt(draft: Draft, given_fields: Mapping[str, Any], before: _Attempt | None = None) -> _Attempt:
    """Ask for what is missing, and have the function check all of it."""
    document, begins = draft.document(
        given_fields, before.document if before else None, whole=draft.typed.file is not None
    )
    secret, secret_file = document["secret"], draft.typed.secret_file
    if secret_file and configured.has_secret(draft.session.stack, secret):
        raise ConsoleError(f"the secret {secret} exists already: leave out --secret-file, or --set secret=NAME")
    credentials = draft.credentials(secret, before.credentials if before else None)
    typed = credentials is not None and secret_file is None
    return _Attempt(document, begins, credentials, typed, draft.examined(document, credentials))


def _settled(draft: Draft, given_fields: Mapping[str, Any], *, anyway: bool) -> _Attempt:
    """Return what may be written. At a terminal, answers that a check refuses are asked for again; else this ends."""
    screen, name = draft.screen, draft.name
    attempt = _attempt(draft, given_fields)
    while attempt.examined["verdict"] == "fail" and not anyway:
        asked = attempt.typed or draft.questions(given_fields, whole=draft.typed.file is not None)
        if not (screen.interactive and asked):
            draft.session.end(refused(name, attempt.examined, draft.typed.secret_file))
        screen.tell("Nothing was written.", doctor.table(str(name), attempt.examined))
        screen.agree("Correct your answers?", already=False)
        attempt = _attempt(draft, given_fields, attempt)
    return attempt


def _archived_twice(stack: Stack, name: SourceName, document: Mapping[str, Any], draft: Draft) -> list[str]:
    """Return a warning for each source that seems to archive the same records."""
    others = {other: configured.parsed(text) for other, text in stack.sources().items()}
    same = {
        other: same_records(document, known, draft.fields)
        for other, known in others.items()
        if known and other.startswith(f"{name.provider}/")
    }
    return [
        f"{other} has the same {', '.join(fields)}: records that both archive count twice in queries"
        for other, fields in same.items()
        if fields
    ]


def refused(name: SourceName, examined: Result, secret_file: Path | None) -> Report:
    """Return why a source was not written. Pure."""
    line = f"{name} was not written, and no secret either. Correct it, or write it all the same: --anyway"
    line += f". The keys that were tried are those of {secret_file}" if secret_file else ""
    data = {"source": str(name), "parameter": None, "secret_written": False, "checks": examined["checks"]}
    return Report(data, [doctor.table(str(name), examined)], [line], LOOK)


def _write(
    stack: Stack, name: SourceName, document: Mapping[str, Any], credentials: Mapping[str, str] | None
) -> dict[str, Any]:
    """Write the secret, if it is new, and the source; return what was written."""
    if credentials is None:
        parameter = configured.create(stack, name, document)
    else:
        parameter = configured.create_with_secret(stack, name, document, credentials)
    written = credentials is not None
    return {"source": str(name), "parameter": parameter, "document": dict(document), "secret_written": written}


def added(written: Mapping[str, Any], examined: Result, about_windows: str, program: str = PROGRAM) -> Report:
    """Return what was written, and from when on the source is archived. Pure."""
    document, name, begins = written["document"], written["source"], written["begins"]
    length = document.get("window", "PT1H")
    lines = [f"secret     {document['secret']}"] if written["secret_written"] else []
    lines += [
        f"parameter  {written['parameter']}",
        f"begins     {moment(begins['begin'])}: {_REASONS.get(begins['reason'], begins['reason'])}",
        f"window     {length}: {about_windows}",
    ]
    if begins["windows"]:
        lines.append(f"past       {many(begins['windows'], 'window')} that ended already, all fetched from now on")
    checks: list[Mapping[str, str]] = examined["checks"]
    skipped = [one["said"] for one in checks if (one["check"], one["verdict"]) == ("request", "skipped")]
    lines += [f"The provider was not asked yet ({said}). Now it can be: {program} doctor {name}" for said in skipped]
    lines.append(f"Its function finds it at the next tick: {program} status {name}")
    return Report({**written, "checks": examined["checks"]}, lines=lines)
