import datetime as dt

import pytest

from logarchive.errors import ConfigError
from logarchive.runtime.settings import NotarySettings, Settings

NEEDED = {"ARCHIVE_BUCKET": "b", "LEDGER_TABLE": "t", "SOURCES_PATH": "/la/sources/elsa/", "SECRETS_PREFIX": "la"}
CHOSEN = {
    "RAW_RETENTION_DAYS": "30",
    "RAW_RETENTION_MODE": "COMPLIANCE",
    "DETAILED_METRICS": "true",
    "PER_SOURCE_METRICS": "true",
    "TRACING": "true",
    "PROVIDERS": "dsa,elsa",
}


def settings(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name in (*CHOSEN, "ARCHIVE_FROM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**NEEDED, **variables}.items():
        monkeypatch.setenv(name, value)
    return Settings.from_environment()


def test_without_a_choice_nothing_is_locked_traced_or_published_per_source(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(monkeypatch) == Settings("b", "t", "/la/sources/elsa", "la", None, 0, "GOVERNANCE")


def test_what_was_chosen_at_deployment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings(monkeypatch, **CHOSEN)
    assert found == Settings(
        *("b", "t", "/la/sources/elsa", "la", None, 30, "COMPLIANCE"),
        detailed_metrics=True,
        per_source_metrics=True,
        tracing=True,
        providers=("dsa", "elsa"),
    )


def test_settings_know_the_first_day_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    first_day = settings(monkeypatch, ARCHIVE_FROM="2026-11-01").archive_from
    assert first_day == dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    with pytest.raises(ConfigError, match=r"ARCHIVE_FROM: 'November' is no day; for instance 2026-.* ArchiveFrom"):
        settings(monkeypatch, ARCHIVE_FROM="November")


def test_false_is_not_true(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(monkeypatch, PER_SOURCE_METRICS="false", TRACING="false") == settings(monkeypatch)


def test_every_variable_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=f"environment variables are not set: {', '.join(NEEDED)}"):
        settings(monkeypatch, **dict.fromkeys(NEEDED, ""))


@pytest.mark.parametrize(
    ("name", "value"), [("RAW_RETENTION_DAYS", "-1"), ("RAW_RETENTION_DAYS", "P30D"), ("RAW_RETENTION_MODE", "LEGAL")]
)
def test_a_lock_that_is_none_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        settings(monkeypatch, **{name: value})


def test_the_notary_knows_the_function_of_every_provider_and_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {
        **NEEDED, **CHOSEN, "FUNCTION_NAMES": "f-dsa,f-elsa", "DEAD_LETTERS": "q",
        "AWS_LAMBDA_FUNCTION_NAME": "f-notary", "PROOF_KEY": "k", "ALARM_TOPIC": "t",
    }  # fmt: skip
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = NotarySettings.from_environment()
    assert found.functions == {"dsa": "f-dsa", "elsa": "f-elsa", "notary": "f-notary"}
    assert (found.queue, found.detailed_metrics) == ("q", True)
    monkeypatch.setenv("FUNCTION_NAMES", "")
    assert NotarySettings.from_environment().functions == {}
    monkeypatch.setenv("FUNCTION_NAMES", "f-dsa")
    with pytest.raises(ValueError, match="shorter"):
        NotarySettings.from_environment()
