"""The lives that are compared with the truth: of each provider a plain one, and short ones with everything odd.

The plain ones are lived twice as long, or more, with many more records, by `make soak`.
"""

import datetime as dt
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.integration.life import Life, Way, every, lived
from tests.integration.stage import HOUR, Stage
from tests.simulator import HIDDEN, HOSTS, KEYS, Asked, Record
from tests.simulator.security365 import API_KEY, TOKEN
from tests.truth.json_row import apigateway as apigateway_row

WEEK, TWO_DAYS = 24 * 7, 48
#: One more window without traffic, since of six hours one quiet one is not enough.
EVENING: list[int | str] = [3, *(f"2026-11-20T{hour}" for hour in range(18, 24))]
#: As `dsa` has it by default: its first visit is two hours after a window's end.
LATER = ("PT6H", "P1D")
#: In windows of six hours what comes late comes before the second visit.
QUARTERS: Any = {"window": 6 * HOUR, "revisit": ("P1D",)}


def elsa(on: Stage, hours: int = 12, rate: int = 600, burst: int = 12_000, count: int = 1200) -> Life:
    """A project with one hour far over the cap, before its last evening."""
    on.simulator.set("elsa", records_an_hour=rate, burst=burst, burst_phase=(24 + hours - 10) % 48)
    return lived(on, "elsa", Way(hours), count=count)


def cdn(on: Stage, hours: int = 24, rate: int = 2000) -> Life:
    """Four hosts with the traffic of twelve: what costs time here is the number of files."""
    on.simulator.set("dsa", lines_an_hour=rate)
    hosts = (*HOSTS[:3], "rare.example.com")
    return lived(on, "dsa", Way(hours, revisit=LATER, seen={"hosts": hosts}), api="cdn", hosts=hosts)


def dsa(on: Stage) -> Life:
    """More than ten hosts behind the old API, whose lines have every shape."""
    odd = {"packing": "tar", "fields": "mix", "time_format": "quoted", "unreadable_times": 1, "unparsable": 3}
    on.simulator.set("dsa", quiet=[4], **odd)
    return lived(
        on, "dsa", Way(8, revisit=LATER, seen={"hosts": HOSTS}), api="dsa", hosts=HOSTS, signature_method="HmacSHA256"
    )


def odd_elsa(on: Stage) -> Life:
    """A project whose answers and records are as odd as the documentation allows."""
    odd = {"layout": "members", "empty": "body", "order": "descending", "cut": "oldest", "time_format": "us"}
    on.simulator.set("elsa", **odd, odd_fraction=0.5, unreadable_times=5, hostile=4, exclusive_end=True)
    return lived(on, "elsa", Way(8), count=300)


def apigateway(on: Stage, hours: int = TWO_DAYS, rate: int = 160, page_size: int = 250) -> Life:
    """Events, whose listings shift while they are read, and are refused now and then.

    Nobody can tell which visit of a day was served what while time went on within it: so it stands still.
    """
    on.clock.held = True
    # Served with its day's other windows, a fleeting event must last until its own window's visit.
    on.simulator.set("apigateway", quiet=EVENING, fleeting_fraction=0.0005, gone_after_seconds=7 * 3600, shift_every=2)
    on.simulator.set("apigateway", records_an_hour=rate)
    on.simulator.fault("429", "apigateway", times=None, when=every(17))
    shifting = itertools.cycle(("", "grow", "swap"))
    way = Way(hours, **QUARTERS, before=lambda: on.simulator.set("apigateway", shifting=next(shifting)))
    return lived(on, "apigateway", way, page_size=page_size)


def days_apigateway(on: Stage) -> Life:
    """Days of another zone, oldest first, in pages shorter than asked for, and only what is worth a warning."""
    on.simulator.set("apigateway", order="ascending", max_limit=100, odd_fraction=0.4)
    on.simulator.set("apigateway", fleeting_fraction=0.02, gone_after_seconds=7200)
    zone = dt.timedelta(hours=-3, minutes=-30)

    def truth_of(provider: str, start: dt.datetime, end: dt.datetime) -> Iterator[Record]:
        found = on.simulator.truth(provider, start, end)
        return (record for record in found if record.value["level"] in {"ALARM", "ALERT"})

    seen = {"truth_of": truth_of, "row_of": apigateway_row(zone)}
    return lived(on, "apigateway", Way(20, seen=seen), time_zone="-03:30", levels=["ALARM", "ALERT"], page_size=300)


def odd_apigateway(on: Stage) -> Life:
    """Events without a readable time: nobody knows their window, so each that asks for their day rejects them."""
    on.simulator.set("apigateway", odd_fraction=0.5, duplicate_fraction=0.3, unreadable_times=2)
    on.simulator.set("apigateway", fleeting_fraction=0.02, gone_after_seconds=7200)

    def truth_of(provider: str, start: dt.datetime, end: dt.datetime) -> Iterator[Record]:
        home, millisecond = dt.timedelta(hours=9), dt.timedelta(milliseconds=1)
        first = (start - millisecond + home).replace(hour=0, minute=0, second=0, microsecond=0) - home
        last = (end + home).replace(hour=0, minute=0, second=0, microsecond=0) - home + 24 * HOUR
        for record in on.simulator.truth(provider, first, last):
            if record.kind == "unreadable_time" or start <= record.time < end:
                yield record

    return lived(on, "apigateway", Way(14, seen={"truth_of": truth_of}), page_size=100)


