"""The policies of One Click Multi DRM, and what happens to them: the log of the page "policy-log".

The grammar of descriptions is that of the page's samples, one of which lacks a space. Policies come and go: some stay
for good, some are created each day and deleted days later.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from random import Random

from tests.simulator.record import Record
from tests.simulator.traffic import Habits, Maker, offsets
from tests.simulator.world import DAY_MS, HOUR_MS, World

FOREVER_MS = 1 << 47
LASTING, A_DAY, LIFE_HOURS = 20, 6, (12, 96)
NAMES = (
    *("myPolicy", "string", "myPolicy_dummy2", "영화 미리보기", "live - 1080p", "update test", "delete me creation"),
    *("HDR_정책", 'the \\"best\\"', "a  b", "-", "policy 7 - copy"),
)
UNPARSABLE_DESCRIPTIONS = (
    "Policy {id} - {name} was archived",
    "Policy - update completed",
    "정책 {id} 의 라이선스 키가 교체되었습니다",
    "",
    "policy {id} - {name} update",
)
ODD = (
    '"policyId":{id},"description":null,"timestamp":{ms}',
    '"policyId":"{id}","description":"Policy {id} - text id update completed","timestamp":{ms}',
    '"policyId":{id},"description":"Policy {id} - more update completed","timestamp":{ms},"actor":"김","ratio":1.10',
    '"policyId":{id},"description":["a",{{"b":null}}],"timestamp":{ms},"config":{{"drm":{{"hd":true}},"e":{{}}}}',
    '"policyId":18446744073709551616,"description":"Policy x - huge update completed","timestamp":{ms}',
    '"description":"Policy {id} - without id delete completed\\n","timestamp":{ms}',
)
UNREADABLE_TIMES = ("null", '"yesterday"', "{}", "true")


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy and its life; `name` is the inside of a JSON text."""

    id: int
    name: str
    created_ms: int = 0
    deleted_ms: int = FOREVER_MS

    def lives(self, at_ms: int) -> bool:
        """Say whether it exists at a moment."""
        return self.created_ms <= at_ms < self.deleted_ms


LASTING_POLICIES = tuple(
    Policy(100 + number if number else 0, "default" if number == 0 else NAMES[number % len(NAMES)])
    for number in range(LASTING)
)


