"""What every provider promises: one suite for each folder in `functions/`."""

import ast
import datetime as dt
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from logarchive.column.convert import FieldMapping, epoch_ms
from logarchive.column.schema import COLUMNS
from logarchive.moment import SECOND
from logarchive.provider.provider import Provider
from logarchive.provider.source import Source
from logarchive.record.layout import JsonLayout, LineLayout
from tools.lock import ROOT
from tools.provider_page import page, stated
from tools.registry import names, providers

#: What a provider may import besides the standard library. import-linter checks which modules of the layer.
ALLOWED = {"httpx", "pydantic", "logarchive"}


@pytest.fixture(params=names())
def folder(request: pytest.FixtureRequest) -> Path:
    return ROOT / "functions" / str(request.param)


@pytest.fixture
def provider(folder: Path) -> Provider[Any, Any]:
    return providers()[folder.name]


@pytest.fixture
def configured(folder: Path, provider: Provider[Any, Any]) -> Source:
    found: Source = provider.source.model_validate(stated(folder.name))
    return found


def tree(folder: Path) -> ast.Module:
    return ast.parse((folder / "app.py").read_text())


def imported(folder: Path) -> set[str]:
    """Return the modules that are imported; of `from logarchive.vendor import ncloud`, `logarchive.vendor.ncloud`."""
    nodes = list(ast.walk(tree(folder)))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    sources = {
        (node.module or "", alias.name) for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    return plain | {f"{module}.{name}" for module, name in sources}


def test_the_folder_is_one_module_named_by_the_provider(folder: Path, provider: Provider[Any, Any]) -> None:
    assert provider.name == folder.name
    assert [path.name for path in folder.glob("*.py")] == ["app.py"]


def test_the_file_is_short_enough_to_be_read_in_two_minutes(folder: Path) -> None:
    assert len((folder / "app.py").read_text().splitlines()) <= 180


def test_it_leans_on_nothing_but_the_layer_httpx_and_pydantic(folder: Path) -> None:
    roots = {name.partition(".")[0] for name in imported(folder)}
    assert roots - set(sys.stdlib_module_names) <= ALLOWED
    assert not roots & {"os", "time", "socket", "threading", "logging"}


def test_it_knows_no_aws_no_environment_no_retry_and_no_key(folder: Path) -> None:
    variables = {node.id for node in ast.walk(tree(folder)) if isinstance(node, ast.Name)}
    assert not variables & {"boto3", "environ", "sleep", "retry"}
    texts = [node.value for node in ast.walk(tree(folder)) if isinstance(node, ast.Constant)]
    assert not [text for text in texts if isinstance(text, str) and text.startswith(("raw/", "logs/", "rejects/"))]


def test_importing_it_reads_no_environment_and_calls_nothing(folder: Path) -> None:
    program = (
        "import os, socket, sys\n"
        "def never(*_): raise AssertionError('touched')\n"
        "socket.socket.connect = never\n"
        "seen = []\n"
        "class Watched(dict):\n"
        "    def __getitem__(self, key): seen.append(key); return super().__getitem__(key)\n"
        "    def get(self, key, default=None): seen.append(key); return super().get(key, default)\n"
        f"sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'layers' / 'shared')!r}]\n"
        "os.environ = Watched(os.environ)\n"
        f"import functions.{folder.name}.app\n"
        "assert 'boto3' not in str(seen)\n"
        "ours = {'ARCHIVE_BUCKET', 'LEDGER_TABLE', 'SOURCES_PATH', 'SECRETS_PREFIX', 'AWS_ENDPOINT_URL'}\n"
        "assert not ours & set(map(str, seen)), seen\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_its_module_says_where_the_api_is_documented(folder: Path) -> None:
    text = ast.get_docstring(tree(folder)) or ""
    assert re.search(r"\w+\.\w+(\.\w+)?/|https://", text)


def test_it_ends_with_a_provider_and_a_handler(folder: Path) -> None:
    module = importlib.import_module(f"functions.{folder.name}.app")
    assert callable(module.handler)


def test_every_column_it_feeds_is_one_of_the_table_and_time_is_among_them(
    provider: Provider[Any, Any], configured: Source
) -> None:
    columns = provider.columns(configured)
    assert set(columns) <= set(COLUMNS) - {"source", "record_id", "attributes", "raw_part", "raw_index"}
    assert columns["time"].take
    assert set(columns) != {"time"}, f"functions/{provider.name}/app.py: `columns` feeds no column but time"
    assert all(isinstance(feed, FieldMapping) for feed in columns.values())


def test_no_two_columns_take_the_same_key(provider: Provider[Any, Any], configured: Source) -> None:
    taken = [feed.key for feed in provider.columns(configured).values() if feed.take]
    assert len(taken) == len(set(taken)) or isinstance(provider.layout, LineLayout)


def test_its_conversions_answer_one_value_for_each(provider: Provider[Any, Any], configured: Source) -> None:
    odd: list[Any] = [None, "", "x", 0, -1, 1.5, True, [], {}, "2026-11-20 10:00:00", 10**30, "²", "9" * 40]
    for column, feed in provider.columns(configured).items():
        assert len(feed.convert(list(odd))) == len(odd), column
        assert feed.convert([None]) == [None], column
    assert epoch_ms([1_000_000_000_000]) != [None]


def test_its_source_model_refuses_unknown_keys_and_describes_every_field(provider: Provider[Any, Any]) -> None:
    assert issubclass(provider.source, Source)
    assert provider.source.model_config.get("extra") == "forbid"
    assert all(field.description for field in provider.source.model_fields.values())


def test_its_docs_page_names_every_field_of_a_source_and_of_the_secret(
    folder: Path, provider: Provider[Any, Any]
) -> None:
    fields = [*(set(provider.source.model_fields) - set(Source.model_fields)), *provider.secret.model_fields]
    missing = [name for name in fields if f"`{name}`" not in page(folder.name)]
    assert not missing, f"docs/providers/{folder.name}.md does not name {', '.join(missing)}"


def test_its_secret_is_a_model_that_never_shows_what_it_holds(provider: Provider[Any, Any]) -> None:
    assert issubclass(provider.secret, BaseModel)
    values = {name: f"hush-{name}" for name in provider.secret.model_fields}
    assert "hush" not in repr(provider.secret.model_validate(values))
    assert provider.secret_group in {provider.name, "ncloud"}


def test_a_window_is_a_multiple_of_its_smallest_one(provider: Provider[Any, Any], configured: Source) -> None:
    assert configured.window % provider.smallest_window == dt.timedelta(0)
    assert provider.smallest_window % SECOND == dt.timedelta(0)


def test_halving_down_to_its_resolution_ends(provider: Provider[Any, Any], configured: Source) -> None:
    cap = provider.cap(configured)
    assert cap is None or cap >= 1
    assert provider.resolution > dt.timedelta(0)


def test_its_longest_range_holds_at_least_the_smallest_one_with_its_margins(provider: Provider[Any, Any]) -> None:
    longest = provider.longest_range
    assert longest is None or longest >= provider.resolution + 2 * provider.margin


def test_the_same_settings_are_the_same_feed_and_the_secret_is_no_part_of_it(
    provider: Provider[Any, Any], configured: Source
) -> None:
    other = configured.model_copy(update={"secret": "another", "delay": dt.timedelta(minutes=9)})
    assert provider.feed_id(configured) == provider.feed_id(other)


def test_its_layout_says_where_records_lie(provider: Provider[Any, Any]) -> None:
    assert isinstance(provider.layout, (JsonLayout, LineLayout))


def test_fetch_is_a_generator_that_asks_only_when_asked(provider: Provider[Any, Any]) -> None:
    assert inspect.isgeneratorfunction(provider.fetch)
