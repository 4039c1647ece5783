import datetime as dt
import json
import re
from typing import Any, cast

import pytest

from functions.dsa.app import provider as dsa
from functions.elsa.app import ElsaSource, provider
from logarchive.errors import ConfigError
from logarchive.runtime.source_loader import SourceLoader
from logarchive.vendor.ncloud import Keys
from tests.fake_aws import FakeSecrets, FakeSsm
from tools.lock import ROOT

GOOD = {"secret": "la/ncloud/one", "project_key": "p", "project_id": 1}
KEYS = '{"access_key": "AKIA", "secret_key": "hush-hush"}'


def sources(parameters: dict[str, object], secrets: dict[str, str] | None = None) -> SourceLoader[ElsaSource, Keys]:
    texts = {
        f"/la/sources/elsa/{name}": value if isinstance(value, str) else json.dumps(value)
        for name, value in parameters.items()
    }
    fake = FakeSecrets(secrets if secrets is not None else {"la/ncloud/one": KEYS})
    return SourceLoader(provider, FakeSsm(texts), fake, "/la/sources/elsa", "la")  # type: ignore[arg-type] # drop-ins


def test_every_form_of_a_duration_that_the_reference_names_is_read_and_means_what_it_says() -> None:
    page = (ROOT / "docs" / "reference.md").read_text()
    [sentence] = re.findall(r"^Fields of all sources: durations are (.+?); times have a zone", page, re.MULTILINE)
    forms = re.findall("`(.+?)`", sentence)
    read = {
        form: ElsaSource.model_validate(
            GOOD | {"quiet_after": int(form) if form.isdecimal() else form}  # in JSON a number
        ).quiet_after
        for form in forms
    }
    hours = {"PT1H": 1, "P30D": 720, "30 days": 720, "1 day 12:00:00": 36, "12:00:00": 12, "3600": 1}
    assert read == {form: dt.timedelta(hours=count) for form, count in hours.items()}


@pytest.mark.parametrize("before", ["\ufeff", "\ufeff\r\n", "\ufeff \t"])
def test_a_byte_order_mark_before_a_source_or_a_secret_is_read_past(before: str) -> None:
    found = sources({"shop": before + json.dumps(GOOD)}, {"la/ncloud/one": before + KEYS})
    good, bad = found.load()
    assert bad == []
    assert found.secret(good["shop"]).access_key.get_secret_value() == "AKIA"


@pytest.mark.parametrize("text", ["\ufeff", "\ufeff\ufeff{}", '{\ufeff"secret": "s"}'])
def test_a_byte_order_mark_that_no_document_follows_is_no_document(text: str) -> None:
    _, [bad] = sources({"shop": text}).load()
    assert bad.error.startswith("the document is no JSON")


@pytest.mark.parametrize(
    "url",
    [
        *("http://169.254.169.254/", "http://2852039166/", "http://0xa9.0376.43518/", "http://[fe80::1]/"),
        *("http://[fd00:ec2::254]/", "http://100.100.100.200/", "http://0/", "http://[::]/", "http://224.0.0.1/"),
        *("http://[::ffff:169.254.169.254]/", "http://[64:ff9b::a9fe:a9fe]/", "http://[::169.254.169.254]/"),
    ],
)
def test_a_base_url_never_leads_to_a_metadata_service(url: str) -> None:
    _, [bad] = sources({"shop": GOOD | {"base_url": url}}).load()
    assert bad.error.startswith("base_url: must not lead to a metadata service, nor to a link-local ")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000/elsa", "http://[::1]/", "https://10.0.0.5", "https://a.example"]
)
def test_a_base_url_may_be_private(url: str) -> None:
    assert sources({"shop": GOOD | {"base_url": url}}).load()[1] == []


@pytest.mark.parametrize("rest", ["#", "#x", "?", "?x=1", "?x#", "/path?x=1#y"])
def test_a_base_url_has_neither_query_nor_fragment(rest: str) -> None:
    _, [bad] = sources({"shop": GOOD | {"base_url": f"https://elsa.example/{rest}"}}).load()
    assert bad.error.startswith("base_url: must not contain a query or a fragment; for instance https://")


