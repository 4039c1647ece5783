"""`logarchive sources add`: asks for what a source needs, has its function check the answers, and only then writes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from console.account import source as configured
from console.account.stack import Result, SourceName, Stack
from console.command.argument import YES, one_source
from console.core.draft import Field, assigned, complained_of, fields, object_of
from console.core.report import Report
from console.failure import ConsoleError
from console.screen import Screen
from console.session import Session, session_of

#: Fields that are not needed, but decide what can be archived at all: they are asked for as well.
_ASKED = ("start", "retention")

# Typer does not look into a `type` statement.
Given = Annotated[
    list[str], typer.Option("--set", metavar="FIELD=VALUE", help="A field of the source; may be repeated.")
]
DocumentFile = Annotated[Path | None, typer.Option("--file", help="A JSON file with the source's fields.")]
SecretFile = Annotated[Path | None, typer.Option(help="A JSON file with the credentials, for a new secret.")]


def add(
    context: typer.Context,
    source: Annotated[str, one_source("The new source, for instance elsa/checkout.")],
    given:
    # Typer does not look into a `type` statement.
    Given = [],  # noqa: B006 (Typer copies it)
    file: DocumentFile = None,
    secret_file: SecretFile = None,
    yes: YES = False,
) -> None:
    """Add a source. What is missing is asked for; nothing is written before the function finds it right."""
    session = session_of(context)
    name = session.stack.source_name(source)
    if configured.exists(session.stack, name):
        raise ConsoleError(f"{name} exists already; a source of another name, or `logarchive sources remove {name}`")
    draft = _Draft(session, name, session.stack.act(name.provider, "describe"))
    begun = object_of(file.read_bytes(), str(file)) if file else {}
    document = draft.document(begun | assigned(given, draft.fields))
    credentials = draft.credentials(document["secret"], secret_file)
    session.screen.tell("\n".join(["", *(f"{field}: {value}" for field, value in document.items())]))
    session.screen.agree(f"Write {name}?", already=yes or not session.screen.attended)
    session.end(_write(session.stack, name, document, credentials))


@dataclass(frozen=True)
class _Draft:
    session: Session
    name: SourceName
    described: Result

    @property
    def screen(self) -> Screen:
        return self.session.screen

    @property
    def fields(self) -> dict[str, Field]:
        return fields(self.described["source"])

    def document(self, begun: Mapping[str, Any]) -> dict[str, Any]:
        """Return a document that the function accepts. Raises ConsoleError if there is nobody to ask for the rest."""
        document = {"secret": f"{self.described['secret_prefix']}{self.name.name}", **begun}
        wanted = [field for field in self.fields.values() if field.required]
        wanted += [self.fields[name] for name in _ASKED if name in self.fields]
        document = self._asked([field for field in wanted if field.name not in document], document)
        while errors := self._errors(document):
            again = complained_of(errors, self.fields)
            if not self.screen.interactive or not again:
                raise ConsoleError("; ".join(errors))
            self.screen.tell("\n".join(errors))
            document = self._asked([self.fields[name] for name in again], document)
        return document

    def _asked(self, wanted: list[Field], document: dict[str, Any]) -> dict[str, Any]:
        if not self.screen.interactive:
            if missing := [field for field in wanted if field.required and field.name not in document]:
                needed = ", ".join(f"--set {field.name}=… ({field.description})" for field in missing)
                raise ConsoleError(f"{self.name} needs {needed}")
            return document
        answers = {field.name: self._answer(field) for field in wanted}
        return {name: value for name, value in {**document, **answers}.items() if value is not None}

    def _answer(self, field: Field, *, hidden: bool = False) -> Any:  # noqa: ANN401 (a JSON value)
        """Return the value of one field; None if it is not needed and nothing was answered."""
        question = field.question if field.required else f"{field.question} [Enter for none]"
        while True:
            text = self.screen.ask(question, hidden=hidden)
            if not text and not field.required:
                return None
            try:
                if text:
                    return field.value(text)
            except ConsoleError as error:
                self.screen.tell(str(error))

    def _errors(self, document: Mapping[str, Any]) -> list[str]:
        result = self.session.stack.act(self.name.provider, "describe", source=self.name.name, document=document)
        return [one["error"] for one in result["errors"]]

    def credentials(self, secret: str, file: Path | None) -> dict[str, str] | None:
        """Return the credentials of a secret that does not exist yet; None if it does."""
        if configured.has_secret(self.session.stack, secret):
            if file:
                raise ConsoleError(f"the secret {secret} exists already: leave out --secret-file, or --set secret=NAME")
            return None
        wanted = fields(self.described["secret"])
        if file:
            return _checked(object_of(file.read_bytes(), str(file)), wanted, str(file))
        if not self.screen.interactive:
            raise ConsoleError(f"there is no secret {secret}: --secret-file FILE with {', '.join(wanted)}, as JSON")
        self.screen.tell(f"There is no secret {secret} yet. Its values are not shown while you type.")
        answers = {name: self._answer(field, hidden=True) for name, field in wanted.items()}
        return {name: value for name, value in answers.items() if value is not None}


def _checked(values: Mapping[str, Any], wanted: Mapping[str, Field], where: str) -> dict[str, str]:
    if unknown := sorted(set(values) - set(wanted)):
        raise ConsoleError(f"{where}: {unknown[0]} is no field of this secret; its fields are {', '.join(wanted)}")
    if missing := [name for name, field in wanted.items() if field.required and name not in values]:
        raise ConsoleError(f"{where}: {missing[0]} is missing ({wanted[missing[0]].description})")
    return {name: wanted[name].value(str(value)) for name, value in values.items()}


def _write(
    stack: Stack, name: SourceName, document: Mapping[str, Any], credentials: Mapping[str, str] | None
) -> Report:
    if credentials is not None:
        configured.create_secret(stack, document["secret"], credentials)
    parameter = configured.create(stack, name, document)
    lines = [f"secret     {document['secret']}"] if credentials is not None else []
    lines += [f"parameter  {parameter}", f"Its function finds it at the next tick: logarchive status {name}"]
    data = {
        "source": str(name),
        "parameter": parameter,
        "document": dict(document),
        "secret_written": bool(credentials),
    }
    return Report(data, lines=lines)
