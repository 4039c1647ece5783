"""What the docs say about the providers: the first lines of their pages, and tables written from their models."""

import datetime as dt
import json
import re
from typing import Any, cast

from pydantic import ValidationError

from logarchive.column.convert import FieldMapping
from logarchive.column.schema import COLUMNS
from logarchive.moment import duration
from logarchive.provider.provider import Provider
from logarchive.provider.source import Source
from tools.lock import ROOT
from tools.markdown import table
from tools.registry import providers

#: Values that a column shares only if it is the same for all records.
_DIFFERENT = (0, 500)
#: Columns that no provider fills: the archive itself does.
MADE_HERE = {
    "source": "the source's name",
    "record_id": "hash of the record and its number among equal records",
    "attributes": "everything else, under its own name",
    "raw_part": "key of the part that held the record",
    "raw_index": "the record's position in that part",
}


def shown(value: object) -> str:
    """Return the value of a source's field as its JSON has it; text without quotes."""
    plain = value
    if isinstance(value, tuple):
        plain = [_text(item) for item in cast("tuple[object, ...]", value)]
    elif not isinstance(value, bool | int):
        plain = _text(value)
    return "none" if value is None else f"`{plain if isinstance(plain, str) else json.dumps(plain)}`"


def _text(value: object) -> str:
    return duration(value) if isinstance(value, dt.timedelta) else str(value).rstrip("/")


def page(name: str) -> str:
    """Return a provider's page."""
    return (ROOT / "docs" / "providers" / f"{name}.md").read_text()


def stated(name: str) -> dict[str, Any]:
    """Return the source that a provider's page shows first."""
    match = re.search(r"```json\n(.*?)```", page(name), re.DOTALL)
    return json.loads(match[1]) if match else {}


def example(name: str) -> Source:
    """Return the source that a provider's page shows first, without the common fields that it sets.

    Raises ValueError if it is no source of the provider.
    """
    shows, model = stated(name), providers()[name].source
    fields = model.model_fields
    kept = {key: value for key, value in shows.items() if key not in Source.model_fields or fields[key].is_required()}
    try:
        source: Source = model.model_validate(kept)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise ValueError(f"docs/providers/{name}.md: its first JSON block is no source: {faults}") from error
    return source


def source_fields() -> str:
    """Return the fields that all sources have, with each provider's default."""
    examples = {name: example(name) for name in providers()}
    rows = [
        [f"`{name}`", *(_default(one, name, source) for one, source in examples.items()), field.description]
        for name, field in Source.model_fields.items()
    ]
    return table(["field", *examples, "meaning"], rows)


def _default(provider: str, name: str, source: Source) -> str:
    required = name in stated(provider) and type(source).model_fields[name].is_required()
    return "required" if required else shown(getattr(source, name))


def columns() -> str:
    """Return the columns, and the key of a record that becomes each."""
    keys = {name: _keys(name, provider) for name, provider in providers().items()}
    rows = [
        [f"`{column}`", f"`{kind}`", *(own.get(column, "") for own in keys.values())]
        for column, kind in COLUMNS.items()
    ]
    return table(["column", "type", *keys], rows)


def _keys(name: str, provider: Provider[Any, Any]) -> dict[str, str]:
    mappings = dict(provider.columns(example(name)))
    if provider.unique_id:
        mappings["record_id"] = provider.unique_id
    return MADE_HERE | {column: _shown_key(mapping) for column, mapping in mappings.items()}


def _shown_key(mapping: FieldMapping) -> str:
    """Return the key that becomes a column, or the value of a column that is the same for all records."""
    values = set(mapping.convert(list(_DIFFERENT)))
    return f"`{mapping.key}`" if len(values) > 1 or None in values else f"{values.pop()} for all"


def _title(name: str, language: str = "en") -> str:
    """Return the title of a provider's page; in Korean the text of its comment `<!-- ko: … -->`, if it has one."""
    translated = re.search(rf"^<!-- {language}: (.*) -->$", page(name), re.MULTILINE)
    return translated[1] if translated else page(name).partition("\n")[0].partition(": ")[2]


def provider_names(head: tuple[str, str], language: str = "en") -> str:
    """Return what is archived of whom, in a language."""
    return table(head, [[f"[{name}](docs/providers/{name}.md)", _title(name, language)] for name in providers()])


def provider_table() -> str:
    """Return the most important facts of each provider."""
    rows: list[list[str]] = []
    for name, provider in providers().items():
        source, title = example(name), _title(name)
        keys = provider.secret.model_fields.items()
        secret = ", ".join(f"`{key}`" if field.is_required() else f"optional `{key}`" for key, field in keys)
        visits = f"{shown(source.delay)}; {shown(source.revisit)}"
        smallest, prefix = shown(provider.smallest_window), f"`{{stack}}/{provider.secret_group}/`"
        rows.append([f"[{name}](providers/{name}.md)", title, visits, smallest, prefix, secret])
    head = ("provider", "logs of", "first visit; visited again", "smallest window", "secret's name begins with", "keys")
    return table(head, rows)
