"""Arguments and options that several commands have, with their completion in the shell."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from console.account.access import Access
from console.account.stack import find


def sources(context: typer.Context, incomplete: str) -> list[str]:
    """Return the sources that begin so; none if the stack cannot be reached, since completion may not complain."""
    given = context.find_root().params
    access = Access(given["stack"], given["region"], given["profile"], given["port"] if given["demo"] else None)
    try:
        return [name for name in find(access).sources() if name.startswith(incomplete)]
    except Exception:  # noqa: BLE001 (whatever it is, the next command will say so)
        return []


def one_source(text: str = "A source, for instance elsa/checkout.") -> Any:  # noqa: ANN401 (what Typer declares)
    """Return the argument that names a source."""
    return typer.Argument(metavar="PROVIDER/SOURCE", help=text, autocompletion=sources, show_default=False)


def switch(*names: str, help: str) -> Any:  # noqa: A002, ANN401 (Typer's own name; what Typer declares)
    """Return an option without a value; Typer's help would name the type of one, `<bool>`."""
    return typer.Option(*names, metavar="", help=help)


#: Typer does not look into a `type` statement.
YES = Annotated[bool, switch("--yes", "-y", help="Do it without asking.")]
START = Annotated[
    str,
    typer.Argument(
        metavar="FROM", help="A day, or a time in UTC unless it names a zone, for instance 2026-11-01T09:00:00+09:00."
    ),
]
END = Annotated[str, typer.Argument(metavar="TO", help="The end of the range, which does not belong to it; likewise.")]
SOURCES = Annotated[
    list[str], typer.Option("--source", metavar="PROVIDER/SOURCE", help="Only this source.", autocompletion=sources)
]
WORKERS = Annotated[int | None, typer.Option(help="How many workers at once; else as the source says.")]
Given = Annotated[
    list[str], typer.Option("--set", metavar="FIELD=VALUE", help="A field of the source; may be repeated.")
]
DocumentFile = Annotated[Path | None, typer.Option("--file", help="A JSON file with the source's fields.")]
SecretFile = Annotated[Path | None, typer.Option(help="A JSON file with the credentials, for a new secret.")]


@dataclass(frozen=True)
class Typed:
    """What was typed of `sources add` or `sources check`."""

    command: str
    given: Sequence[str] = ()
    file: Path | None = None
    secret_file: Path | None = None
    #: Options without a value.
    flags: Sequence[str] = ()
    #: One that is missing.
    lacks: str = ""

    def with_all(self, program: str, name: str, missing: Sequence[str]) -> str:
        """Return the command with the words that it lacks, for a shell."""
        words = [word for text in self.given for word in ("--set", text)]
        words += ["--file", str(self.file)] if self.file else []
        words += ["--secret-file", str(self.secret_file)] if self.secret_file else []
        lacks = [self.lacks] if self.lacks else []
        return " ".join([program, shlex.join(["sources", self.command, name, *words, *self.flags, *missing, *lacks])])
