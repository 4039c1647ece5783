"""The action `doctor`: checks each source, from its parameter to the times in one response, and says what to do.

`describe`, at the end, is for whoever wants to write a source: which fields it has. How `doctor` flows, for one source:

1. `configuration`: the parameter, or the `document` of the event, is read as in a tick.
2. `secret`: the secret is read as in a tick.
3. One request, the smallest that the provider has, is sent as a visit would send it, once. Of its response, even of a
   refusal, pure functions make the checks `request`, `clock`, `record_time` and the provider's own.
4. The source's head and open windows are read. Of them come `name`, `ledger`, `archive_from` and `retention`.
5. `bucket`: the names of one page of the source's objects are listed.

A check that needs another one which has failed is `skipped`; all others are made. What AWS refuses is what a check
says, not an error of the invocation. Nothing is written, and no window is claimed. Whatever is said passes the
redaction of the source's secret.

A `document` is what whoever invokes the function has put into the event. The secret that it names is sent only to the
vendor's own address, or to the `base_url` of a written source of the provider: see `_is_known`.
`credentials` of the event are used once, in place of a secret: no secret of the account is read, so they may be sent to
any public address. They are neither written, nor logged, nor returned.
"""

import json
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, HttpUrl, ValidationError

from logarchive.action.archive import Archive
from logarchive.action.event import Describe, Doctor
from logarchive.action.result import Result, source_errors
from logarchive.checkup.description import described
from logarchive.checkup.examination import Examination, Unwritten, refused
from logarchive.errors import ConfigError
from logarchive.ledger.entry import Head
from logarchive.ledger.planner import beginning
from logarchive.moment import floor, instant
from logarchive.provider.check import Check, worst
from logarchive.provider.source import Source
from logarchive.runtime.source_loader import BadSource
from logarchive.window import Span

#: Of a document that has no name yet, all but the name is judged.
_ANY_NAME = "new"


def doctor[S: Source, K: BaseModel](archive: Archive[S, K], event: Doctor) -> Result:
    """Check one source, or those from the name `start` on while there is time; `next` is where to go on."""
    sources, bad = archive.source_loader.load()
    if event.document is not None and event.source is not None:
        return _result(archive, [_unwritten(archive, event, event.source, event.document, sources.values())])
    wrong = {problem.name: problem.error for problem in bad}
    names = {*sources, *wrong}
    if event.source is not None and event.source not in names:
        raise ConfigError(f"no source {event.source!r} under {archive.source_loader.path}")
    first = event.source or event.start or ""
    left = deque(sorted(name for name in names if name >= first and event.source in {None, name}))
    examined: list[Result] = []
    # At least one: whoever follows `next` gets on.
    while left and (not examined or archive.invocation.enough_time()):
        name = left.popleft()
        examined.append(_examined(archive, name, sources.get(name), wrong.get(name, "")))
    misplaced = archive.source_loader.misplaced() if event.source is None else []
    return _result(archive, examined, misplaced, left[0] if left else None)


def _result[S: Source, K: BaseModel](
    archive: Archive[S, K], sources: list[Result], misplaced: Iterable[BadSource] = (), following: str | None = None
) -> Result:
    errors = source_errors([*misplaced])
    return {"ok": True, "provider": archive.provider.name, "sources": sources, "next": following, "errors": errors}


def _unwritten[S: Source, K: BaseModel](
    archive: Archive[S, K], event: Doctor, source_name: str, document: Mapping[str, Any], written: Iterable[S]
) -> Result:
    """Check a source that is not written yet."""
    source = archive.source_loader.judge(source_name, json.dumps(document))
    if isinstance(source, BadSource):
        return _examined(archive, source_name, None, source.error)
    known = _is_known(archive, source, document, written)
    return _examined(archive, source_name, source, unwritten=Unwritten(known, event.credentials))


