"""Error responses, under whatever HTTP status: never taken for an hour without records, and no secret is kept."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.stage import PROVIDERS, Stage
from tests.integration.test_bad_input import assert_failed_openly, heals, only_window, put, raw_bodies, visited
from tests.scenario import START
from tests.simulator import HIDDEN, KEYS, Asked

#: `elsa` has no pages: a range over its cap is halved. The pages of `dsa` are files, which `test_bad_input` spoils.
PAGED = [name for name in PROVIDERS if name not in {"elsa", "dsa"}]


def fails(on: Stage, provider: str, issue: str) -> None:
    """The visit fails with this issue, openly; and the next one heals it."""
    shown = visited(on, provider)
    assert (shown["state"], shown["issue"], shown["rows"], shown["visits"]) == ("planned", issue, 0, 0)
    assert_failed_openly(on, provider)
    assert_nothing_tells_a_secret(on, provider)
    kept = raw_bodies(on)
    assert kept or issue != "malformed", "the body that could not be read must be in raw"
    heals(on, provider)
    assert kept.items() <= raw_bodies(on).items()


def assert_nothing_tells_a_secret(on: Stage, provider: str) -> None:
    """Look through manifests, the ledger, what was logged and what is answered."""
    manifests = [on.bucket.read(key).decode() for key in on.bucket.keys("raw/") if key.endswith("manifest.json")]
    items = on.aws.table.table.scan()["Items"]
    answers = [on.act(provider, {"action": action}) for action in ("status", "tick")]
    said = json.dumps([manifests, items, on.events, on.metrics, answers], default=str, ensure_ascii=False)
    assert not [secret for secret in HIDDEN if secret in said]


#: An address that is not admitted is a 403 too.
ERRORS: list[tuple[str, dict[str, Any], str]] = [
    ("401", {}, "forbidden"),
    ("403", {}, "forbidden"),
    ("429", {}, "throttled"),
    ("429", {"retry_after": 100_000}, "throttled"),
    ("500", {}, "unavailable"),
    ("400", {}, "malformed"),
    ("404", {}, "malformed"),
    ("html", {}, "malformed"),
    ("cut_body", {}, "unavailable"),
    ("cut_archive", {}, "malformed"),
    ("reset", {}, "unavailable"),
]
NO_ARCHIVES = ("not_a_zip", "encrypted", "lying_size", "bomb")


@pytest.mark.parametrize(
    ("provider", "kind", "options", "issue"),
    [
        *((name, *error) for name in ("elsa", *PAGED) for error in ERRORS),
        *(("elsa", kind, {}, "malformed") for kind in NO_ARCHIVES),
    ],
)
def test_an_error_is_its_own_kind_of_issue_until_a_good_visit(
    on: Stage, provider: str, kind: str, options: dict[str, Any], issue: str
) -> None:
    put(on, provider)
    on.simulator.fault(kind, provider, times=None, **options)
    fails(on, provider, issue)


#: What comes under HTTP 200 all the same.
CODES = [
    ("dsa", "AuthFailure.SignatureFailure", "forbidden"),
    ("dsa", "LimitExceeded", "throttled"),
    ("dsa", "InternalError", "unavailable"),
    ("elsa", "900", "unavailable"),
    ("apigateway", "200", "forbidden"),
    ("apigateway", "210", "forbidden"),
    ("apigateway", "400", "throttled"),
    ("apigateway", "900", "unavailable"),
    ("apigateway", "100", "malformed"),
    ("multidrm", "210", "forbidden"),
    ("multidrm", "410", "throttled"),
    ("multidrm", "280000", "malformed"),
    ("multidrm", "281003", "malformed"),
    ("security365", "401", "forbidden"),
    ("security365", "403", "forbidden"),
    ("security365", "429", "throttled"),
    ("security365", "500", "unavailable"),
    ("security365", "61001", "unavailable"),
    ("security365", "61002", "forbidden"),
    ("security365", "61003", "malformed"),
    ("security365", "77777", "malformed"),
]


@pytest.mark.parametrize(("provider", "code", "issue"), CODES)
def test_an_error_under_http_200_is_none_the_less_an_error(on: Stage, provider: str, code: str, issue: str) -> None:
    put(on, provider)
    on.simulator.fault("fail", provider, times=None, code=code)
    fails(on, provider, issue)


@pytest.mark.parametrize("provider", PAGED)
@pytest.mark.parametrize("kind", ["403", "500", "html", "cut_body", "cut_archive", "fail"])
def test_a_page_that_fails_fails_the_whole_visit(on: Stage, provider: str, kind: str) -> None:
    on.simulator.set(provider, records_an_hour=20_000 if provider == "multidrm" else 1_000)
    small: dict[str, Any] = {"page_size": 5} if "page_size" in PROVIDERS[provider].source.model_fields else {}
    put(on, provider, **small)
    on.simulator.fault(kind, provider, "data", times=None, when=further())
    shown = visited(on, provider)
    assert (shown["state"], shown["rows"]) == ("planned", 0)
    assert_failed_openly(on, provider)
    heals(on, provider)


def further() -> Callable[[Asked], bool]:
    """Return what holds for whatever was asked for before."""
    seen: list[Asked] = []

    def holds(asked: Asked) -> bool:
        seen.append(asked)
        return asked in seen[:-1]

    return holds


@pytest.mark.parametrize(
    ("kind", "issue"), [("403", "forbidden"), ("fail", "malformed"), ("cut_body", "unavailable"), ("html", "malformed")]
)
def test_policies_that_cannot_be_listed_are_not_no_policies(on: Stage, kind: str, issue: str) -> None:
    put(on, "multidrm", policy_ids="all")
    on.simulator.fault(kind, "multidrm", "listing", times=None)
    shown = visited(on, "multidrm")
    assert (shown["state"], shown["issue"], shown["rows"]) == ("planned", issue, 0)
    assert_failed_openly(on, "multidrm")
    assert on.simulator.count("multidrm", "data") == 0


@pytest.mark.parametrize("provider", ["elsa", *PAGED])
def test_a_secret_that_the_server_repeats_is_not_repeated_by_us(on: Stage, provider: str) -> None:
    put(on, provider)
    told = " and ".join(KEYS[PROVIDERS[provider].secret_group].values())
    on.simulator.fault("fail", provider, times=None, code="900", message=told)
    visited(on, provider)
    assert_nothing_tells_a_secret(on, provider)
    assert "***" in only_window(on, provider).item["error"]


@pytest.mark.parametrize("total", [True, False])
def test_a_record_that_comes_while_the_first_page_is_looked_for_doubles_and_hides_none(on: Stage, total: bool) -> None:
    """The server gives page 1 for page 0 too. That it reads differently the second time does not make it another."""
    on.simulator.set("multidrm", page_zero="first", total=total, records_an_hour=0, quiet=[], fleeting_fraction=0)
    add_policy_records(on, 299)
    put(on, "multidrm", policy_ids=["0"])
    asked = 0

    def comes(_asked: Asked) -> bool:
        nonlocal asked
        asked += 1
        if asked == 2:
            add_policy_records(on, 1, first=500)
        return False

    on.simulator.fault("503", "multidrm", "data", times=None, when=comes)
    shown = visited(on, "multidrm")
    assert (shown["state"], shown["rows"]) == ("archived", 300)


def add_policy_records(on: Stage, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        moment = START + dt.timedelta(seconds=number)
        said = {"policyId": 0, "description": f"Policy 0 - n{number} update completed"}
        text = json.dumps(said | {"timestamp": round(moment.timestamp() * 1000)})
        on.simulator.add("multidrm", moment, text, host="0")
