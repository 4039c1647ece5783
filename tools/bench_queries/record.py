"""What the providers return in an hour: made-up records, with what the saved queries ask for among them."""

# ruff: noqa: S311 (the records are made up)
import datetime as dt
import random
from collections.abc import Callable, Mapping, Sequence

from tests.unit.small_archive import event, policy
from tools.bench.body import AGENT, START, WINDOW, elsa_record, security365_record

EXCEPTIONS = ("CardError", "Timeout", "StockError", "SessionExpired", "RateLimited")
EVENTS = ("LOGIN", "USER_LOGIN", "DOC_OPEN", "DOC_PRINT", "DOC_CREATE", "POST_COMMON_OAUTH_TOKEN")


def _moment(at: int, count: int) -> str:
    """Return the time of a record of the hour, as small_archive reads it."""
    return f"{(WINDOW.start + at * dt.timedelta(hours=1) / count).replace(tzinfo=None).isoformat('T', 'milliseconds')}"


def _hex(bits: int) -> str:
    return f"{random.getrandbits(bits):0{bits // 4}x}"


def elsa(at: int, count: int) -> Mapping[str, object]:
    """Make a record of an application; one in fifty tells of an exception."""
    level = random.choices(["INFO", "WARN", "ERROR", "FATAL"], [90, 6, 3, 1])[0]
    more = {} if random.randrange(50) else {"ExceptionType": random.choice(EXCEPTIONS)}
    return elsa_record(at, count) | {"logLevel": level} | more


def security365(at: int, count: int) -> Mapping[str, object]:
    """Make an item of Security365."""
    level = random.choices(["INFO", "WARN", "ERROR"], [94, 3, 3])[0]
    return security365_record(at, count) | {"logLevel": level, "event": random.choice(EVENTS)}


def apigateway(at: int, count: int) -> Mapping[str, object]:
    """Make an event of API Gateway, with its time in +09:00; one in ten is of a limit of one of 40 keys."""
    kind = random.choices(["ES020", "EU400", "EU410", "EU420"], [90, 4, 4, 2])[0]
    moment = dt.datetime.fromisoformat(_moment(at, count)) + dt.timedelta(hours=9)
    said = f"accepted {_hex(128)} of {_hex(128)}" if kind == "ES020" else f"limit of the key {random.randrange(40)}"
    return event(f"{moment:%Y-%m-%d %H:%M:%S}", "EVENT" if kind == "ES020" else "ALARM", kind, said) | {
        "requestId": _hex(128),
        "path": f"/v1/orders/{random.randrange(10**6)}",
    }


def multidrm(at: int, count: int) -> Mapping[str, object]:
    """Make a change of a policy."""
    number = random.randrange(1000)
    what = random.choice(["creation", "update", "delete"])
    return policy(_moment(at, count), number, f"Policy {number} - {_hex(256)} {what} completed") | {
        "requestId": _hex(128)
    }


def dsa(at: int, count: int) -> str:
    """Make a line of about 340 bytes with 16 fields."""
    moment = dt.datetime.fromtimestamp(START / 1000, dt.UTC) + at * dt.timedelta(hours=1) / count
    status = random.choices([200, 304, 404, 500, 502, 504], [80, 10, 8, 1, 0.5, 0.5])[0]
    referer = random.choice(["NULL", "https://www.example.com/index.html"])
    return (
        f"{moment + dt.timedelta(hours=8):%Y%m%d%H%M%S} 10.{random.randrange(256)}.{random.randrange(16)}.9 "
        f"{random.choice(['www', 'api', 'img'])}.example.com /static/{random.randrange(400)}/p.jpg?v={_hex(320)} "
        f"{random.randrange(10**6)} {random.choice([22, 4, 2])} {random.choice([2, 26, 1046])} {status} {referer} "
        f'{random.randrange(900)} "{AGENT.format(90 + at % 30)}" "(null)" GET HTTP/1.1 '
        f"{random.choice(['hit', 'hit', 'miss'])} {random.randrange(65535)}"
    )


#: Of each provider, what makes one of `count` records of the hour.
MADE: Mapping[str, Callable[[int, int], object]] = {
    "elsa": elsa,
    "security365": security365,
    "dsa": dsa,
    "apigateway": apigateway,
    "multidrm": multidrm,
}


def records(provider: str, count: int) -> Sequence[object]:
    """Return the records of the hour, in the order of their times."""
    random.seed(provider)
    return [MADE[provider](at, count) for at in range(count)]
