"""What a new source of the demo takes from the demo's other ones: addresses, answers, and the secret with its keys.

Only they know where the simulator of the providers listens, and what it accepts.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, cast

from console.account.source import Document, has_secret, parsed
from console.account.stack import Stack

_HERE = re.compile(r"(https?://)?(localhost|127\.0\.0\.1)(:[0-9]+)?(/.*)?", re.IGNORECASE)


def is_here(address: object) -> bool:
    """Return whether a URL, or `host:port`, is on this machine."""
    return isinstance(address, str) and _HERE.fullmatch(address) is not None


@dataclass(frozen=True)
class Models:
    """The demo's sources of one provider, by name; none in AWS, nor where all of them were removed."""

    stack: Stack
    documents: Mapping[str, Document]
    #: The fields that tell sources apart: those that each must have.
    telling: Collection[str] = ()

    @classmethod
    def of(cls, stack: Stack, provider: str, telling: Collection[str]) -> "Models":
        """Read them."""
        found = {name: parsed(text) for name, text in stack.sources().items() if name.startswith(f"{provider}/")}
        return cls(stack, {name: one for name, one in found.items() if one and is_here(one.get("base_url"))}, telling)

    def nearest(self, document: Mapping[str, Any]) -> tuple[str, Document]:
        """Return the one that a document is most like, and its name; of several, the first one.

        Lists do not count: the hosts of one API may be those of the other.
        """
        told = {name: value for name, value in document.items() if name in self.telling and not isinstance(value, list)}

        def in_common(name: str) -> int:
            return sum(self.documents[name].get(field) == value for field, value in told.items())

        name = max(sorted(self.documents), key=in_common, default="")
        return name, self.documents.get(name, {})

    def secret(self, document: Mapping[str, Any]) -> str:
        """Return the name of the secret with the demo's keys; empty if there is none."""
        name = str(self.nearest(document)[1].get("secret", ""))
        return name if name and has_secret(self.stack, name) else ""

    def addressed(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return a document with the addresses of the simulator; as it is if it names its own, or there is no model."""
        return dict(document) if "base_url" in document else {**_addresses(self.nearest(document)[1]), **document}


def _addresses(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if any(map(is_here, _each(value)))}


def _each(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else [value]
