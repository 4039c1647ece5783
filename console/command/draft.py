"""A source before it is written: what is missing is asked for, and its function says whether it is right."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast
from urllib.parse import urlsplit

import typer

from console.account import source as configured
from console.account.stack import Result, SourceName
from console.core.draft import Field, complained_of, fields, object_of
from console.failure import ConsoleError
from console.screen import Screen
from console.session import Session

#: Fields that are not needed, but decide what can be archived at all: they are asked for as well.
_ASKED = ("start", "retention")

# Typer does not look into a `type` statement.
Given = Annotated[
    list[str], typer.Option("--set", metavar="FIELD=VALUE", help="A field of the source; may be repeated.")
]
DocumentFile = Annotated[Path | None, typer.Option("--file", help="A JSON file with the source's fields.")]
SecretFile = Annotated[Path | None, typer.Option(help="A JSON file with the credentials, for a new secret.")]


@dataclass(frozen=True)
class Draft:
    """A source of a name, whose function has described what it needs."""

    session: Session
    name: SourceName
    described: Result

    @classmethod
    def of(cls, session: Session, name: SourceName) -> "Draft":
        """Ask the function what a source of it consists of."""
        return cls(session, name, session.stack.act(name.provider, "describe"))

    @property
    def screen(self) -> Screen:
        """Where questions are asked."""
        return self.session.screen

    @property
    def fields(self) -> dict[str, Field]:
        """The fields of the source."""
        return fields(self.described["source"])

    def questions(self, begun: Mapping[str, Any], *, whole: bool) -> list[Field]:
        """Return the fields that are asked for where somebody can answer."""
        wanted = [field for field in self.fields.values() if field.required]
        wanted += [self.fields[name] for name in _ASKED if name in self.fields and not whole]
        return [field for field in wanted if field.name not in {"secret", *begun}]

    def document(
        self, begun: Mapping[str, Any], before: Mapping[str, Any] | None = None, *, whole: bool = False
    ) -> tuple[dict[str, Any], Result]:
        """Return a document that the function accepts, and from when on it would be archived.

        Of a `whole` one, from a file or of a source that there is, only a required field that it lacks is asked for.
        `before` has the answers of an earlier attempt, which Enter repeats. Raises ConsoleError if there is nobody to
        ask for the rest.
        """
        document = {"secret": f"{self.described['secret_prefix']}{self.name.name}", **begun}
        self._ensure_known(document)
        document = self._asked(self.questions(begun, whole=whole), document, before or {})
        while (judged := self._judged(document))["errors"]:
            errors = [one["error"] for one in judged["errors"]]
            again = complained_of(errors, self.fields)
            if not self.screen.interactive or not again:
                raise ConsoleError("; ".join(errors))
            self.screen.tell("\n".join(errors))
            document = self._asked([self.fields[name] for name in again], document, {})
        if self.session.access.endpoint:
            _ensure_here(document, self.session.program)
        return document, judged["begins"]

    def _ensure_known(self, document: Mapping[str, Any]) -> None:
        """Raise ConsoleError for a field that the source does not have, before the others are asked for."""
        if unknown := tuple(f"{name}: " for name in document if name not in self.fields):
            errors = (part for one in self._judged(document)["errors"] for part in one["error"].split(" | "))
            raise ConsoleError("; ".join(error for error in errors if error.startswith(unknown)))

    def _judged(self, document: Mapping[str, Any]) -> Result:
        return self.session.stack.act(self.name.provider, "describe", source=self.name.name, document=document)

    def _asked(self, wanted: list[Field], document: dict[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
        if not self.screen.interactive:
            if missing := [field for field in wanted if field.required and field.name not in document]:
                needed = ", ".join(f"--set {field.name}=… ({field.description})" for field in missing)
                raise ConsoleError(f"{self.name} needs {needed}")
            return document
        answers = {field.name: self._answer(field, before.get(field.name)) for field in wanted}
        return {name: value for name, value in {**document, **answers}.items() if value is not None}

    def _answer(self, field: Field, before: object = None, *, hidden: bool = False) -> Any:  # noqa: ANN401 (a JSON value)
        """Return the value of one field, for Enter the one before; None if it is not needed and there is none."""
        question = field.question
        if before is not None or not field.required:
            question += f" [Enter for {_enter(before, hidden=hidden)}]"
        while True:
            text = self.screen.ask(question, hidden=hidden)
            if not text and (before is not None or not field.required):
                return before
            try:
                if text:
                    return field.value(text)
            except ConsoleError as error:
                self.screen.tell(str(error))

    def credentials(
        self, secret: str, file: Path | None, before: Mapping[str, str] | None = None
    ) -> dict[str, str] | None:
        """Return the credentials of a secret: those of a file, or if it does not exist yet, the ones that are typed.

        None: the secret exists.
        """
        wanted = fields(self.described["secret"])
        if file:
            return _checked(object_of(file.read_bytes(), str(file)), wanted, str(file))
        if configured.has_secret(self.session.stack, secret):
            return None
        if not self.screen.interactive:
            raise ConsoleError(f"there is no secret {secret}: --secret-file FILE with {', '.join(wanted)}, as JSON")
        self.screen.tell(f"There is no secret {secret} yet. Its values are not shown while you type.")
        known = before or {}
        answers = {name: self._answer(field, known.get(name), hidden=True) for name, field in wanted.items()}
        return {name: value for name, value in answers.items() if value is not None}

    def examined(self, document: Mapping[str, Any], credentials: Mapping[str, str] | None) -> Result:
        """Have the function check the source as it would be, with its secret as it would be; nothing is written."""
        event = {"source": self.name.name, "document": document, "credentials": credentials}
        [found] = self.session.stack.act(self.name.provider, "doctor", **event)["sources"]
        return {**found, "source": str(self.name)}


def _enter(before: object, *, hidden: bool) -> str:
    """Return what Enter stands for; nothing of a value that is hidden."""
    if before is None:
        return "none"
    if hidden:
        return "the one you gave"
    return ", ".join(map(str, cast("list[object]", before))) if isinstance(before, list) else str(before)


def _ensure_here(document: Mapping[str, Any], program: str) -> None:
    """Raise ConsoleError for a source of the demo that would ask anybody who is not on this machine.

    Credentials that somebody types to try the console would be sent to the vendor.
    """
    host = urlsplit(str(document.get("base_url", ""))).hostname
    if host not in {"127.0.0.1", "localhost"}:
        raise ConsoleError(
            "a source of the demo asks the demo's providers only: --set base_url=URL, "
            f"with a base_url that this shows: {program} sources --json"
        )


def _checked(values: Mapping[str, Any], wanted: Mapping[str, Field], where: str) -> dict[str, str]:
    if unknown := sorted(set(values) - set(wanted)):
        raise ConsoleError(f"{where}: {unknown[0]} is no field of this secret; its fields are {', '.join(wanted)}")
    if missing := [name for name, field in wanted.items() if field.required and name not in values]:
        raise ConsoleError(f"{where}: {missing[0]} is missing ({wanted[missing[0]].description})")
    return {name: wanted[name].value(str(value)) for name, value in values.items()}
