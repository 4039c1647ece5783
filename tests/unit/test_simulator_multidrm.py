"""The simulated policy log behaves as its pages say, and its truth is what it serves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.simulator import Simulator
from tests.unit.simulated import DAY, HOUR, HTTP, MILLISECOND, NOW, ONE_HOUR, Response, ms, shown, signed

LOG, LIST = "/multidrm/api/v1/policy/policyLog", "/multidrm/api/v1/policy"
HEADERS = {"content-type": "application/json", "x-ncp-region_code": "KR"}
GRAMMAR = re.compile(r"Policy\s+(\d+)\s*-\s*(.*?)\s+(creation|update|delete)\s+(\w+)")


@pytest.fixture
def sim() -> Iterator[Simulator]:
    """Return a small simulator at a fixed time."""
    with Simulator(seed=7, scale=0.2, clock=lambda: NOW) as simulator:
        yield simulator


def get(sim: Simulator, path: str, headers: dict[str, str] = HEADERS, **asked: Any) -> Response:
    """Send a signed request; None leaves a parameter out."""
    target = f"{path}?{urlencode({name: value for name, value in asked.items() if value is not None})}"
    return HTTP.get(sim.url + target, headers=signed(sim, "GET", target) | headers)


def log(sim: Simulator, **more: Any) -> Response:
    """Ask for an hour of the log, its last millisecond included."""
    asked: dict[str, Any] = {"pageNo": 1, "pageSize": 100, "startTime": ms(HOUR), "endTime": ms(HOUR + ONE_HOUR) - 1}
    return get(sim, LOG, **(asked | more))


def content(sim: Simulator, **more: Any) -> list[Any]:
    """Return the records of a page."""
    return list(log(sim, **more).json()["content"])


def code(response: Response) -> int:
    """Return the error of an answer under HTTP 200."""
    assert response.status_code == 200
    assert response.json()["success"] is False
    return int(response.json()["error"]["code"])


def hour(sim: Simulator) -> list[Any]:
    """Return what is visible of the hour, the newest first."""
    return [record.value for record in shown(sim, "multidrm", HOUR, HOUR + ONE_HOUR)]


def ids(sim: Simulator, **more: Any) -> list[Any]:
    """Return the ids of a page of policies."""
    asked: dict[str, Any] = {"pageSize": 100} | more
    return [one["policyId"] for one in get(sim, LIST, **asked).json()["content"]]


class TestTruth:
    def test_the_same_seed_gives_the_same_records_in_whatever_order_hours_are_asked_for(self) -> None:
        one, other = (Simulator(seed=3, scale=0.1, clock=lambda: NOW) for _ in range(2))
        list(one.truth("multidrm", HOUR - DAY, HOUR))
        texts = [[r.text for r in sim.truth("multidrm", HOUR, NOW)] for sim in (one, other)]
        assert texts[0] == texts[1] != []

    def test_a_day_at_full_scale_has_its_share_of_a_hundred_thousand_a_week(self) -> None:
        records = list(Simulator(clock=lambda: NOW).truth("multidrm", NOW - DAY, NOW))
        assert 100_000 / 7 * 0.97 < len(records) < 100_000 / 7 * 1.05
        assert {"plain", "odd", "duplicate"} == {record.kind for record in records}
        assert 0.005 < sum(r.visible_ms - r.time_ms > 60_000 for r in records) / len(records) < 0.02

    def test_descriptions_follow_the_grammar_sometimes_without_the_space_and_sometimes_not_at_all(self) -> None:
        records = list(Simulator(clock=lambda: NOW).truth("multidrm", NOW - DAY, NOW))
        said = [str(one.value.get("description")) for one in records if one.kind == "plain"]
        verbs = Counter(match[3] for match in map(GRAMMAR.fullmatch, said) if match)
        assert min(verbs["creation"], verbs["delete"]) >= 3
        assert verbs.total() / len(said) > 0.95
        assert sum(GRAMMAR.fullmatch(one) is None for one in said) > 100
        assert sum(re.match(r"Policy \d+ -\w", one) is not None for one in said) > 100

    def test_nothing_happens_to_a_policy_before_its_creation_or_after_its_deletion(self) -> None:
        sim = Simulator(clock=lambda: NOW)
        lives = {str(one.id): one for one in sim.multidrm.policies.between(ms(NOW - DAY), ms(NOW))}
        for record in sim.truth("multidrm", NOW - DAY, NOW):
            assert lives[record.host].created_ms <= record.time_ms <= lives[record.host].deleted_ms


class TestLog:
    def test_pages_join_to_the_hour_newest_first_with_exact_texts(self, sim: Simulator) -> None:
        records = shown(sim, "multidrm", HOUR, HOUR + ONE_HOUR)
        assert len(records) > 100
        pages = [log(sim, pageNo=number) for number in (1, 2, 3)]
        wanted = b",".join(record.text for record in records[:100])
        assert pages[0].content == b'{"success":true,"content":[%b],"total":%d}' % (wanted, len(records))
        assert [one for page in pages for one in page.json()["content"]] == hour(sim)
        assert content(sim, pageNo=9) == []

    def test_both_ends_are_inclusive_unless_switched(self, sim: Simulator) -> None:
        sim.add("multidrm", HOUR + ONE_HOUR, '{"timestamp":1}')
        assert content(sim, endTime=ms(HOUR + ONE_HOUR))[0] == {"timestamp": 1}
        sim.set("multidrm", exclusive_end=True)
        assert content(sim, endTime=ms(HOUR + ONE_HOUR))[0] != {"timestamp": 1}

    def test_without_a_range_all_that_is_kept_is_there(self, sim: Simulator) -> None:
        sim.set("multidrm", retention_days=0.125)
        total = log(sim, startTime=None, endTime=None).json()["total"]
        assert total == len(shown(sim, "multidrm", NOW - 3 * ONE_HOUR, NOW))

    def test_the_other_spelling_of_the_end_is_ignored(self, sim: Simulator) -> None:
        whole = len(shown(sim, "multidrm", HOUR, NOW))
        misspelt = {"endTime": None, "endTIme": ms(HOUR + ONE_HOUR) - 1}
        assert log(sim, **misspelt).json()["total"] == whole
        sim.set("multidrm", end_time_parameter="endTIme")
        assert log(sim, **misspelt).json()["total"] == len(hour(sim))
        assert log(sim).json()["total"] == whole

    def test_a_policy_is_a_filter_and_the_truth_knows_whose_a_record_is(self, sim: Simulator) -> None:
        records = [r for r in shown(sim, "multidrm", HOUR, HOUR + ONE_HOUR) if r.host == "105"]
        assert content(sim, policyId="105") == [record.value for record in records] != []
        assert content(sim, policyId="999999") == []

    def test_a_policy_can_be_required(self, sim: Simulator) -> None:
        sim.set("multidrm", policy_id_required=True)
        assert code(log(sim)) == 280003
        assert content(sim, policyId="0")

    def test_the_total_can_be_missing(self, sim: Simulator) -> None:
        sim.set("multidrm", total=False)
        assert list(log(sim).json()) == ["success", "content"]

    def test_pages_count_from_one_and_page_zero_is_an_error_or_the_first(self, sim: Simulator) -> None:
        assert code(log(sim, pageNo=0)) == 280003
        assert content(sim, pageNo=None) == content(sim)
        sim.set("multidrm", page_zero="first")
        assert content(sim, pageNo=0) == content(sim, pageNo=1) != content(sim, pageNo=2)

    def test_pages_can_count_from_zero(self, sim: Simulator) -> None:
        first, second = content(sim, pageNo=1), content(sim, pageNo=2)
        sim.set("multidrm", first_page=0)
        assert (content(sim, pageNo=0), content(sim, pageNo=1)) == (first, second)

    @pytest.mark.parametrize(
        "more", [{"pageSize": 0}, {"pageSize": 101}, {"pageNo": "one"}, {"startTime": "today"}, {"policyId": "x"}]
    )
    def test_a_wrong_parameter_fails_under_http_200(self, sim: Simulator, more: dict[str, Any]) -> None:
        assert code(log(sim, **more)) == 280003

    def test_the_region_and_the_content_type_are_required(self, sim: Simulator) -> None:
        assert code(get(sim, LOG, {"content-type": "application/json"})) == 281003
        assert code(get(sim, LOG, HEADERS | {"x-ncp-region_code": "US"})) == 281003
        assert code(get(sim, LOG, {"x-ncp-region_code": "KR"})) == 280001

    def test_a_wrong_signature_is_refused_as_the_gateway_does(self, sim: Simulator) -> None:
        assert get(sim, LOG, HEADERS | {"x-ncp-apigw-signature-v2": "AAAA"}).status_code == 401

    def test_faults_are_the_services_or_the_gateways(self, sim: Simulator) -> None:
        sim.fault("fail", "multidrm", "data", code="280000")
        sim.fault("fail", "multidrm", "data", code="420")
        sim.fault("503", "multidrm", "data", when=lambda asked: asked.hosts == ("105",))
        assert log(sim).json()["error"] == {"code": 280000, "name": "EXCEPTION", "message": "played"}
        assert log(sim).json()["error"]["errorCode"] == "420"
        assert [log(sim, policyId=policy).status_code for policy in (101, 105)] == [200, 503]

    def test_the_range_asked_for_is_noted(self, sim: Simulator) -> None:
        log(sim)
        assert sim.requests[-1]["start"] == HOUR.isoformat()
        assert sim.requests[-1]["end"] == (HOUR + ONE_HOUR).isoformat()


class TestPolicies:
    def test_the_list_is_paged_and_holds_what_lives_now(self, sim: Simulator) -> None:
        found = ids(sim)
        assert found == sorted(found)
        assert found[:2] == [0, 101]
        assert found == [one for page in range(1, 9) for one in ids(sim, pageSize=10, pageNo=page)]
        assert get(sim, LIST).json()["total"] == len(found) > 25

    def test_a_deleted_policy_vanishes_and_its_log_remains(self, sim: Simulator) -> None:
        gone = next(one for one in sim.multidrm.policies.between(ms(HOUR - DAY), ms(NOW)) if one.deleted_ms < ms(NOW))
        assert gone.id not in ids(sim)
        span = {"startTime": gone.deleted_ms, "endTime": gone.deleted_ms}
        assert "delete" in content(sim, policyId=gone.id, **span)[0]["description"]
        sim.set("multidrm", deleted_vanish=False)
        found = {one["policyId"]: one["policyStatus"] for one in get(sim, LIST, pageSize=100).json()["content"]}
        assert found.get(gone.id, "DELETED") == "DELETED"

    def test_the_simulator_remembers_which_policies_were_ever_listed(self, sim: Simulator) -> None:
        first = {str(one) for one in ids(sim)}
        assert sim.multidrm.listed == first
        sim.advance(2 * DAY)
        later = {str(one) for one in ids(sim)}
        assert first - later
        assert sim.multidrm.listed == first | later

    def test_a_policy_exists_from_its_creation_to_the_moment_of_its_deletion(self, sim: Simulator) -> None:
        one = sim.multidrm.policies.of_day(ms(NOW) // 86_400_000)[0]
        for moment, there in ((one.created_ms, True), (one.deleted_ms - 1, True), (one.deleted_ms, False)):
            sim.clock = lambda moment=moment: HOUR + (moment - ms(HOUR)) * MILLISECOND  # type: ignore[misc]
            assert (one.id in ids(sim)) == there
