"""The providers: every folder of `functions/` whose app.py holds a `provider`. The only place that knows their names.

Every other list of providers is derived from here, or a test compares it with this one.
"""

import importlib
from functools import cache
from typing import Any

from logarchive.provider.provider import Provider
from tools.lock import ROOT


@cache
def names() -> tuple[str, ...]:
    """Return the providers' names in alphabetical order."""
    return tuple(name for name in functions() if "\nprovider = " in (ROOT / "functions" / name / "app.py").read_text())


@cache
def functions() -> tuple[str, ...]:
    """Return the names of all functions: every folder of `functions/`, also what is no provider (the notary)."""
    return tuple(sorted(app.parent.name for app in (ROOT / "functions").glob("*/app.py")))


@cache
def providers() -> dict[str, Provider[Any, Any]]:
    """Return the providers by name, in alphabetical order."""
    return {name: importlib.import_module(f"functions.{name}.app").provider for name in names()}


def logical(name: str) -> str:
    """Return what the names of a provider's resources in the template begin with: `Elsa` for `elsa`."""
    return name.capitalize()