def multidrm(on: Stage, hours: int = TWO_DAYS, pages: int = 90) -> Life:
    """All policies, deleted ones among them, while whose pages are read new records come in."""
    on.simulator.set("multidrm", quiet=EVENING, records_an_hour=660)
    on.simulator.fault("429", "multidrm", times=None, when=every(97))
    on.simulator.fault("503", "multidrm", "data", times=None, when=Appearing(on, pages))
    life = lived(on, "multidrm", Way(hours, **QUARTERS), policy_ids="all")
    life.hosts = on.simulator.multidrm.listed | {"0"}
    return life


@dataclass
class Appearing:
    """Lets a record appear in a policy's log before one of so many further pages: all policies are read again for each.

    As a fault, it never strikes.
    """

    on: Stage
    each: int
    before: Asked | None = None
    pages: int = 0

    def __call__(self, asked: Asked) -> bool:
        further, self.before = asked == self.before, asked
        self.pages += further
        if further and asked.end and self.pages % self.each == 0:
            moment, (policy,) = asked.end - HOUR, asked.hosts
            text = f'"policyId":{policy},"description":"Policy {policy} - late update completed"'
            text = f'{{{text},"timestamp":{round(moment.timestamp() * 1000)}}}'
            self.on.simulator.add("multidrm", moment, text, visible_from=self.on.clock.now, host=policy)
        return False


def listed_multidrm(on: Stage) -> Life:
    """Some policies by their ids, two of which are not there, as the older page has it: pages from 0 and no total."""
    on.simulator.set("multidrm", first_page=0, total=False, end_time_parameter="endTIme", policy_id_required=True)
    on.simulator.set("multidrm", records_an_hour=12_000, fleeting_fraction=0.02)
    ids = ("0", "7", "101", "104", "119", "999999")
    way = Way(8, seen={"hosts": ids})
    return lived(on, "multidrm", way, policy_ids=ids, end_time_parameter="endTIme")


def odd_multidrm(on: Stage) -> Life:
    """A log that is asked for without an id, whose records are as odd as they may be."""
    odd = {"order": "ascending", "exclusive_end": True, "page_zero": "first", "total": False}
    on.simulator.set("multidrm", **odd, odd_fraction=0.5, unparsable_descriptions=0.5, duplicate_fraction=0.3)
    on.simulator.set("multidrm", unreadable_times=4, fleeting_fraction=0.01)
    return lived(on, "multidrm", Way(8))


def security365(on: Stage, hours: int = TWO_DAYS, rate: int = 120, crowd: int = 12_000) -> Life:
    """A licence with an hour far over the cap, and a crowd in one millisecond of each day."""
    on.simulator.set("security365", quiet=EVENING, records_an_hour=rate, crowd=crowd)
    on.simulator.fault("429", "security365", times=None, when=every(13))
    # Shorter than the crowd, so that a page must end within it.
    return lived(on, "security365", Way(hours, **QUARTERS), page_size=299)


def odd_security365(on: Stage) -> Life:
    """An installation that asks for a token and a key, with another body, and answers as odd as they may be."""
    odd = {"body": "filters", "total": "all", "exclusive_end": True, "sort_time": "ns"}
    odd |= {"cap": 90, "reach": "per_call", "require_token": True, "require_api_key": True, "api_key_header": "x-sim"}
    on.simulator.set("security365", **odd, odd_fraction=0.5, duplicate_fraction=0.2, fleeting_fraction=0.01)
    on.simulator.set("security365", unreadable_times=4, records_an_hour=1500, crowd_phase=-1)
    keys = KEYS["security365"] | {"token": TOKEN, "api_key": API_KEY}
    secret = f"{on.name}/security365/two"
    on.aws.secrets.create_secret(Name=secret, SecretString=json.dumps(keys))
    way = Way(12, seen={"secrets": (*HIDDEN, TOKEN, API_KEY)})
    configured: dict[str, Any] = {"secret": secret, "body": "filters", "headers": {"X-Sim": "{api_key}"}}
    return lived(on, "security365", way, page_size=200, **configured)


def inclusive_security365(on: Stage) -> Life:
    """An installation whose pages begin with the record of their key, and whose range ends with its last."""
    on.simulator.set("security365", inclusive_key=True, reach="per_call", fleeting_fraction=0.01, crowd_phase=-1)
    return lived(on, "security365", Way(12), page_size=50)


#: How to live, on which scale, and how many records at least are compared then.
LIVES: dict[str, tuple[Callable[[Stage], Life], float, int]] = {
    "elsa": (elsa, 1, 18_000),
    "cdn": (cdn, 1, 20_000),
    "apigateway": (apigateway, 1, 6_500),
    "multidrm": (multidrm, 1, 25_000),
    "security365": (security365, 1, 16_000),
    "dsa": (dsa, 0.2, 4_000),
    "odd elsa": (odd_elsa, 0.2, 3_000),
    "days apigateway": (days_apigateway, 0.1, 500),
    "odd apigateway": (odd_apigateway, 0.05, 500),
    "listed multidrm": (listed_multidrm, 0.2, 3_000),
    "odd multidrm": (odd_multidrm, 0.2, 1_000),
    "inclusive security365": (inclusive_security365, 0.2, 1_000),
    "odd security365": (odd_security365, 0.2, 4_000),
}
#: The same with a hundred thousand records each, over a week where the provider's windows are many.
SOAK: dict[str, tuple[Callable[[Stage], Life], float, int]] = {
    "elsa": (partial(elsa, hours=TWO_DAYS, rate=1800, burst=30_000, count=3000), 1, 112_000),
    "cdn": (partial(cdn, hours=TWO_DAYS, rate=7600), 1, 190_000),
    "apigateway": (partial(apigateway, hours=WEEK, rate=660, page_size=1000), 1, 100_000),
    "multidrm": (partial(multidrm, hours=WEEK, pages=150), 1, 100_000),
    "security365": (partial(security365, hours=WEEK, rate=480, crowd=25_000), 1, 100_000),
}