def _is_known[S: Source, K: BaseModel](
    archive: Archive[S, K], source: S, document: Mapping[str, Any], written: Iterable[S]
) -> bool:
    """Return whether a source that is not written has an address to which a secret may be sent.

    Whoever may invoke the function need not be allowed to write sources. They must not be able to have a secret sent,
    or a request signed, to an address that they choose. At the vendor's own one the path does not matter.
    """
    if _whole(source.base_url) in {_whole(other.base_url) for other in written}:
        return True
    rest = {name: value for name, value in document.items() if name != "base_url"}
    try:
        own = archive.provider.source.model_validate_json(json.dumps(rest)).base_url
    except ValidationError:  # the vendor has no address of its own
        return False
    return _address(source.base_url) == _address(own)


def _whole(url: HttpUrl) -> str:
    """Return a `base_url` with its path: behind one host there may be other services."""
    return f"{url}".rstrip("/")


def _address(url: HttpUrl) -> tuple[str, str | None, int | None]:
    return url.scheme, url.host, url.port


def _examined[S: Source, K: BaseModel](
    archive: Archive[S, K], source_name: str, source: S | None, wrong: str = "", *, unwritten: Unwritten | None = None
) -> Result:
    """Return the checks of one source. Whatever happens, the others have their turn."""
    try:
        checks = _checks(archive, source_name, source, unwritten) if source else refused(archive.provider, wrong)
    except Exception as error:  # noqa: BLE001 (a bug; its text may hold anything)
        archive.invocation.log("source.failed", source=source_name, error=type(error).__name__)
        checks = [Check("doctor", "fail", f"{type(error).__name__}: this is a bug of doctor", "report it")]
    verdict, failed = worst(checks), [check.check for check in checks if check.verdict in {"warn", "fail"}]
    archive.invocation.log("source.examined", source=source_name, verdict=verdict, failed=failed)
    return {"source": source_name, "verdict": verdict, "checks": [check.json() for check in checks]}


def _checks[S: Source, K: BaseModel](
    archive: Archive[S, K], source_name: str, source: S, unwritten: Unwritten | None
) -> list[Check]:
    return Examination(
        provider=archive.provider,
        source=source,
        source_loader=archive.source_loader,
        ledger=archive.ledger(source_name),
        store=archive.store,
        invocation=archive.invocation,
        network=archive.network,
        unwritten=unwritten,
    ).run()


def describe[S: Source, K: BaseModel](archive: Archive[S, K], event: Describe) -> Result:
    """Return the fields of a source and of its secret as JSON schemas, and what is wrong with a document.

    Nothing is counted, logged or changed: a draft is nobody's mistake yet.
    """
    return {
        "ok": True,
        "provider": archive.provider.name,
        "source": described(archive.provider.source),
        "secret": described(archive.provider.secret),
        "secret_prefix": archive.source_loader.secret_prefixes()[0],
        **_judged(archive, event),
    }


def _judged[S: Source, K: BaseModel](archive: Archive[S, K], event: Describe) -> Result:
    """Return what is wrong with a document, or what it would begin with. Without a name the ledger is not read."""
    begins: Result | None = None
    errors: list[str] = []
    if event.document is not None:
        name = event.source or _ANY_NAME
        source = archive.source_loader.judge(name, json.dumps(event.document))
        if isinstance(source, BadSource):
            errors = [source.error]
        else:
            try:
                head = archive.ledger(name).head() if event.source else None
                archive.planner(name, source).admit(head)
                begins = _begins(archive, source, head)
            except ConfigError as error:
                errors = [str(error)]
    return {"begins": begins, "errors": [{"source": event.source, "error": error} for error in errors]}


def _begins[S: Source, K: BaseModel](archive: Archive[S, K], source: S, head: Head | None) -> Result:
    """Return from when on a source is archived, why, and how many windows of the past its first ticks plan."""
    now = archive.invocation.clock()
    first_day = archive.source_loader.archive_from
    begin, reason = (head.begin, head.begin_reason) if head else beginning(source, now, first_day)
    past = [Span(head.cursor if head else begin, floor(now, source.window))]
    if head and source.start:
        past.append(Span(source.start, head.begin))
    windows = sum(max(0, -(-span.length // source.window)) for span in past)
    return {"begin": instant(min(begin, source.start or begin)), "reason": reason, "windows": windows}
