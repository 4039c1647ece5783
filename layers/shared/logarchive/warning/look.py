"""When conditions are looked for: before each run of the notary."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from logarchive.warning.watch import Watch


def after_look(
    event: object, watch: Watch, write: Callable[[], None], run: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Run what an event asks for; if that is a run of the notary, look for conditions first.

    So nothing that ends a run keeps the next one from looking. `write` is called once that is done.
    """
    if not isinstance(event, Mapping) or cast("Mapping[str, object]", event).get("action") != "notary":
        return run()
    try:
        found = watch.look()
    finally:  # what goes wrong with the look is raised once everything else is done
        try:
            write()
        finally:
            result = run()
    return result | found
