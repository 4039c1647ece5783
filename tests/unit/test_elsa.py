"""The ELSA provider: what it asks, what it takes for an error, and what its records become."""

import datetime as dt
from contextlib import AbstractContextManager
from pathlib import Path

import orjson
import pytest
from pydantic import ValidationError

from functions.elsa.app import ElsaSource, provider
from logarchive.errors import ForbiddenError, MalformedError, ProviderError, ThrottledError, UnavailableError
from logarchive.part import Part
from logarchive.vendor.ncloud import Keys
from logarchive.visit.collection import VisitApi
from logarchive.window import Span, Window
from tests.simulator.simulator import Simulator
from tests.unit.exchange import NOW, Script, Time, answer, built, connected, ok, opened

KEYS = Keys.model_validate({"access_key": "accessKey", "secret_key": "secretKey"})
HOUR = Span(NOW - dt.timedelta(hours=3), NOW - dt.timedelta(hours=2))
FIELDS = {"secret": "logarchive/ncloud/x", "project_key": "Pb123_checkout", "project_id": 16706}


def source(**fields: object) -> ElsaSource:
    return ElsaSource.model_validate(FIELDS | fields)


def fetched(directory: Path, script: Script, **fields: object) -> list[Part]:
    api = opened(provider, source(**fields), KEYS, directory, script, Time())
    return list(provider.fetch(api, source(**fields), HOUR))


def test_one_request_asks_for_the_span_to_its_last_millisecond(tmp_path: Path) -> None:
    script = Script([ok()])
    [part] = fetched(tmp_path, script)
    assert part.asked == HOUR
    assert part.role == "data"
    assert str(script.requests[0].url) == "https://elsa.apigw.ntruss.com/api/v1/logs/download"
    assert script.requests[0].method == "POST"
    assert orjson.loads(script.requests[0].content) == {
        "projectKey": "Pb123_checkout",
        "projectId": 16706,
        "from": 1795341600000,
        "to": 1795345199999,
        "format": "JSON",
        "limit": 1000,
        "count": 200000,
    }


def test_settings_say_what_is_asked_for(tmp_path: Path) -> None:
    script = Script([ok()])
    fetched(tmp_path, script, format="CSV", count=500, include_fields=["logTime", "body"])
    asked = orjson.loads(script.requests[0].content)
    assert (asked["format"], asked["count"], asked["includeFields"]) == ("CSV", 500, ["logTime", "body"])
    assert provider.cap(source(count=500)) == 500


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"include_fields": ["body"]}, "must contain logTime"),
        ({"include_fields": []}, "must contain logTime"),
        ({"project_key": ""}, "project_key"),
        ({"project_key": "x" * 54}, "project_key"),
        ({"project_id": "16706"}, "project_id"),
        ({"project_id": True}, "project_id"),
        ({"count": 0}, "count"),
        ({"count": 200_001}, "count"),
        ({"format": "XML"}, "format"),
        ({"project_idd": 1}, "project_idd"),
    ],
)
def test_a_wrong_source_is_refused_by_the_name_of_its_field(fields: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        source(**fields)


def test_another_project_is_another_feed_and_another_address_is_not() -> None:
    assert provider.feed_id(source()) != provider.feed_id(source(project_id=1))
    assert provider.feed_id(source()) != provider.feed_id(source(project_key="other"))
    assert provider.feed_id(source()) == provider.feed_id(source(base_url="https://elsa.apigw.gov-ntruss.com", count=1))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b'{"error":{"errorCode":"210","message":"Permission Denied"}}', ForbiddenError),
        (200, b'{"error":{"errorCode":"420","message":"Rate Limited"}}', ThrottledError),
        (200, b'{"errorCode":900,"message":"Unexpected Error"}', UnavailableError),
        (200, b'{"message":"no such project"}', MalformedError),
        (200, b"{}", MalformedError),
        (403, b'{"message":"no"}', ForbiddenError),
        (400, b'{"message":"no"}', MalformedError),
        (504, b'{"error":{"errorCode":"510","message":"Endpoint Timeout"}}', UnavailableError),
        (200, b"<html>maintenance</html>", MalformedError),
    ],
)
def test_an_error_is_none_of_the_records_under_whatever_status(
    tmp_path: Path, status: int, body: bytes, kind: type[ProviderError]
) -> None:
    with pytest.raises(kind) as caught:
        fetched(tmp_path, Script([answer(status, body)]))
    assert caught.value.part is not None
    assert caught.value.part.path.read_bytes() == body
    assert "nor a known error" not in str(caught.value) or status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"logs":[]}',
        b"PK\x05\x06" + bytes(18),
        b'{"logTime":1795341600000,"error":{"errorCode":"210"}}',
        b'{"logTime":1795341600000,"errorCode":"E1"}\n{"logTime":1795341600001}',
        b"logTime,errorCode\n1,210\n",
    ],
)
def test_what_may_be_records_or_an_empty_result_is_no_error(tmp_path: Path, body: bytes) -> None:
    [part] = fetched(tmp_path, Script([ok(body)]))
    assert part.path.read_bytes() == body


@pytest.mark.parametrize("key", ["message", "reason", "status"])
@pytest.mark.parametrize("before", range(255, 300, 4))
def test_no_half_of_a_secret_stays_where_a_long_error_is_cut(tmp_path: Path, before: int, key: str) -> None:
    secret = "0123456789abcdef"
    keys = Keys.model_validate({"access_key": "accessKey", "secret_key": secret})
    body = orjson.dumps({key: "x" * before + secret + "y" * 999, "logs": []})
    api = opened(provider, source(), keys, tmp_path, Script([ok(body)]), Time())
    with pytest.raises(MalformedError) as caught:
        list(provider.fetch(api, source(), Span(NOW, NOW + dt.timedelta(hours=1))))
    assert secret[:4] not in str(caught.value)
    assert len(str(caught.value)) < 1_000


def simulated(sim: Simulator, directory: Path, time: Time, **fields: object) -> AbstractContextManager[VisitApi]:
    configured = source(base_url=f"{sim.url}/elsa", **fields)
    return connected(provider, configured, KEYS, directory, time)


@pytest.mark.parametrize("layout", ["array", "lines", "wrapper", "members", "csv", "bare_array", "bare_lines"])
def test_the_provider_as_played_accepts_the_signature_and_gives_its_records(tmp_path: Path, layout: str) -> None:
    time = Time()
    with Simulator(clock=time, scale=0.05) as sim, simulated(sim, tmp_path, time) as api:
        sim.set("elsa", layout=layout, hostile=0)
        [part] = provider.fetch(api, source(), HOUR)
        count = sum(record.served for record in sim.truth("elsa", HOUR.start, HOUR.end))
    assert (
        built(provider, source(), [part.replace(own=HOUR)], Window(HOUR.start, HOUR.end), tmp_path).numbers.rows
        == count
        > 0
    )
