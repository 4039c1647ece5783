"""What the stack costs, computed from list prices, from seconds that `make bench` has measured, and from assumptions.

Each figure below says which it is. Nothing of it was measured in AWS. If you know your own numbers, change the
assumptions and run it again: `python -m tools.cost`.
"""

from collections.abc import Sequence

from tools.bench.measured import figure
from tools.registry import names

#: US dollars, list prices of US East (N. Virginia) in 2026, without free tiers. Other Regions are up to a third dearer.
GIB_SECOND = 0.0000166667  # Lambda, x86_64
INVOCATION = 0.20 / 1e6
CUSTOM_METRIC = 0.30  # a month, CloudWatch
ALARM_METRIC = 0.10  # a month, each metric that an alarm looks at
DASHBOARD = 3.00  # a month
READ_METRIC = 0.01 / 1e3  # each metric that GetMetricData returns
MAIL = 2.00 / 1e5  # SNS
LOG_GB = 0.50  # ingested
PUT, GET = 0.005 / 1e3, 0.0004 / 1e3
STANDARD_GB = 0.023  # a month, S3
WRITE, READ = 0.625 / 1e6, 0.125 / 1e6  # DynamoDB on demand
SCANNED_TB = 5.00  # Athena, what its engine reads; at least 10 MB a query
SECRET = 0.40  # a month
KEY = 1.00  # a month, a KMS key that signs
SIGNATURE = 0.15 / 1e4  # by a key on an elliptic curve

PROVIDERS = len(names())
TICKS = 12 * 24 * 30  # every five minutes
MEMORY_GIB = 1769 / 1024
#: Assumed: how long a tick without sources takes, and what it logs.
TICK_SECONDS, TICK_LOG_BYTES = 0.3, 1000
#: The notary: every quarter of an hour. Assumed: how long a run takes, most of it the start.
NOTARY_RUNS, NOTARY_GIB, NOTARY_SECONDS = 4 * 24 * 30, 512 / 1024, 5.0
#: Assumed of a checkpoint: its objects (its two copies, entries, hashes of one to three levels).
CHECKPOINT_PUTS = 6
#: It publishes `Warnings`, and reads three metrics of each function and one of the dead-letter queue.
METRICS, READ_METRICS = 1, 3 * (PROVIDERS + 1) + 1
#: It reads what it knows of earlier looks and of the log, and writes it; what the ticks have left it only reads.
LOOK_READS, LOOK_WRITES = 2 + PROVIDERS, 2
#: Two alarms look at `Warnings`, one at the dead-letter queue.
ALARM_METRICS = 3

#: Assumed of a million records: 10,000 in each window, each window visited three times, 600 bytes each as they come.
RECORDS, WINDOW_RECORDS, VISITS = 1_000_000, 10_000, 3
#: Measured: the CPU time of a first visit of so many records, and of a revisit that brings the same bytes. A function
#: of MEMORY_GIB has one whole vCPU.
FIRST_SECONDS, REVISIT_SECONDS = figure("hour"), figure("hour", "revisit_seconds")
#: Assumed of a visit: how long it waits for the provider and for AWS, its objects, its calls to the ledger, its log
#: lines. Of the writes, three are for the proof log: the mark's place in its index, and both gone again.
WAIT_SECONDS = 4.0
VISIT_PUTS, VISIT_WRITES, VISIT_READS, VISIT_LOG_BYTES = 4, 9, 7, 2000
#: Assumed: bytes of a record as stored under raw/ (compressed) and under logs/ (Parquet).
RAW_BYTES, LOGS_BYTES = 80, 80
#: Read every day for the coverage page: the windows of 400 days and the rest of a month, of which an item has 1.5 KB;
#: an object of the table `windows` is written for each of these months, then the page.
COVERAGE_READS, COVERAGE_PUTS = 415 * 24 * 1.5 / 4, 15
#: Assumed: messages about conditions that begin or end, in a month.
MESSAGES = 20
#: Metrics that a provider with sources publishes in ordinary times, and the notary, with `DetailedMetrics=true`.
PROVIDER_METRICS, NOTARY_METRICS = 13, 3

#: Assumed for `History=true`: ten sources with windows of an hour, and an object's bytes, as in `make bench-queries`.
HISTORY_SOURCES, HISTORY_OBJECT_BYTES = 10, 0.39e6
#: A day comes in the nights from its age of HistoryDays on, until seven days after it was last written: four nights
#: if that is its own day. Assumed: three more for what comes late. In a night its bytes are read once in `logs` and
#: twice in `history`; its objects in `logs` with two requests each. Assumed as well: that Athena opens these days only,
#: as Trino does; that it lists every day of a provider in a year all the same; that OPTIMIZE reads a month; that
#: replaced files, which live up to a week until VACUUM, five days more and seven in the versioned bucket, are as many.
HISTORY_NIGHTS, HISTORY_READS, HISTORY_GETS, HISTORY_LISTS = 4 + 3, 3, 2, PROVIDERS * 365

type Line = tuple[str, str, float]


