"""The registry of a provider: which sources the ledger has ever held, and whose turn it is."""

from logarchive.ledger.dynamodb import Table, Write
from logarchive.ledger.ledger import REGISTRY


def registered(table: Table, provider: str) -> list[str]:
    """Return the names of all sources of a provider that the ledger has ever held."""
    item = table.get(f"{provider}#", REGISTRY)
    return sorted(item.get("names", ())) if item else []


def next_in_turn(table: Table, provider: str) -> str:
    """Return the name of the source with which a tick is to begin; empty before the first tick."""
    return str((table.get(f"{provider}#", REGISTRY) or {}).get("next", ""))


def set_next_in_turn(table: Table, provider: str, source_name: str) -> None:
    """Write down the source with which the next tick is to begin."""
    table.update(Write(f"{provider}#", REGISTRY, {"next": source_name}, ()))
