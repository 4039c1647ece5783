import datetime as dt
import json
from typing import Any, cast

import pytest

from functions.elsa.app import ElsaSource, provider
from logarchive.errors import ConfigError
from logarchive.runtime.source_loader import SourceLoader
from logarchive.vendor.ncloud import Keys
from tests.fake_aws import FakeSecrets, FakeSsm

GOOD = {"secret": "la/ncloud/one", "project_key": "p", "project_id": 1}
KEYS = '{"access_key": "AKIA", "secret_key": "hush-hush"}'


def sources(parameters: dict[str, object], secrets: dict[str, str] | None = None) -> SourceLoader[ElsaSource, Keys]:
    texts = {
        f"/la/sources/elsa/{name}": value if isinstance(value, str) else json.dumps(value)
        for name, value in parameters.items()
    }
    fake = FakeSecrets(secrets if secrets is not None else {"la/ncloud/one": KEYS})
    return SourceLoader(provider, FakeSsm(texts), fake, "/la/sources/elsa", "la")  # type: ignore[arg-type] # drop-ins


def test_a_good_source_and_its_secret_are_read() -> None:
    found = sources({"shop": GOOD})
    good, bad = found.load()
    assert bad == []
    assert good["shop"].project_id == 1
    assert found.secret(good["shop"]).secret_key.get_secret_value() == "hush-hush"


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("shop", GOOD | {"project_idd": 2}, "project_idd: unknown field"),
        ("shop", GOOD | {"project_id": "one"}, "project_id: Input should be a valid integer"),
        ("shop", {"secret": "la/ncloud/one"}, "project_key: Field required; project_id: Field required"),
        ("shop", "not json", "Invalid JSON"),
        ("shop", GOOD | {"secret": "other/ncloud/one"}, "does not start with la/ncloud/ or la/elsa/"),
        ("shop", GOOD | {"window": "PT0.5S"}, "window: must be whole seconds"),
        ("shop", GOOD | {"window": "PT0S"}, "window: must be longer than zero"),
        ("shop", GOOD | {"revisit": ["P1D", "PT1H"]}, "revisit: must be ascending"),
        ("shop", GOOD | {"retention": "P1D"}, "retention: the provider would drop records before the last revisit"),
        ("shop", GOOD | {"start": "2026-11-01T00:00:00"}, "start: .*timezone"),
        ("shop", GOOD | {"workers": 0}, "workers: "),
        ("shop", GOOD | {"base_url": "https://me:pass@elsa.example"}, "base_url: must not hold a user name"),
        ("Shop", GOOD, "bad name 'Shop'"),
        ("shop/two", GOOD, "bad name 'shop/two'"),
    ],
)
def test_a_bad_source_is_named_with_its_reason_and_the_others_go_on(name: str, text: object, reason: str) -> None:
    good, bad = sources({name: text, "other": GOOD}).load()
    assert list(good) == ["other"]
    [error] = bad
    assert error.name == name
    with pytest.raises(ConfigError, match=reason):
        raise ConfigError(error.error)


@pytest.mark.parametrize(
    ("secrets", "reason"),
    [
        ({}, "secret 'la/ncloud/one' cannot be read: ResourceNotFoundException"),
        ({"la/ncloud/one": "hush-hush"}, "Invalid JSON"),
        ({"la/ncloud/one": '{"access_key": "hush-hush"}'}, "secret_key: Field required"),
        ({"la/ncloud/one": '{"access_key": "a", "secret_key": ["hush-hush"]}'}, "secret_key: "),
    ],
)
def test_a_bad_secret_is_named_without_a_word_of_what_it_holds(secrets: dict[str, str], reason: str) -> None:
    found = sources({"shop": GOOD}, secrets)
    with pytest.raises(ConfigError, match=reason) as caught:
        found.secret(found.load()[0]["shop"])
    assert "hush-hush" not in str(caught.value)
    assert "hush-hush" not in repr(caught.value.__cause__)


def test_settings_name_every_variable_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    from logarchive.runtime.settings import Settings

    monkeypatch.setenv("ARCHIVE_BUCKET", "b")
    for name in ("LEDGER_TABLE", "SOURCES_PATH", "SECRETS_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="LEDGER_TABLE, SOURCES_PATH, SECRETS_PREFIX"):
        Settings.from_environment()


def test_settings_know_the_first_day_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    from logarchive.runtime.settings import Settings

    for name in ("ARCHIVE_BUCKET", "LEDGER_TABLE", "SOURCES_PATH", "SECRETS_PREFIX"):
        monkeypatch.setenv(name, "x")
    monkeypatch.delenv("ARCHIVE_FROM", raising=False)
    assert Settings.from_environment().archive_from is None
    monkeypatch.setenv("ARCHIVE_FROM", "2026-11-01")
    assert Settings.from_environment().archive_from == dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    monkeypatch.setenv("ARCHIVE_FROM", "November")
    with pytest.raises(ConfigError, match=r"ARCHIVE_FROM: 'November' is no day; .* ArchiveFrom"):
        Settings.from_environment()


def test_the_first_day_of_the_table_comes_from_the_environment_to_the_sources() -> None:
    from logarchive.action.archive import connect
    from logarchive.runtime.aws import Aws
    from logarchive.runtime.settings import Settings
    from logarchive.store.bucket import Store

    first = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    nobody = cast("Any", None)
    aws = Aws(Store(nobody, "bucket"), nobody, nobody, nobody, nobody)
    environment = Settings("bucket", "table", "/la/sources/elsa", "la", first)
    assert connect(provider, environment, aws, nobody, "function").source_loader.archive_from == first
