"""The program `logarchive`: its commands, the options that all of them share, and what it says when it cannot go on."""

import json
import shlex
import sys
from collections.abc import Iterable, Sequence
from itertools import islice, takewhile
from typing import Annotated, NoReturn

import typer
from botocore.exceptions import BotoCoreError, ClientError
from typer.core import TyperGroup
from typer.exceptions import TyperException

from console.account.access import Access
from console.command import backfill, coverage, doctor, gaps, query, replay, row, sources, status, verify
from console.command.argument import switch
from console.core.report import CANNOT, LOOK, OK, PROGRAM
from console.failure import ConsoleError, DeclinedError, explained
from console.screen import Screen, clean, console
from console.session import Session

#: The shared options; those with a value first.
_VALUED, _FLAGS = ("--stack", "--region", "--profile", "--port"), ("--demo", "--json")


class Anywhere(TyperGroup):
    """A group whose own options may also stand behind the name of a command: `logarchive status --json`."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override] # its own Context
        """Read the arguments, the shared options first."""
        return super().parse_args(ctx, shared_first(args))


def shared_first(arguments: Iterable[str]) -> list[str]:
    """Return the arguments with the shared options before all others. Pure."""
    first: list[str] = []
    others: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            others += [word, *words]
        elif word in _VALUED:
            first += [word, *islice(words, 1)]
        elif word in _FLAGS or word.partition("=")[0] in _VALUED:
            first.append(word)
        else:
            others.append(word)
    return first + others


app = typer.Typer(
    name="logarchive",
    cls=Anywhere,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 all is fine, 1 there is something to look at, or you answered no, 2 it cannot be done. "
    "The options above may stand anywhere.",
)


@app.callback()
def logarchive(  # noqa: PLR0913, PLR0917 (the shared options)
    context: typer.Context,
    stack: Annotated[str, typer.Option(help="The stack's name.", envvar="LOGARCHIVE_STACK")] = "logarchive",
    region: Annotated[str | None, typer.Option(help="The stack's region; else that of the AWS CLI.")] = None,
    profile: Annotated[str | None, typer.Option(help="The profile of the AWS CLI to use.")] = None,
    demo: Annotated[bool, switch("--demo", help="Use the demo that KEEP=1 make demo has left running.")] = False,
    port: Annotated[
        int, typer.Option(help="The demo's port, as given to make demo.", envvar="PORT", min=1, max=65_535)
    ] = 4566,
    as_json: Annotated[bool, switch("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Look at a deployed log archive, and work with it."""
    for option, value in (("--region", region), ("--profile", profile)):
        if demo and value is not None:
            raise ConsoleError(f"{option} and --demo do not go together: the demo runs on this machine, not in AWS")
    access = Access(stack, region, profile, port if demo else None)
    context.obj = Session(access, Screen(as_json=as_json), program=program_of(context))


def program_of(context: typer.Context) -> str:
    """Return how a command for the same stack begins: with the shared options that this command line has."""
    words = [PROGRAM]
    for option in (*_VALUED, "--demo"):
        name = option.removeprefix("--")
        source = context.get_parameter_source(name)
        if source and source.name == "COMMANDLINE":
            words += [option, str(context.params[name])] if option in _VALUED else [option]
    return shlex.join(words)


app.command("status")(status.status)
app.add_typer(sources.app, name="sources")
app.command("doctor")(doctor.doctor)
app.command("gaps")(gaps.gaps)
app.command("coverage")(coverage.coverage)
app.command("report")(coverage.report)
app.command("backfill")(backfill.backfill)
app.command("query")(query.query)
app.command("row")(row.row)
app.command("verify")(verify.verify)
app.command("evidence")(verify.evidence)
app.command("replay")(replay.replay)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program. Whatever stops a command is one sentence on stderr, or with --json an object on stdout."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # Found here, since a command line that cannot be read has no session yet.
    as_json = "--json" in takewhile(lambda word: word != "--", words)
    try:
        # Not standalone: Typer would print a box in place of a sentence.
        sys.exit(app(args=words or ["--help"], prog_name=PROGRAM, standalone_mode=False) or OK)
    except DeclinedError as error:
        _fail(str(error), as_json=as_json, code=LOOK)
    except ConsoleError as error:
        _fail(str(error), as_json=as_json)
    except TyperException as error:
        _fail(misused(error), as_json=as_json)
    except (BotoCoreError, ClientError) as error:
        _fail(explained(error), as_json=as_json)
    except OSError as error:
        _fail(f"{error.filename or 'a file'}: {error.strerror or error}", as_json=as_json)


def misused(error: TyperException) -> str:
    """Return what is wrong with a command line, and which help says what is right."""
    said = error.format_message().replace("Value error, ", "").rstrip(".")  # words of the library that checks values
    context: typer.Context | None = getattr(error, "ctx", None)
    return f"{said} ({context.command_path} --help says more)" if context else said


def _fail(sentence: str, *, as_json: bool, code: int = CANNOT) -> NoReturn:
    if as_json:
        sys.stdout.write(json.dumps({"error": sentence}, ensure_ascii=False) + "\n")
    else:
        console(errors=True).print(clean(f"{PROGRAM}: {sentence}"))
    sys.exit(code)