def test_a_good_source_and_its_secret_are_read() -> None:
    found = sources({"shop": GOOD})
    good, bad = found.load()
    assert bad == []
    assert good["shop"].project_id == 1
    assert found.secret(good["shop"]).secret_key.get_secret_value() == "hush-hush"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"project_idd": 2}, "project_idd: unknown field; did you mean project_id?"),
        ({"zzz": 2}, "zzz: unknown field; the fields are secret, base_url, start, window, delay, revisit, "),
        ({"project_id": "one"}, "project_id: is no whole number; for instance 1"),
        ({"project_id": -1}, "project_id: is less than 0; for instance 0"),
        ({"project_key": ""}, "project_key: too short; the minimum length is 1"),
        ({"secret": 815}, "secret: must be text in quotes; for instance logarchive/ncloud/prod"),
        (
            {"secret": "other/ncloud/one"},
            "secret: the name does not start with la/ncloud/ or la/elsa/",
        ),
        ({"window": "1h"}, "window: is no ISO 8601 duration; for instance PT1H"),
        (
            {"window": "PT0.5S"},
            "window: is no duration of whole seconds, from 0 to ten years; for instance PT1H",
        ),
        ({"window": "PT0S"}, "window: is not longer than zero; for instance PT1H"),
        ({"delay": "5 min"}, "delay: is no ISO 8601 duration; for instance PT5M"),
        ({"delay": "-PT1H"}, "delay: is no duration of whole seconds, from 0 to "),
        ({"revisit": "PT1H"}, 'revisit: is no list; for instance ["PT1H", "P1D"]'),
        ({"revisit": ["PT1H", "1 h"]}, "revisit.1: is no ISO 8601 duration; for instance PT1H"),
        (
            {"revisit": ["P1D", "PT1H"]},
            'revisit: must be ages in ascending order, each once; for instance ["PT1H", "P1D"]',
        ),
        (
            {"retention": "P1D"},
            "retention: P1D must be longer than window + last age in revisit (P1DT1H): ",
        ),
        ({"retention": "30"}, "retention: is no ISO 8601 duration; for instance PT1H"),
        ({"start": "yesterday"}, "start: is no ISO 8601 time; for instance 2026-11-01T00:00:00Z"),
        (
            {"start": "2026-11-01T00:00:00"},
            "start: has no time zone; for instance 2026-11-01T00:00:00Z",
        ),
        (
            {"start": "2026-11-01T00:00:00.5Z"},
            "start: is no whole second of the years 2000 to ",
        ),
        *(
            ({"start": beyond}, "start: is no whole second of the years 2000 to ")
            for beyond in ("0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00")
        ),
        ({"delay": "P999999999D"}, "delay: is no "),
        ({"workers": 0}, "workers: is less than 1; for instance 1"),
        ({"workers": 21}, "workers: is more than 20; for instance 1"),
        (
            {"pace": 1, "workers": 2},
            "pace: 1 is less than one request a minute for each of the 2 workers; ",
        ),
        ({"enabled": "maybe"}, "enabled: is neither true nor false; for instance true"),
        (
            {"base_url": "elsa.example"},
            "base_url: is no http or https URL; for instance https://",
        ),
        (
            {"base_url": "https://me:hush@elsa.example"},
            "base_url: must not contain a user name or password: ",
        ),
        ({"format": "XML"}, "format: is not 'JSON' or 'CSV'"),
    ],
)
def test_a_message_says_what_is_wrong_where_and_what_is_right(fields: dict[str, object], message: str) -> None:
    good, [bad] = sources({"shop": GOOD | fields, "other": GOOD}).load()
    assert list(good) == ["other"]
    assert (bad.name, bad.error[: len(message)]) == ("shop", message)
    assert not re.search("hush|815", bad.error)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("shop", {"secret": "la/ncloud/one", "project_id": 1}, "project_key: missing (the project's key)"),
        *(
            ("shop", text, 'the document is no JSON object; for instance {"secret": "logarchive/')
            for text in ("[]", "5", "null", '"x"')
        ),
        ("shop", "not json", "the document is no JSON: expected ident at line 1 column 2; for instance {"),
        (
            "Shop",
            GOOD,
            'name: "Shop" is no source name: lower-case letters, digits and -, at most 63; for instance shop-1',
        ),
        ("shop/two", GOOD, 'name: "shop/two" is no source name'),
    ],
)
def test_a_source_that_is_no_source_at_all_is_named_with_its_reason(name: str, text: object, message: str) -> None:
    good, [bad] = sources({name: text, "other": GOOD}).load()
    assert list(good) == ["other"]
    assert (bad.name, bad.error[: len(message)]) == (name, message)


@pytest.mark.parametrize(
    ("secrets", "message"),
    [
        ({}, "cannot be read: ResourceNotFoundException"),
        (
            {"la/ncloud/one": "hush-hush"},
            'the document is no JSON: expected value at line 1 column 1; for instance {"access_key": "…", ',
        ),
        ({"la/ncloud/one": '{"access_key": "hush-hush"}'}, "secret_key: missing"),
        ({"la/ncloud/one": '{"access_key": "a", "secret_key": ["hush-hush"]}'}, "secret_key: must be text in quotes"),
        (
            {"la/ncloud/one": '{"access_key": "a", "secret_key": "hush hush"}'},
            "secret_key: must be printable ASCII",
        ),
        (
            {"la/ncloud/one": '{"access_key": "a", "secretkey": "hush-hush"}'},
            "secretkey: unknown field; did you mean secret_key?",
        ),
    ],
)
def test_a_bad_secret_is_named_without_a_word_of_what_it_holds(secrets: dict[str, str], message: str) -> None:
    found = sources({"shop": GOOD}, secrets)
    with pytest.raises(ConfigError, match=f"^secret 'la/ncloud/one'.*{re.escape(message)}") as caught:
        found.secret(found.load()[0]["shop"])
    assert "hush" not in str(caught.value)
    assert "hush" not in repr(caught.value.__cause__)


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


def test_a_start_within_the_hour_of_a_file_is_refused_where_the_file_is_the_unit() -> None:
    source = {"secret": "la/dsa/one", "api": "cdn", "hosts": ["a.test"], "start": "2026-11-20T00:30:00Z"}
    ssm: Any = FakeSsm({"/la/sources/dsa/edge": json.dumps(source)})
    _, [error] = SourceLoader(dsa, ssm, cast("Any", FakeSecrets()), "/la/sources/dsa", "la").load()
    assert error.error == "start: 2026-11-20T00:30:00Z is no multiple of PT1H in UTC; for instance 2026-11-20T00:00:00Z"
