"""The simulator behaves as the vendors' pages say, and its truth is what it serves."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import shlex
import subprocess
import sys
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.simulator import (
    HOSTS,
    NCLOUD_ACCESS_KEY,
    NCLOUD_SECRET_KEY,
    PROJECT_ID,
    PROJECT_KEY,
    TENCENT_SECRET_ID,
    TENCENT_SECRET_KEY,
    Record,
    Simulator,
)
from tests.simulator.signature import api2, ncloud, tc3

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
HOUR = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ONE_HOUR = timedelta(hours=1)
SIGN = {"projectKey": PROJECT_KEY, "projectId": PROJECT_ID, "limit": 1000, "count": 200_000}
type Response = httpx.Response
HTTP = httpx.Client(trust_env=False, timeout=10)


@pytest.fixture
def sim() -> Iterator[Simulator]:
    """Return a small simulator at a fixed time."""
    with Simulator(seed=7, scale=0.1, clock=lambda: NOW) as simulator:
        yield simulator


def ms(moment: datetime) -> int:
    """Return epoch milliseconds."""
    return round(moment.timestamp() * 1000)


def elsa(sim: Simulator, start: datetime, end: datetime, *, skew: timedelta = timedelta(), **more: object) -> Response:
    """Ask for a download; `end` is included."""
    body = SIGN | {"from": ms(start), "to": ms(end)} | more
    stamp = str(ms(sim.now() + skew))
    signature = ncloud("POST", "/elsa/api/v1/logs/download", stamp, NCLOUD_ACCESS_KEY, NCLOUD_SECRET_KEY)
    headers = {"x-ncp-apigw-timestamp": stamp, "x-ncp-iam-access-key": NCLOUD_ACCESS_KEY}
    headers |= {"x-ncp-apigw-signature-v2": signature}
    return HTTP.post(f"{sim.url}/elsa/api/v1/logs/download", json=body, headers=headers)


def members(response: Response) -> list[bytes]:
    """Return the contents of a zip."""
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        return [archive.read(info) for info in archive.infolist() if not info.is_dir()]


def array(response: Response) -> list[Any]:
    """Return the one JSON array of a zip."""
    (content,) = members(response)
    return list(json.loads(content))


def texts(records: Iterator[Record]) -> list[bytes]:
    """Return the exact texts."""
    return [record.text for record in records]


_nonce = iter(range(1, 1_000_000))


def dsa(sim: Simulator, hosts: list[str], first: str, last: str, **more: str) -> dict[str, Any]:
    """List links by the old API."""
    form = {"Action": "GetDsaHostLogs", "SecretId": TENCENT_SECRET_ID, "Nonce": str(next(_nonce))}
    form |= {"Timestamp": str(ms(sim.now()) // 1000), "hosts": json.dumps(hosts), "startDate": first, "endDate": last}
    form |= more
    form["Signature"] = form.get("Signature") or api2(
        "POST", urlsplit(sim.url).netloc, "/dsa/v2/index.php", form, TENCENT_SECRET_KEY
    )
    return dict(HTTP.post(f"{sim.url}/dsa/v2/index.php", data=form).json())


def cdn(sim: Simulator, skew_seconds: int = 0, secret: str = TENCENT_SECRET_KEY, **more: object) -> dict[str, Any]:
    """List links by the living API."""
    body = {"Domain": HOSTS[0], "StartTime": "2026-11-22 00:00:00", "EndTime": "2026-11-22 23:59:59"} | more
    content = json.dumps(body).encode()
    headers = {"host": urlsplit(sim.url).netloc, "content-type": "application/json", "x-tc-version": "2018-06-06"}
    stamp = ms(sim.now()) // 1000 + skew_seconds
    headers |= {"x-tc-action": "DescribeCdnDomainLogs", "x-tc-timestamp": str(stamp)}
    signature = tc3("/", headers, ["content-type", "host"], content, "cdn", secret)
    scope = f"{TENCENT_SECRET_ID}/{datetime.fromtimestamp(stamp, UTC):%Y-%m-%d}/cdn/tc3_request"
    given = f"TC3-HMAC-SHA256 Credential={scope}, SignedHeaders=content-type;host, Signature={signature}"
    answer = HTTP.post(f"{sim.url}/cdn/", content=content, headers=headers | {"authorization": given})
    return dict(answer.json()["Response"])


def link(sim: Simulator, host: str = HOSTS[0], hour: str = "20:00:00") -> str:
    """Return the link of an hour, told in +08:00, of 2026-11-22."""
    found = dsa(sim, [host], "2026-11-22", "2026-11-22")["data"][host]
    return next(str(one["url"]) for one in found if one["datetime"] == f"2026-11-22 {hour}")


def lines(response: Response) -> list[bytes]:
    """Return the lines of a gzip file."""
    return gzip.decompress(response.content).splitlines()


class TestSignature:
    @pytest.mark.parametrize(
        ("method", "target", "stamp", "signature"),
        [
            (
                "GET",
                "/photos/puppy.jpg?query1=&query2",
                "1505290625682",
                "vdld3MEKJoLwzbgIYnqiRZRqynVpC1iRZZzm9qXUTf8=",
            ),
            ("POST", "/api/v1/logs/download", "1381190400000", "pbqEuV5aTvCr846ibZhRZNDrHWKsEoGeQLCQnCOGzcM="),
            (
                "POST",
                "/api/v1/dashboards/events/search",
                "1381190400000",
                "q6Zv0MUMS4i/2TxxX8q4zJFikF9EwaYwDOOxpuOUc0c=",
            ),
            (
                "GET",
                "/api/v1/policy/policyLog?pageNo=1&pageSize=100&policyId=127&startTime=1700479924521&endTime=1700556709111",
                "1700556709111",
                "GjJmzozZdsi62ALeD9ai8amGBEpNZYuBkG3UxqC/LO0=",
            ),
        ],
    )
    def test_the_gateway_formula_gives_the_known_vectors(
        self, method: str, target: str, stamp: str, signature: str
    ) -> None:
        assert ncloud(method, target, stamp, "accessKey", "secretKey") == signature

    @pytest.mark.parametrize(
        ("method", "more", "signature"),
        [
            ("POST", {"SignatureMethod": "HmacSHA1"}, "p3n+pxBqF5JGZtDSxoVn5tGngf0="),
            ("POST", {"SignatureMethod": "HmacSHA256"}, "B2T37FRSP6Fk0/q/cdfrTE0p3zX5ooB/2BPWZUFpsj4="),
            ("GET", {"SignatureMethod": "HmacSHA1"}, "5HAq1BOKNLEE2/uauWnp6Zv9Z3c="),
        ],
    )
    def test_the_old_tencent_formula_gives_the_vectors_of_the_vendors_own_test(
        self, method: str, more: dict[str, str], signature: str
    ) -> None:
        form = {"Action": "DescribeInstances", "Region": "ap-guangzhou", "Version": "2017-03-12"}
        form |= {"SecretId": "secretIdFoo", "Nonce": "1290303896666895346", "Timestamp": "1512393162"} | more
        assert api2(method, "cvm.api.qcloud.com", "/v2/index.php", form, "secretKeyBar") == signature

    @pytest.mark.parametrize(
        ("more", "signature"),
        [
            ({}, "2GRXud1eyHDqk2biWqUCGbcT1QY="),
            ({"SignatureMethod": "HmacSHA256"}, "2IHER1shSVq79kDqlmXZu5320hsFgWUOCdG4KwOJX1E="),
        ],
    )
    def test_the_old_tencent_formula_gives_the_vectors_for_log_links(
        self, more: dict[str, str], signature: str
    ) -> None:
        form = {"startDate": "2018-04-18", "endDate": "2018-04-18", "hosts": '["a.dsa.qcloud.com","b.dsa.qcloud.com"]'}
        form |= {"Action": "GetDsaHostLogs", "SecretId": "secretIdFoo", "Nonce": "123456789", "Timestamp": "1524279600"}
        assert api2("POST", "dsa.api.qcloud.com", "/v2/index.php", form | more, "secretKeyBar") == signature

    def test_tc3_gives_the_vector_of_the_vendors_page(self) -> None:
        body = '{"Limit": 1, "Filters": [{"Values": ["\\u672a\\u547d\\u540d"], "Name": "instance-name"}]}'
        headers = {"content-type": "application/json; charset=utf-8", "host": "cvm.tencentcloudapi.com"}
        headers["x-tc-timestamp"] = "1551113065"
        found = tc3("/", headers, ["content-type", "host"], body.encode(), "cvm", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE")
        assert found == "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"


class TestTruth:
    def test_the_same_seed_gives_the_same_records(self) -> None:
        held = [Simulator(seed=3, scale=0.05, clock=lambda: NOW) for _ in range(2)]
        for name in ("elsa", "dsa"):
            one, other = (texts(sim.truth(name, HOUR, HOUR + ONE_HOUR)) for sim in held)
            assert one == other
            assert one

    def test_another_seed_gives_other_records(self) -> None:
        one, other = (Simulator(seed=seed, scale=0.05, clock=lambda: NOW) for seed in (3, 4))
        assert texts(one.truth("elsa", HOUR, NOW)) != texts(other.truth("elsa", HOUR, NOW))

    def test_an_hour_does_not_depend_on_the_hours_asked_for_before(self) -> None:
        one, other = (Simulator(seed=3, scale=0.05, clock=lambda: NOW) for _ in range(2))
        list(one.truth("elsa", HOUR - DAY, HOUR))
        assert texts(one.truth("elsa", HOUR, NOW)) == texts(other.truth("elsa", HOUR, NOW))

    def test_two_days_hold_a_burst_late_fleeting_odd_and_double_records(self) -> None:
        sim = Simulator(clock=lambda: NOW)
        records = list(sim.truth("elsa", NOW - 2 * DAY, NOW))
        hours = Counter(record.hour for record in records)
        assert 130_000 < len(records) < 170_000
        assert hours[sim.elsa.burst_hour(NOW)] > 10 * sorted(hours.values())[-2]
        assert max(Counter(record.time_ms // 1000 for record in records).values()) >= 300
        assert 0.005 < sum(record.visible_ms - record.time_ms > 60_000 for record in records) / len(records) < 0.02
        assert 10 < sum(record.fleeting for record in records) < 300
        assert {"plain", "odd", "duplicate"} == {record.kind for record in records}
        assert max(Counter(record.text for record in records).values()) >= 2
        assert all(record.time_ms == record.value["logTime"] for record in records[::50])

    def test_two_days_of_lines_lie_with_all_hosts(self) -> None:
        sim = Simulator(clock=lambda: NOW)
        records = list(sim.truth("dsa", NOW - 2 * DAY, NOW))
        assert 150_000 < len(records) < 190_000
        assert len(HOSTS) == len({record.host for record in records}) == 12
        assert max(record.visible_ms - record.hour_ms for record in records) <= 6 * 3_600_000

    def test_a_quiet_hour_holds_nothing(self, sim: Simulator) -> None:
        quiet = HOUR.replace(hour=3)
        assert not list(sim.truth("elsa", quiet, quiet + ONE_HOUR))
        assert not list(sim.truth("dsa", HOUR.replace(hour=20), HOUR.replace(hour=21)))

    def test_every_record_without_a_time_or_sense_is_said_to_be_so(self, sim: Simulator) -> None:
        sim.set("elsa", unreadable_times=3, unparsable=2, hostile=4)
        kinds = Counter(record.kind for record in sim.truth("elsa", HOUR, HOUR + ONE_HOUR))
        assert (kinds["unreadable_time"], kinds["unparsable"], kinds["hostile"]) == (3, 2, 4)


class TestElsa:
    def test_every_visible_record_is_served_once_with_its_exact_text(self, sim: Simulator) -> None:
        (content,) = members(elsa(sim, HOUR, HOUR + ONE_HOUR - timedelta(milliseconds=1)))
        visible = [r.text for r in sim.truth("elsa", HOUR, HOUR + ONE_HOUR) if r.visible_from <= NOW]
        assert content == b"[" + b",".join(visible) + b"]"
        assert all(r.served == (r.visible_from <= NOW) for r in sim.truth("elsa", HOUR, HOUR + ONE_HOUR))

    def test_both_ends_are_inclusive_by_default(self, sim: Simulator) -> None:
        sim.add("elsa", HOUR, '{"logTime":1,"body":"at the end"}')
        assert {"logTime": 1, "body": "at the end"} in array(elsa(sim, HOUR - ONE_HOUR, HOUR))

    def test_an_exclusive_end_leaves_the_record_at_the_end_out(self, sim: Simulator) -> None:
        sim.set("elsa", exclusive_end=True)
        sim.add("elsa", HOUR, '{"logTime":1}')
        assert {"logTime": 1} not in array(elsa(sim, HOUR - ONE_HOUR, HOUR))
        assert {"logTime": 1} in array(elsa(sim, HOUR, HOUR + ONE_HOUR))

    @pytest.mark.parametrize(("cut", "kept"), [("newest", slice(0, 10)), ("oldest", slice(-10, None))])
    def test_a_count_that_is_reached_cuts_one_end_off(self, sim: Simulator, cut: str, kept: slice) -> None:
        sim.set("elsa", cut=cut, late_fraction=0, fleeting_fraction=0)
        times = [r.time_ms for r in sim.truth("elsa", HOUR, HOUR + ONE_HOUR)][kept]
        found = array(elsa(sim, HOUR, HOUR + ONE_HOUR - timedelta(milliseconds=1), count=10))
        assert [one["logTime"] for one in found] == times
        assert sum(r.served for r in sim.truth("elsa", HOUR, HOUR + ONE_HOUR)) == 10

    def test_a_lower_cap_wins_over_the_count(self, sim: Simulator) -> None:
        sim.set("elsa", cap=5)
        assert len(array(elsa(sim, HOUR, HOUR + ONE_HOUR))) == 5

    @pytest.mark.parametrize("layout", ["lines", "wrapper", "members", "bare_array", "bare_lines"])
    def test_a_layout_holds_the_same_records_as_another(self, sim: Simulator, layout: str) -> None:
        wanted = array(elsa(sim, HOUR, HOUR + ONE_HOUR))
        sim.set("elsa", layout=layout)
        response = elsa(sim, HOUR, HOUR + ONE_HOUR)
        parts = [response.content] if layout.startswith("bare") else members(response)
        found: list[Any] = []
        for part in filter(None, parts):
            if layout.endswith("lines"):
                found += [json.loads(line) for line in part.splitlines()]
            else:
                value = json.loads(part)
                found += value["logs"] if layout == "wrapper" else value
        assert found == wanted

    def test_several_members_include_a_directory_and_an_empty_one(self, sim: Simulator) -> None:
        sim.set("elsa", layout="members")
        with zipfile.ZipFile(io.BytesIO(elsa(sim, HOUR, HOUR + ONE_HOUR).content)) as archive:
            sizes = [(info.is_dir(), info.file_size) for info in archive.infolist()]
        assert sizes[:2] == [(True, 0), (False, 0)]
        assert len(sizes) == 5

    def test_csv_has_a_mark_a_header_and_a_row_for_each_record(self, sim: Simulator) -> None:
        wanted = array(elsa(sim, HOUR, HOUR + ONE_HOUR))
        (content,) = members(elsa(sim, HOUR, HOUR + ONE_HOUR, format="CSV"))
        assert content.startswith(b"\xef\xbb\xbf")
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
        assert [row["logTime"] for row in rows] == [str(one["logTime"]) for one in wanted]
        assert next(row["body"] for row in rows if row["body"]) == wanted[0]["body"]

    def test_only_the_fields_asked_for_are_served_with_their_exact_text(self, sim: Simulator) -> None:
        sim.add("elsa", HOUR, '{"logTime":1,"price":1.10,"x":{"a":[1]},"b":"}"}')
        (content,) = members(elsa(sim, HOUR, HOUR, includeFields=["price", "x"]))
        assert b'{"price":1.10,"x":{"a":[1]}}' in content

    @pytest.mark.parametrize(("empty", "size"), [("array", 1), ("zip", 0), ("body", None)])
    def test_an_empty_result_looks_as_switched(self, sim: Simulator, empty: str, size: int | None) -> None:
        sim.set("elsa", empty=empty)
        response = elsa(sim, HOUR.replace(hour=3), HOUR.replace(hour=3, minute=59))
        assert response.status_code == 200
        assert (len(members(response)) if response.content else None) == size

    def test_a_wrong_signature_is_refused_as_the_gateway_does(self, sim: Simulator) -> None:
        headers = {"x-ncp-apigw-timestamp": str(ms(NOW)), "x-ncp-iam-access-key": NCLOUD_ACCESS_KEY}
        headers["x-ncp-apigw-signature-v2"] = "AAAA"
        response = HTTP.post(f"{sim.url}/elsa/api/v1/logs/download", json=SIGN, headers=headers)
        assert (response.status_code, response.json()["error"]["errorCode"]) == (401, "200")

    @pytest.mark.parametrize("sign", [1, -1])
    def test_a_clock_five_minutes_off_is_refused_and_a_little_less_is_not(self, sim: Simulator, sign: int) -> None:
        assert elsa(sim, HOUR, HOUR, skew=sign * timedelta(minutes=5)).status_code == 401
        assert elsa(sim, HOUR, HOUR, skew=sign * timedelta(minutes=4, seconds=59)).status_code == 200

    @pytest.mark.parametrize(
        "more",
        [
            {"limit": 0},
            {"limit": 1001},
            {"count": 0},
            {"count": 200_001},
            {"format": "XML"},
            {"projectKey": "x" * 54},
            {"projectId": "16706"},
            {"from": "2026-11-22"},
            {"from": ms(HOUR) + 1},
            {"includeFields": "body"},
        ],
    )
    def test_a_parameter_beyond_its_limits_is_refused(self, sim: Simulator, more: dict[str, Any]) -> None:
        response = elsa(sim, HOUR, HOUR, **more)
        assert (response.status_code, response.json()["error"]["errorCode"]) == (400, "100")

    def test_another_project_is_denied(self, sim: Simulator) -> None:
        assert elsa(sim, HOUR, HOUR, projectId=1).json()["error"]["errorCode"] == "210"

    def test_what_is_older_than_the_retention_is_gone(self, sim: Simulator) -> None:
        sim.set("elsa", retention_days=1)
        assert not array(elsa(sim, HOUR - 2 * DAY, HOUR - DAY))


class TestVisibility:
    def test_a_late_record_appears_later_and_not_before(self, sim: Simulator) -> None:
        record = sim.add("elsa", HOUR, '{"logTime":2}', visible_from=NOW + timedelta(hours=1))
        assert {"logTime": 2} not in array(elsa(sim, HOUR, HOUR))
        assert not record.due(NOW)
        sim.advance(ONE_HOUR)
        assert {"logTime": 2} in array(elsa(sim, HOUR, HOUR))
        assert record.due(NOW + ONE_HOUR)

    def test_a_fleeting_record_goes_after_it_was_served_and_stays_in_the_truth(self, sim: Simulator) -> None:
        record = sim.add("elsa", HOUR, '{"logTime":3}', fleeting=True)
        assert not record.due(NOW)
        for step, there in ((0, True), (1799, True), (1, False)):
            sim.advance(timedelta(seconds=step))
            assert ({"logTime": 3} in array(elsa(sim, HOUR, HOUR))) == there
        assert record.served
        assert record in sim.expected("elsa", HOUR, HOUR + ONE_HOUR, sim.now())

    def test_a_body_that_was_cut_has_served_nothing(self, sim: Simulator) -> None:
        sim.fault("cut_body", "elsa")
        with pytest.raises(httpx.RemoteProtocolError):
            elsa(sim, HOUR, HOUR + ONE_HOUR)
        assert not any(record.served for record in sim.truth("elsa", HOUR, NOW))

    def test_a_line_that_comes_late_makes_the_file_grow(self, sim: Simulator) -> None:
        sim.set("dsa", late_fraction=0.2)
        sim.clock = lambda: HOUR + ONE_HOUR + timedelta(minutes=31)
        early = lines(HTTP.get(link(sim)))
        sim.advance(timedelta(hours=1, minutes=29))
        grown = lines(HTTP.get(link(sim)))
        sim.advance(timedelta(hours=5))
        final = lines(HTTP.get(link(sim)))
        assert len(early) < len(grown) < len(final)
        assert not Counter(early) - Counter(grown)


class TestDsa:
    def test_a_file_holds_the_exact_lines_of_its_host_and_hour(self, sim: Simulator) -> None:
        truth = [r for r in sim.truth("dsa", HOUR, HOUR + ONE_HOUR) if r.host == HOSTS[0]]
        assert lines(HTTP.get(link(sim))) == [r.text for r in truth if r.visible_from <= NOW]
        assert all(r.served == (r.visible_from <= NOW) for r in truth)

    def test_a_listing_in_the_shape_of_the_page_has_no_link_for_a_quiet_hour(self, sim: Simulator) -> None:
        sim.set("dsa", quiet=[10])
        answer = dsa(sim, list(HOSTS[:2]), "2026-11-22", "2026-11-22")
        assert (answer["code"], answer["codeDesc"], sorted(answer["data"])) == (0, "Success", sorted(HOSTS[:2]))
        hours = [one["datetime"] for one in answer["data"][HOSTS[0]]]
        assert hours[0] == "2026-11-22 00:00:00"
        assert "2026-11-22 17:00:00" in hours
        assert "2026-11-22 18:00:00" not in hours

    def test_a_day_begins_at_sixteen_hours_utc_of_the_day_before(self, sim: Simulator) -> None:
        first = dsa(sim, [HOSTS[0]], "2026-11-22", "2026-11-22")["data"][HOSTS[0]][0]["url"]
        truth = [r for r in sim.truth("dsa", HOUR - 20 * ONE_HOUR, HOUR - 19 * ONE_HOUR) if r.host == HOSTS[0]]
        assert lines(HTTP.get(first)) == [r.text for r in truth]

    def test_a_link_appears_half_an_hour_after_the_hour(self, sim: Simulator) -> None:
        for minutes, there in ((29, False), (30, True)):
            sim.clock = lambda minutes=minutes: HOUR + ONE_HOUR + timedelta(minutes=minutes)  # type: ignore[misc]
            listed = dsa(sim, [HOSTS[0]], "2026-11-22", "2026-11-22")["data"][HOSTS[0]]
            assert ("2026-11-22 20:00:00" in [one["datetime"] for one in listed]) == there

    def test_days_older_than_forty_have_no_links(self, sim: Simulator) -> None:
        answer = dsa(sim, [HOSTS[0]], "2026-10-01", "2026-10-14")
        assert [one["datetime"] for one in answer["data"][HOSTS[0]]][:1] == ["2026-10-13 23:00:00"]

    def test_a_reused_nonce_is_refused(self, sim: Simulator) -> None:
        codes = [dsa(sim, [HOSTS[0]], "", "", Nonce="77")["code"] for _ in range(2)]
        assert codes == [0, 4500]

    def test_a_stale_timestamp_is_refused(self, sim: Simulator) -> None:
        assert dsa(sim, [HOSTS[0]], "", "", Timestamp=str(ms(NOW) // 1000 - 301))["code"] == 4500

    def test_a_wrong_signature_is_refused_under_http_200(self, sim: Simulator) -> None:
        assert dsa(sim, [HOSTS[0]], "", "", Signature="AAAA")["code"] == 4100

    def test_eleven_hosts_are_too_many(self, sim: Simulator) -> None:
        codes = [dsa(sim, list(HOSTS[:number]), "", "")["code"] for number in (10, 11)]
        assert codes == [0, 4000]

    def test_the_hundred_and_first_call_in_a_minute_is_refused(self, sim: Simulator) -> None:
        codes = [dsa(sim, ["no.such.host"], "", "")["code"] for _ in range(101)]
        assert codes == [5000] * 100 + [4400]
        sim.advance(timedelta(minutes=1))
        assert dsa(sim, ["no.such.host"], "", "")["code"] == 5000

    def test_a_sha256_signature_is_accepted(self, sim: Simulator) -> None:
        assert dsa(sim, [HOSTS[0]], "", "", SignatureMethod="HmacSHA256")["code"] == 0

    def test_the_query_of_a_link_changes_and_its_path_does_not(self, sim: Simulator) -> None:
        one, other = urlsplit(link(sim)), urlsplit(link(sim))
        assert one.path == other.path == f"/download/20261122/20/20261122-{HOSTS[0]}"
        assert one.query != other.query

    def test_a_link_is_valid_for_a_day(self, sim: Simulator) -> None:
        url = link(sim)
        sim.advance(DAY - timedelta(seconds=1))
        assert HTTP.get(url).status_code == 200
        sim.advance(timedelta(seconds=1))
        assert HTTP.get(url).status_code == 403

    def test_a_link_that_nobody_listed_is_forbidden(self, sim: Simulator) -> None:
        assert HTTP.get(link(sim).split("?")[0] + "?st=guess&e=1").status_code == 403

    @pytest.mark.parametrize("name", ["Authorization", "x-tc-timestamp", "X-NCP-IAM-Access-Key", "Cookie"])
    def test_credentials_are_refused_by_the_download_host(self, sim: Simulator, name: str) -> None:
        assert HTTP.get(link(sim), headers={name: "secret"}).status_code == 400

    def test_the_same_lines_give_the_same_bytes(self, sim: Simulator) -> None:
        digests = {hashlib.sha256(HTTP.get(link(sim)).content).hexdigest() for _ in range(2)}
        assert len(digests) == 1

    def test_a_tar_and_a_plain_file_hold_the_same_lines(self, sim: Simulator) -> None:
        wanted = lines(HTTP.get(link(sim)))
        sim.set("dsa", packing="plain")
        assert HTTP.get(link(sim)).content.splitlines() == wanted
        sim.set("dsa", packing="tar")
        with tarfile.open(fileobj=io.BytesIO(HTTP.get(link(sim)).content)) as archive:
            member = archive.extractfile(archive.getmembers()[0])
            assert member is not None
            assert member.read().splitlines() == wanted

    def test_links_can_point_elsewhere(self, sim: Simulator) -> None:
        sim.set("dsa", links_base="http://169.254.169.254/latest")
        assert link(sim).startswith("http://169.254.169.254/latest/20261122/20/20261122-")

    @pytest.mark.parametrize(("fields", "numbers"), [("12", {12}), ("15", {15}), ("16", {16}), ("mix", {12, 15, 16})])
    def test_lines_have_as_many_fields_as_switched(self, sim: Simulator, fields: str, numbers: set[int]) -> None:
        sim.set("dsa", fields=fields)
        found = {len(shlex.split(r.text.decode())) for r in sim.truth("dsa", HOUR, HOUR + ONE_HOUR)}
        assert found == numbers

    @pytest.mark.parametrize(
        ("style", "text"), [("quoted", '"2026-11-22 20:'), ("epoch", "17953"), ("compact", "2026112220")]
    )
    def test_times_are_told_as_switched(self, sim: Simulator, style: str, text: str) -> None:
        sim.set("dsa", time_format=style, early_fraction=0)
        assert all(r.text.decode().startswith(text) for r in sim.truth("dsa", HOUR, HOUR + ONE_HOUR))


class TestCdn:
    def test_pages_join_to_the_whole_listing(self, sim: Simulator) -> None:
        whole = cdn(sim)
        pages = [cdn(sim, Offset=offset, Limit=5)["DomainLogs"] for offset in range(0, 25, 5)]
        assert [one["StartTime"] for page in pages for one in page] == [one["StartTime"] for one in whole["DomainLogs"]]
        assert whole["TotalCount"] == len(whole["DomainLogs"]) > 15

    def test_an_entry_leads_to_the_lines_of_its_hour(self, sim: Simulator) -> None:
        (log,) = cdn(sim, StartTime="2026-11-22 20:00:00", EndTime="2026-11-22 20:59:59")["DomainLogs"]
        truth = [r for r in sim.truth("dsa", HOUR, HOUR + ONE_HOUR) if r.host == HOSTS[0]]
        response = HTTP.get(log["LogPath"])
        assert lines(response) == [r.text for r in truth if r.visible_from <= NOW]
        assert log["FileSize"] == len(response.content)
        assert (log["EndTime"], log["LogName"]) == ("2026-11-22 20:59:59", f"2026112220-{HOSTS[0]}.gz")

    def test_a_wrong_key_is_refused_in_the_wrapper(self, sim: Simulator) -> None:
        assert cdn(sim, secret="wrong")["Error"]["Code"] == "AuthFailure.SignatureFailure"

    def test_a_timestamp_more_than_five_minutes_off_is_expired(self, sim: Simulator) -> None:
        assert "Error" not in cdn(sim, skew_seconds=-300)
        assert cdn(sim, skew_seconds=-301)["Error"]["Code"] == "AuthFailure.SignatureExpire"

    def test_the_twenty_first_call_in_a_second_is_refused_unless_switched_off(self, sim: Simulator) -> None:
        answers = [cdn(sim, Domain="no.such.host")["Error"]["Code"] for _ in range(21)]
        assert answers == ["ResourceNotFound.CdnHostNotExists"] * 20 + ["RequestLimitExceeded"]
        sim.set("dsa", rate_limit=False)
        assert "Error" not in cdn(sim)

    def test_thirty_days_are_kept(self, sim: Simulator) -> None:
        assert cdn(sim, StartTime="2026-10-01 00:00:00", EndTime="2026-10-22 00:00:00")["TotalCount"] == 0
        assert cdn(sim, StartTime="2026-10-22 00:00:00", EndTime="2026-10-23 23:00:00")["TotalCount"] > 0


class TestFault:
    @pytest.mark.parametrize("status", ["401", "403", "429", "500", "503", "504"])
    def test_a_status_strikes_as_often_as_said(self, sim: Simulator, status: str) -> None:
        sim.fault(status, "elsa", "data", times=2)
        assert [elsa(sim, HOUR, HOUR).status_code for _ in range(3)] == [int(status), int(status), 200]

    def test_a_retry_after_is_sent_only_when_asked_for(self, sim: Simulator) -> None:
        sim.fault("429", "elsa", retry_after=7)
        sim.fault("429", "elsa")
        assert [elsa(sim, HOUR, HOUR).headers.get("retry-after") for _ in range(2)] == ["7", None]

    def test_a_predicate_looks_at_the_range_asked_for(self, sim: Simulator) -> None:
        sim.fault("504", "elsa", times=None, when=lambda asked: (asked.end or NOW) - (asked.start or NOW) > ONE_HOUR)
        assert elsa(sim, HOUR, HOUR + 2 * ONE_HOUR).status_code == 504
        assert elsa(sim, HOUR, HOUR + ONE_HOUR).status_code == 200

    def test_html_under_200_is_no_zip(self, sim: Simulator) -> None:
        sim.fault("html", "elsa")
        response = elsa(sim, HOUR, HOUR)
        assert (response.status_code, response.content[:5]) == (200, b"<!doc")

    def test_an_error_under_200_has_the_vendors_shape(self, sim: Simulator) -> None:
        sim.fault("fail", "elsa", code="900")
        sim.fault("fail", "dsa", code="4400")
        sim.fault("fail", "dsa", code="InternalError.X")
        assert elsa(sim, HOUR, HOUR).json()["error"]["errorCode"] == "900"
        assert dsa(sim, [HOSTS[0]], "", "")["code"] == 4400
        assert cdn(sim)["Error"]["Code"] == "InternalError.X"

    def test_an_expired_link_works_again_only_when_listed_anew(self, sim: Simulator) -> None:
        url = link(sim)
        sim.fault("expired_link", "dsa", "download")
        assert [HTTP.get(url).status_code for _ in range(2)] == [403, 403]
        assert HTTP.get(link(sim)).status_code == 200

    def test_a_redirect_names_the_given_place(self, sim: Simulator) -> None:
        sim.fault("redirect", "dsa", "download", location="http://10.0.0.1/")
        response = HTTP.get(link(sim))
        assert (response.status_code, response.headers["location"]) == (302, "http://10.0.0.1/")

    def test_a_cut_archive_cannot_be_opened(self, sim: Simulator) -> None:
        sim.fault("cut_archive", "elsa")
        with pytest.raises(zipfile.BadZipFile):
            members(elsa(sim, HOUR, HOUR + ONE_HOUR))
        sim.fault("cut_archive", "dsa", "download")
        with pytest.raises(EOFError):
            lines(HTTP.get(link(sim)))

    def test_an_encrypted_member_wants_a_password(self, sim: Simulator) -> None:
        sim.fault("encrypted", "elsa")
        with pytest.raises(RuntimeError, match="encrypted"):
            members(elsa(sim, HOUR, HOUR + ONE_HOUR))

    def test_a_bomb_is_small_and_unpacks_to_much(self, sim: Simulator) -> None:
        sim.fault("bomb", "elsa", size=30_000_000)
        response = elsa(sim, HOUR, HOUR)
        assert len(response.content) < 40_000
        assert len(members(response)[0]) == 30_000_000

    def test_a_lying_size_is_claimed_by_the_directory(self, sim: Simulator) -> None:
        sim.fault("lying_size", "elsa", size=4_000_000_000)
        with zipfile.ZipFile(io.BytesIO(elsa(sim, HOUR, HOUR + ONE_HOUR).content)) as archive:
            assert archive.infolist()[0].file_size == 4_000_000_000

    def test_not_a_zip_claims_to_be_one(self, sim: Simulator) -> None:
        sim.fault("not_a_zip", "elsa")
        response = elsa(sim, HOUR, HOUR)
        assert response.headers["content-type"] == "application/zip"
        assert not zipfile.is_zipfile(io.BytesIO(response.content))

    def test_a_wrong_type_and_a_drip_leave_the_answer_whole(self, sim: Simulator) -> None:
        sim.fault("wrong_type", "elsa")
        response = elsa(sim, HOUR, HOUR + ONE_HOUR)
        assert response.headers["content-type"] == "text/html"
        sim.fault("drip", "elsa", bytes=10_000, seconds=0.001)
        assert elsa(sim, HOUR, HOUR + ONE_HOUR).content == response.content

    def test_a_reset_gives_no_answer(self, sim: Simulator) -> None:
        sim.fault("reset", "elsa")
        with pytest.raises(httpx.RemoteProtocolError):
            elsa(sim, HOUR, HOUR)

    def test_an_unknown_fault_or_switch_is_an_error(self, sim: Simulator) -> None:
        with pytest.raises(ValueError, match="no such fault"):
            sim.fault("meteor", "elsa")
        with pytest.raises(ValueError, match="no switch"):
            sim.set("elsa", gravity=1)


class TestControl:
    def test_orders_set_clock_switches_faults_and_records(self, sim: Simulator) -> None:
        orders = {
            "clock": "2026-11-22T16:00:00Z",
            "switches": {"elsa": {"layout": "bare_array"}},
            "faults": [{"kind": "503", "provider": "elsa", "between": ["2026-11-22T10:00Z", "2026-11-22T11:00Z"]}],
            "add": [{"provider": "elsa", "time": "2026-11-22T12:00:00Z", "text": '{"logTime":5}'}],
        }
        state = HTTP.post(f"{sim.url}/_control", json=orders).json()
        assert state["now"] == "2026-11-22T16:00:00+00:00"
        assert {"logTime": 5} in elsa(sim, HOUR, HOUR).json()
        assert elsa(sim, HOUR - 2 * ONE_HOUR, HOUR).status_code == 503

    def test_a_fault_for_one_host_spares_the_others(self, sim: Simulator) -> None:
        order = {"kind": "500", "provider": "dsa", "endpoint": "download", "times": None, "host": HOSTS[1]}
        HTTP.post(f"{sim.url}/_control", json={"faults": [order]}).raise_for_status()
        assert [HTTP.get(link(sim, host)).status_code for host in HOSTS[:2]] == [200, 500]

    def test_a_wrong_order_is_answered_with_what_is_wrong(self, sim: Simulator) -> None:
        response = HTTP.post(f"{sim.url}/_control", json={"clok": 1})
        assert response.status_code == 400
        assert "clok" in response.json()["error"]

    def test_the_truth_over_http_is_the_truth(self, sim: Simulator) -> None:
        elsa(sim, HOUR, HOUR + ONE_HOUR)
        asked = {"start": HOUR.isoformat(), "end": str(ms(NOW))}
        found = [json.loads(line) for line in HTTP.get(f"{sim.url}/_truth/elsa", params=asked).text.splitlines()]
        truth = list(sim.truth("elsa", HOUR, NOW))
        assert [(one["text"].encode(), one["served"], one["time_ms"]) for one in found] == [
            (r.text, r.served, r.time_ms) for r in truth
        ]

    def test_requests_are_counted_by_endpoint(self, sim: Simulator) -> None:
        HTTP.get(link(sim))
        elsa(sim, HOUR, HOUR)
        counts = HTTP.get(f"{sim.url}/_requests").json()["counts"]
        assert counts == {"dsa/listing": 1, "dsa/download": 1, "elsa/data": 1}
        assert sim.count("dsa") == 2

    def test_an_unknown_path_is_not_found(self, sim: Simulator) -> None:
        assert HTTP.post(f"{sim.url}/elsa/api/v1/logs/delete").status_code == 404

    def test_the_date_header_tells_the_simulators_time(self, sim: Simulator) -> None:
        assert HTTP.get(f"{sim.url}/_control").headers["date"] == "Sun, 22 Nov 2026 15:00:00 GMT"

    def test_the_process_says_where_it_listens(self) -> None:
        command = [sys.executable, "-m", "tests.simulator", "--port", "0", "--clock", "2026-11-22T15:00:00Z"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            url = json.loads(process.stdout.readline())["url"]
            assert HTTP.get(f"{url}/_control").json()["now"].startswith("2026-11-22T15:00:0")
        finally:
            process.terminate()
            process.communicate()