class Policies:
    """All policies of a site: number 0, the default one, others that stay, and some more of each day."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.of_day = cache(self._of_day)

    def between(self, start_ms: int, end_ms: int) -> list[Policy]:
        """Return the policies that exist at some time of a half-open range, in the order of their ids."""
        days = range((start_ms - LIFE_HOURS[1] * HOUR_MS) // DAY_MS, (end_ms - 1) // DAY_MS + 1)
        passing = [policy for day in days for policy in self.of_day(day)]
        return [one for one in (*LASTING_POLICIES, *passing) if one.created_ms < end_ms and one.deleted_ms > start_ms]

    def _of_day(self, day: int) -> tuple[Policy, ...]:
        rng = self.world.random("multidrm", "policies", day)
        return tuple(self._passing(rng, day, number) for number in range(A_DAY))

    def _passing(self, rng: Random, day: int, number: int) -> Policy:
        created_ms = day * DAY_MS + rng.randrange(DAY_MS)
        life_ms = int(rng.uniform(*LIFE_HOURS) * HOUR_MS)
        return Policy(1000 + day % 10_000 * A_DAY + number, rng.choice(NAMES), created_ms, created_ms + life_ms)


@dataclass(slots=True)
class MultidrmSwitches(Habits):
    """What tests may change. The last group shapes records, as all of `Habits` does."""

    policy_id_required: bool = False  # the newer page says so
    end_time_parameter: str = "endTime"  # or endTIme, as in the older page's URL; the other is silently ignored
    exclusive_end: bool = False
    total: bool = True  # the older page has none
    first_page: int = 1  # or 0
    page_zero: str = "error"  # or first: page 0 is page 1, where pages begin with 1
    order: str = "descending"  # or ascending
    deleted_vanish: bool = True  # from the list of policies, as soon as they are deleted

    records_an_hour: float = 630
    unparsable_descriptions: float = 0.02  # of all updates


class MultidrmMaker(Maker[MultidrmSwitches]):
    """Makes the log of the site, whichever policy it is about."""

    def __init__(self, name: str, world: World, switches: MultidrmSwitches, policies: Policies) -> None:
        super().__init__(name, world, switches)
        self.policies = policies

    def made(self, rng: Random, hour_ms: int, host: str) -> list[Record]:
        policies = self.policies.between(hour_ms, hour_ms + HOUR_MS)
        records = self._lives(rng, hour_ms, policies)
        for offset in offsets(rng, hour_ms, self.switches, self.world.scale):
            self._put(records, rng, hour_ms, hour_ms + offset, policies)
        return records + self._bad(rng, hour_ms)

    def _lives(self, rng: Random, hour_ms: int, policies: list[Policy]) -> list[Record]:
        """Return the creations and deletions."""
        happened = [("creation", one, one.created_ms) for one in policies]
        happened += [("delete", one, one.deleted_ms) for one in policies]
        return [
            self.held(rng, hour_ms, ms, self._plain(rng, one, ms, verb), "plain", str(one.id))
            for verb, one, ms in happened
            if hour_ms <= ms < hour_ms + HOUR_MS
        ]

    def _put(self, records: list[Record], rng: Random, hour_ms: int, time_ms: int, policies: list[Policy]) -> None:
        policy, chance, kind = rng.choice(policies), rng.random(), "plain"
        if not policy.lives(time_ms):
            policy = rng.choice(LASTING_POLICIES)
        text = self._plain(rng, policy, time_ms, "update")
        if chance < self.switches.odd_fraction:
            text, kind = "{" + rng.choice(ODD).format(id=policy.id, ms=time_ms) + "}", "odd"
        records.append(self.held(rng, hour_ms, time_ms, text, kind, str(policy.id)))
        if chance > 1 - self.switches.duplicate_fraction:
            records.append(self.held(rng, hour_ms, time_ms, text, "duplicate", str(policy.id)))

    def _plain(self, rng: Random, policy: Policy, time_ms: int, verb: str) -> str:
        chance = rng.random()
        if verb == "update" and chance < self.switches.unparsable_descriptions:
            said = rng.choice(UNPARSABLE_DESCRIPTIONS).format(id=policy.id, name=policy.name)
        else:
            gap, end = "" if chance > 0.95 else " ", "failed" if 0.5 < chance < 0.51 else "completed"
            said = f"Policy {policy.id} -{gap}{policy.name} {verb} {end}"
        return f'{{"policyId":{policy.id},"description":"{said}","timestamp":{time_ms}}}'

    def _bad(self, rng: Random, hour_ms: int) -> list[Record]:
        """Return the records of the default policy without a readable time, and those that are no JSON."""
        texts = [
            ("unreadable_time", f'{{"policyId":0,"description":"?","timestamp":{UNREADABLE_TIMES[number % 4]}}}')
            for number in range(self.switches.unreadable_times)
        ]
        texts += [("unparsable", '{"policyId":0,"description":nope}')] * self.switches.unparsable
        times = [hour_ms + rng.randrange(HOUR_MS) for _ in texts]
        return [
            Record(ms, ms, text.encode(), hour_ms, kind, host="0")
            for ms, (kind, text) in zip(times, texts, strict=True)
        ]


def listed(policy: Policy, now_ms: int) -> dict[str, object]:
    """Return a policy as the page "drm-policy-list" shows it."""
    young = now_ms - policy.created_ms < HOUR_MS // 6
    status = "DELETED" if now_ms >= policy.deleted_ms else "CREATING" if young else "CREATED"
    return {
        "disabled": False,
        "policyId": policy.id,
        "policyName": json.loads(f'"{policy.name}"'),
        "policyStatus": status,
        "policyCreatedTime": policy.created_ms,
    }