def idle() -> list[Line]:
    """Return what a month without sources costs: what, how it is computed, dollars."""
    invocations = PROVIDERS * TICKS
    reads = NOTARY_RUNS * READ_METRICS
    ledger = invocations * (READ + WRITE) + NOTARY_RUNS * (LOOK_READS * READ + LOOK_WRITES * WRITE)
    return [
        ("ticks", f"{invocations:,} invocations of {TICK_SECONDS} s", invocations * _run(TICK_SECONDS)),
        ("their logs", f"{TICK_LOG_BYTES:,} bytes each", invocations * TICK_LOG_BYTES / 1e9 * LOG_GB),
        (
            "notary",
            f"{NOTARY_RUNS:,} invocations of {NOTARY_SECONDS:g} s",
            NOTARY_RUNS * _run(NOTARY_SECONDS, NOTARY_GIB),
        ),
        ("its key", "1; none with `ProofKey=none`", KEY),
        ("metrics", f"{METRICS} (`Warnings`)", METRICS * CUSTOM_METRIC),
        ("alarms", f"{ALARM_METRICS} metrics looked at; none with `Alarms=false`", ALARM_METRICS * ALARM_METRIC),
        ("AWS's metrics", f"{reads:,} read; none with `Alarms=false`", reads * READ_METRIC),
        ("signs of life", f"{invocations:,} reads and writes of the ledger; {NOTARY_RUNS:,} looks", ledger),
    ]


def provider() -> list[Line]:
    """Return what a month of a provider with one source costs, beside its records."""
    return [
        ("secret", "1", SECRET),
        ("ledger", f"{TICKS:,} ticks that read 10 units and write 1", TICKS * (10 * READ + WRITE)),
        ("warnings", f"{MESSAGES} mails", MESSAGES * MAIL),
        (
            "proof log",
            f"{NOTARY_RUNS:,} checkpoints at most, {CHECKPOINT_PUTS} PUTs each; once for all providers",
            NOTARY_RUNS * (SIGNATURE + CHECKPOINT_PUTS * PUT),
        ),
        (
            "coverage page",
            f"{COVERAGE_READS:,.0f} read units and {COVERAGE_PUTS} PUTs a day, for each source",
            30 * (COVERAGE_READS * READ + COVERAGE_PUTS * PUT),
        ),
    ]


def million() -> list[Line]:
    """Return what a million records cost."""
    visits = RECORDS // WINDOW_RECORDS * VISITS
    stored = RECORDS * (RAW_BYTES + LOGS_BYTES) / 1e9
    ledger = visits * (VISIT_WRITES * WRITE + VISIT_READS * READ)
    windows = visits // VISITS
    working = windows * (_run(FIRST_SECONDS) + (VISITS - 1) * _run(REVISIT_SECONDS))
    return [
        ("Lambda, working (measured)", _working(windows), working),
        ("Lambda, waiting", f"{visits} visits of {WAIT_SECONDS:g} s", visits * WAIT_SECONDS * MEMORY_GIB * GIB_SECOND),
        ("S3 requests", f"{VISIT_PUTS} PUTs a visit", visits * VISIT_PUTS * PUT),
        ("ledger", f"{VISIT_WRITES} writes, {VISIT_READS} reads a visit", ledger),
        ("logs", f"{VISIT_LOG_BYTES:,} bytes a visit", visits * VISIT_LOG_BYTES / 1e9 * LOG_GB),
        ("storage, each month", f"{stored * 1000:.0f} MB in `raw/` and `logs/`", stored * STANDARD_GB),
    ]


def history() -> list[Line]:
    """Return what a month of `History=true` costs, for the sources that are assumed above."""
    day = HISTORY_SOURCES * 24 * HISTORY_OBJECT_BYTES
    month, days = 30 * day, 30 * HISTORY_NIGHTS
    gets, lists = days * HISTORY_SOURCES * 24 * HISTORY_GETS, 30 * HISTORY_LISTS
    read = days * HISTORY_READS * day
    gigabytes = f"{month / 1e9:.1f} GB"
    return [
        (
            "nights",
            f"{read / 1e9:.0f} GB read: {HISTORY_NIGHTS} nights for each day, {HISTORY_READS} times its bytes",
            read / 1e12 * SCANNED_TB,
        ),
        ("`OPTIMIZE`, once a month", f"{gigabytes} read", month / 1e12 * SCANNED_TB),
        ("S3 requests", f"{gets:,} GETs; {lists:,} LISTs, the days of a year each night", gets * GET + lists * PUT),
        ("replaced files", f"{gigabytes} at any time", month / 1e9 * STANDARD_GB),
        ("storage, each month", f"{gigabytes} in `history/`", month / 1e9 * STANDARD_GB),
    ]


def chosen() -> list[Line]:
    """Return what a month of that costs which is off unless it is chosen."""
    return [
        ("`ShowDashboard=true`", "1; an account's first three are free", DASHBOARD),
        (
            "`DetailedMetrics=true`, for each provider with sources",
            f"{PROVIDER_METRICS} metrics",
            PROVIDER_METRICS * CUSTOM_METRIC,
        ),
        ("`DetailedMetrics=true`, for each other provider", "1 metric (`LagSeconds`)", CUSTOM_METRIC),
        ("`DetailedMetrics=true`, for the notary", f"{NOTARY_METRICS} metrics", NOTARY_METRICS * CUSTOM_METRIC),
        (
            "`PerSourceMetrics=true`, for each source, beside all of `DetailedMetrics`",
            f"{PROVIDER_METRICS} metrics",
            PROVIDER_METRICS * CUSTOM_METRIC,
        ),
    ]


def _working(windows: int) -> str:
    return f"{windows} first visits of {FIRST_SECONDS:.2g} s, {VISITS - 1} revisits each of {REVISIT_SECONDS:.2g} s"


def _run(seconds: float, gib: float = MEMORY_GIB) -> float:
    return seconds * gib * GIB_SECOND + INVOCATION


def total(lines: Sequence[Line]) -> float:
    """Return the sum."""
    return sum(dollars for _, _, dollars in lines)


def main() -> int:
    """Print the bills."""
    bills = {"idle": idle(), "a provider": provider(), "a million records": million(), "History=true": history()}
    for title, lines in bills.items():
        print(f"{title}: {total(lines):.2f} USD")
        for what, how, dollars in lines:
            print(f"  {what}: {how}: {dollars:.4f} USD")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
