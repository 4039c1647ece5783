"""A source before it is written: what is missing is asked for, and its function says whether it is right."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from console.account import source as configured
from console.account.demo import Models, is_here
from console.account.stack import Result, SourceName
from console.command.argument import Typed
from console.core.draft import Field, complained_of, fields, missing_of, object_of, told_of
from console.failure import ConsoleError
from console.screen import Screen
from console.session import Session

#: Fields that are not needed, but decide what can be archived at all: they are asked for as well.
_ASKED = ("start", "retention")
#: The answer that leaves out a field which is not needed.
_NOTHING = "-"


@dataclass(frozen=True)
class Draft:
    """A source of a name, whose function has described what it needs."""

    session: Session
    name: SourceName
    described: Result
    typed: Typed

    @classmethod
    def of(cls, session: Session, name: SourceName, typed: Typed) -> "Draft":
        """Ask the function what a source of it consists of."""
        return cls(session, name, session.stack.act(name.provider, "describe"), typed)

    @property
    def screen(self) -> Screen:
        """Where questions are asked."""
        return self.session.screen

    @property
    def fields(self) -> dict[str, Field]:
        """The fields of the source."""
        return fields(self.described["source"])

    @cached_property
    def models(self) -> Models:
        """The demo's sources of the provider; none in AWS."""
        stack = self.session.stack
        if not self.session.access.endpoint:
            return Models(stack, {})
        return Models.of(stack, self.name.provider, missing_of({}, self.fields))

    def questions(self, begun: Mapping[str, Any], *, whole: bool) -> list[Field]:
        """Return the fields that are asked for where somebody can answer."""
        wanted = [field for field in self.fields.values() if field.required]
        wanted += [self.fields[name] for name in _ASKED if name in self.fields and not whole]
        given = self.models.addressed(begun)
        return [field for field in wanted if field.name not in {"secret", *given}]

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
        self._ensure_here(self.models.addressed(document))
        if not self.screen.interactive:
            self._ensure_complete(document)
        elif wanted := [*self.questions(begun, whole=whole), *self._secret_to_ask(begun, document["secret"])]:
            document = self._asked(wanted, document, before or self._offered(begun))
        addressed = self.models.addressed(document)
        if addressed != document and before is None:
            self.screen.tell(f"base_url is {addressed['base_url']}: a source of the demo asks the demo's providers.")
        document = addressed
        while (judged := self._judged(document))["errors"]:
            errors = [one["error"] for one in judged["errors"]]
            again = complained_of(errors, self.fields)
            if not self.screen.interactive or not again:
                raise ConsoleError("; ".join(errors))
            self.screen.tell("\n".join(errors))
            document = self._asked([self.fields[name] for name in again], document, {})
        self._ensure_here(document)
        return document, judged["begins"]

    def _offered(self, begun: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answers that Enter gives in the demo: those of one of its sources."""
        name, model = self.models.nearest(begun)
        if model:
            self.screen.tell(f"Enter takes what is in brackets: the demo knows it from its source {name}.")
        return {field: model.get(field) for field in [*missing_of({}, self.fields), "secret"]}

    def _secret_to_ask(self, begun: Mapping[str, Any], secret: str) -> list[Field]:
        """Return the field `secret` where the demo has keys to offer in place of new ones."""
        if "secret" in begun or self.typed.secret_file or not (known := self.models.secret(begun)):
            return []
        if configured.has_secret(self.session.stack, secret):
            return []
        said = f"name of the secret with the keys; {known} has the demo's, a new name such as {secret} takes others"
        return [Field("secret", {**self.fields["secret"].schema, "description": said, "examples": []})]

    def _ensure_here(self, document: Mapping[str, Any]) -> None:
        """Raise ConsoleError for a source of the demo that would ask anybody who is not on this machine.

        Credentials that somebody types to try the console would be sent to the vendor.
        """
        if self.session.access.endpoint and not is_here(document.get("base_url")):
            do = "leave out base_url" if self.models.documents else "--set base_url=URL"
            raise ConsoleError(
                f"a source of the demo asks the demo's providers only: {do}, "
                f"or name one that this shows: {self.session.program} sources --json"
            )

    def _ensure_complete(self, document: Mapping[str, Any]) -> None:
        """Raise ConsoleError with all that is missing, and a command that has it, since nobody can be asked."""
        document = self.models.addressed(document)
        missing = [self.fields[name] for name in missing_of(document, self.fields)]
        errors = [one["error"] for one in self._judged(document)["errors"]]
        wrong = told_of(errors, [field.name for field in missing])
        if "secret" in complained_of(wrong, ["secret"]):  # no name to look up, or to repeat: it may be a key
            raise ConsoleError("; ".join(wrong))
        keys = not self.typed.secret_file and not configured.has_secret(self.session.stack, document["secret"])
        if not missing and not keys:
            return
        _, model = self.models.nearest(document)
        needed = [f"--set {field.name}=… ({field.description})" for field in missing]
        words = [word for field in missing for word in ("--set", f"{field.name}={_text(model.get(field.name, '…'))}")]
        if keys:
            secret = self.models.secret(document)
            needed.append(f"{self._keys(document['secret'])}, or --set secret=NAME of one that there is")
            needed[-1] += f", for instance {secret}, which has the demo's keys" if secret else ""
            words += ["--set", f"secret={secret}"] if secret else ["--secret-file", "secret.json"]
        if self.typed.lacks:
            needed.append(f"{self.typed.lacks}, since nobody is asked")
        said = "; ".join([f"{self.name} needs {', '.join(needed)}", *wrong])
        raise ConsoleError(f"{said}\n{self.typed.with_all(self.session.program, str(self.name), words)}")

    def _keys(self, secret: str) -> str:
        """Return how the keys of a new secret are given."""
        wanted = fields(self.described["secret"]).values()
        needed, more = (", ".join(one.name for one in wanted if one.required is needed) for needed in (True, False))
        return (
            f"--secret-file FILE with {needed} as JSON{f' and perhaps {more}' if more else ''} "
            f"(there is no secret {secret} yet)"
        )

    def _ensure_known(self, document: Mapping[str, Any]) -> None:
        """Raise ConsoleError for a field that the source does not have, before the others are asked for."""
        if unknown := tuple(f"{name}: " for name in document if name not in self.fields):
            errors = (part for one in self._judged(document)["errors"] for part in one["error"].split(" | "))
            raise ConsoleError("; ".join(error for error in errors if error.startswith(unknown)))

    def _judged(self, document: Mapping[str, Any]) -> Result:
        return self.session.stack.act(self.name.provider, "describe", source=self.name.name, document=document)

    def _asked(self, wanted: list[Field], document: dict[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
        answers = {field.name: self._answer(field, before.get(field.name)) for field in wanted}
        return {name: value for name, value in {**document, **answers}.items() if value is not None}

    def _answer(self, field: Field, before: object = None, *, hidden: bool = False) -> Any:  # noqa: ANN401 (a JSON value)
        """Return the value of one field, for Enter the one before; None if it is not needed and there is none."""
        question = field.question
        if before is not None or not field.required:
            none = ", - for none" if before is not None and not field.required else ""
            question += f" [Enter for {_enter(before, hidden=hidden)}{none}]"
        while True:
            text = self.screen.ask(question, hidden=hidden)
            if not text and (before is not None or not field.required):
                return before
            if text == _NOTHING and not field.required:
                return None
            try:
                if text:
                    return field.value(text)
            except ConsoleError as error:
                self.screen.tell(str(error))

    def credentials(self, secret: str, before: Mapping[str, str] | None = None) -> dict[str, str] | None:
        """Return the credentials of a secret: those of a file, or if it does not exist yet, the ones that are typed.

        None: the secret exists.
        """
        wanted = fields(self.described["secret"])
        if file := self.typed.secret_file:
            return _checked(object_of(file.read_bytes(), str(file)), wanted, str(file))
        if configured.has_secret(self.session.stack, secret):
            return None
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


def _text(value: object) -> str:
    """Return a value as `--set` takes it."""
    return value if isinstance(value, str) else json.dumps(value)


def _checked(values: Mapping[str, Any], wanted: Mapping[str, Field], where: str) -> dict[str, str]:
    if unknown := sorted(set(values) - set(wanted)):
        raise ConsoleError(f"{where}: {unknown[0]} is no field of this secret; its fields are {', '.join(wanted)}")
    if missing := [f"{name} is missing ({wanted[name].description})" for name in missing_of(values, wanted)]:
        raise ConsoleError(f"{where}: {', '.join(missing)}")
    return {name: wanted[name].value(str(value)) for name, value in values.items()}
