"""What the functions of all providers have returned of their sources, as one list. Pure."""

from collections.abc import Mapping
from typing import Any

from console.core.report import PROGRAM


def no_source(program: str = PROGRAM) -> str:
    """Return what is said where there is no source."""
    return f"No source yet. Add one: {program} sources add PROVIDER/SOURCE"


def sources_of(results: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what is said of each source, whose name then begins with its provider's."""
    return [
        {**one, "source": f"{provider}/{one['source']}"}
        for provider, result in results.items()
        for one in result["sources"]
    ]


def errors_of(results: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return every error once. What no function reads is reported by all of them, each in its own words."""
    errors: dict[str, str] = {}
    for provider, result in results.items():
        own = {one["source"] for one in result["sources"]}
        for one in result["errors"]:
            name = f"{provider}/{one['source']}" if one["source"] in own else one["source"]
            errors.setdefault(name, one["error"])
    return [{"source": name, "error": error} for name, error in errors.items()]
