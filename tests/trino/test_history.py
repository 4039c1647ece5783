"""`history` has the rows of `logs` after whatever happens, and never one of them twice."""

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest

from console.core.saved_query import QUERIES, SavedQuery, saved_views
from tests.template.policy import Request, Role
from tests.template.transform import Deployed
from tests.trino import odd
from tests.trino.conftest import FIRST, LAST, now
from tests.trino.engine import Engine, client
from tests.trino.past import DAY, OLDER, History, Reader
from tests.unit import test_saved_queries as by_hand

pytestmark = pytest.mark.trino


@pytest.fixture(scope="module")
def past(trino: Engine) -> History:
    """The table, empty."""
    made = History(trino)
    made.ask("create")
    made.archive(DAY, "first", "second", "third")
    return made


@pytest.fixture(scope="module", autouse=True)
def reader(past: History) -> Iterator[Reader]:
    """Somebody who reads while all this happens, from before the first fill on."""
    made = Reader(past.trino)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def every_day(past: History) -> History:
    """The table with all there is."""
    past.ask("fill", FIRST, LAST)
    assert past.differing(FIRST, LAST) == 0
    return past


@pytest.fixture(scope="module", autouse=True)
def filled(past: History, reader: Reader) -> None:
    while not reader.seen:
        assert reader.is_alive()
        time.sleep(0.1)
    past.ask("fill")


def differences(past: History) -> list[tuple[Any, ...]]:
    return past.ask("difference")


def test_the_first_fill_has_every_row(past: History) -> None:
    assert past.trino.ask(f"SELECT count(*) FROM history WHERE \"date\" = '{DAY}'") == [(3,)]
    assert past.differing() == 0
    assert differences(past) == []


def test_the_same_again_writes_nothing(past: History) -> None:
    snapshots = "SELECT count(*), sum(CAST(summary['total-data-files'] AS integer)) FROM \"history$snapshots\""
    before = past.trino.ask(snapshots)
    assert past.ask("fill") == [(0,)]
    assert past.trino.ask(snapshots) == before


#: What happens to `logs`, and what the tables then differ by: missing in `history`, gone from `logs`, changed.
CHANGES: dict[str, tuple[Callable[[History], None], tuple[str, int, int, int]]] = {
    "a late row": (lambda past: past.archive(DAY, "late", visit="v2"), (DAY, 1, 0, 0)),
    "a backfill of an older day": (lambda past: past.archive(OLDER, "old"), (OLDER, 1, 0, 0)),
    "a replay that changes and removes rows": (lambda past: past.replay(DAY, "changed"), (DAY, 0, 1, 3)),
}


@pytest.mark.parametrize(("change", "differs"), CHANGES.values(), ids=CHANGES)
def test_a_change_is_told_and_taken_over(
    past: History, change: Callable[[History], None], differs: tuple[str, int, int, int]
) -> None:
    day, *numbers = differs
    change(past)
    assert differences(past) == [("elsa", "odd", day, *numbers)]
    assert past.ask("fill") == [(sum(numbers),)]
    assert past.differing() == 0
    assert differences(past) == []


def test_a_statement_that_is_killed_in_the_middle_leaves_nothing(past: History) -> None:
    past.archive(DAY, "before the kill", visit="v3")
    before = past.trino.ask("SELECT count(*) FROM history")
    failed: list[Exception] = []
    with closing(past.trino.connection.cursor()) as cursor:

        def run() -> None:
            try:
                cursor.execute(past.statement("fill")).fetchall()
            except Exception as error:  # noqa: BLE001 (which one depends on where it was)
                failed.append(error)

        # The rows are written, what names them is not.
        with past.trino.requests.holding("/history/metadata/") as waits:
            thread = threading.Thread(target=run)
            thread.start()
            assert waits.wait(60)
            assert past.trino.ask("SELECT count(*) FROM history") == before
            for (query,) in past.trino.ask(
                "SELECT query_id FROM system.runtime.queries WHERE state <> 'FINISHED' AND query LIKE '%MERGE INTO%'"
                " AND query NOT LIKE '%system.runtime%'"
            ):
                past.trino.ask(f"CALL system.runtime.kill_query(query_id => '{query}', message => 'killed')")
        thread.join()
    assert len(failed) == 1
    assert past.trino.ask("SELECT count(*) FROM history") == before
    past.ask("fill")
    assert past.differing() == 0


def test_of_two_at_once_one_is_enough(past: History) -> None:
    past.archive(DAY, "for two", visit="v4")
    conflict = client("exceptions").TrinoExternalError
    ended: list[object] = []

    def run() -> None:
        try:
            ended.append(past.ask("fill"))
        except conflict as error:
            ended.append(error.error_name)

    threads = [threading.Thread(target=run) for _ in range(2)]
    with past.trino.requests.holding("/history/metadata/") as waits:
        for thread in threads:
            thread.start()
        assert waits.wait(60)
    for thread in threads:
        thread.join()
    assert [(1,)] in ended
    other = next(one for one in ended if one != [(1,)])
    assert other in ("ICEBERG_COMMIT_ERROR", [(0,)])
    assert past.differing() == 0


def test_no_reader_ever_sees_a_row_twice(reader: Reader) -> None:
    reader.stop()  # before its snapshots are deleted
    assert len(reader.seen) > 10
    assert {0, 3} <= {rows for rows, _ in reader.seen}
    assert [one for one in reader.seen if one[0] != one[1]] == []


def test_small_files_are_joined_and_old_ones_deleted_without_a_row_changed(past: History) -> None:
    files = 'SELECT count(*) FROM "history$files" WHERE content = 0'
    [(before,)] = past.trino.ask(files)
    past.ask("optimize")
    assert before > 1
    assert past.trino.ask(files) == [(1,)]
    # As if five days had passed, in which nobody reads.
    for statement in past.statement("vacuum").split(";"):
        assert statement.count("5d") == 1
        past.trino.ask(statement.replace("5d", "0s"))
    assert past.trino.ask('SELECT count(*) FROM "history$snapshots"') == [(1,)]
    assert past.data_files() == 1
    assert past.differing() == 0


@pytest.mark.parametrize("days", [("2026-02-30", DAY), (OLDER, "LAST_DAY"), ("yesterday", DAY)])
def test_what_is_no_day_is_refused(past: History, days: tuple[str, str]) -> None:
    [wrong] = {*days} - {DAY, OLDER}
    for name in ("fill", "difference"):
        with pytest.raises(client("exceptions").TrinoUserError, match=f"'{wrong}' is not a valid DATE literal"):
            past.ask(name, *days)


def test_it_says_how_far_it_reaches(past: History) -> None:
    [(provider, source, first, last, rows)] = past.ask("reach")
    assert (provider, source, first, last) == ("elsa", "odd", OLDER, DAY)
    assert rows == past.trino.ask("SELECT count(*) FROM history")[0][0]


def test_the_next_night_leaves_the_table_alone(past: History) -> None:
    before = past.trino.ask("SELECT count(*) FROM history")
    past.ask("create")
    assert past.trino.ask("SELECT count(*) FROM history") == before != [(0,)]


@pytest.mark.parametrize(
    "name", [name for name in by_hand.ANSWERS if "FROM logs" in SavedQuery(QUERIES / f"{name}.sql").sql]
)
def test_a_saved_query_has_the_same_answer_on_it(every_day: History, name: str) -> None:
    sql = SavedQuery(QUERIES / f"{name}.sql").sql
    assert sql.count("FROM logs") == 1
    assert every_day.trino.ask(now(sql.replace("FROM logs", "FROM history"))) == by_hand.ANSWERS[name]


@pytest.mark.parametrize("view", saved_views(), ids=lambda view: view.name)
def test_a_view_can_be_of_it(every_day: History, view: SavedQuery) -> None:
    assert view.sql.count("FROM logs") == 1
    _, of_logs = view.sql.split(" AS\n", 1)
    of_history = of_logs.replace("FROM logs", "FROM history")
    rows, expected = (every_day.trino.ask(f"SELECT * FROM ({sql})") for sql in (of_history, of_logs))
    assert len(rows) >= 2
    assert sorted(rows, key=repr) == sorted(expected, key=repr)


def test_only_files_of_days_that_are_asked_for_are_read(past: History) -> None:
    past.trino.requests.paths.clear()
    past.ask("fill", OLDER, OLDER)
    assert past.read("logs/") == {odd.place("elsa", odd.window(OLDER)).logs}
    assert past.read("history/data/") > set()

    past.trino.requests.paths.clear()
    past.ask("fill", "2026-10-01", "2026-10-31")
    assert past.read("logs/") == past.read("history/data/") == set()


#: Days, when an object of each was written, and whether the night of `NIGHT` takes it over.
NIGHT = dt.datetime(2026, 11, 15, 3, tzinfo=dt.UTC)
NIGHTS: Mapping[str, tuple[dt.datetime | None, bool]] = {
    OLDER: (NIGHT - dt.timedelta(hours=9), True),
    "2026-11-08": (NIGHT - dt.timedelta(days=8), False),
    "2026-11-09": (None, True),  # of an earlier version
    "2026-11-11": (NIGHT - dt.timedelta(days=4), True),
    "2026-11-12": (NIGHT - dt.timedelta(days=2), False),
}


@pytest.fixture(scope="module")
def changed_days(every_day: History) -> Iterator[History]:
    """A late row on each day; `windows` says when it was written."""
    for day in NIGHTS:
        every_day.archive(day, f"late on {day}", visit="v9")
    with every_day.windows({day: written for day, (written, _) in NIGHTS.items()}):
        yield every_day


def test_a_night_takes_over_what_is_old_enough_or_has_changed_and_reads_no_other_day(changed_days: History) -> None:
    past = changed_days
    past.trino.requests.paths.clear()
    taken = {day for day, (_, taken) in NIGHTS.items() if taken}
    assert past.night(NIGHT) == len(taken)
    # The small archive has windows of that day, which do not say when they were written.
    assert past.dates_read() == taken | {"2026-11-10"}
    assert {date for _, _, date, *_ in past.ask("difference", FIRST, LAST)} == NIGHTS.keys() - taken


def test_a_night_in_which_nothing_has_changed_reads_no_row(changed_days: History) -> None:
    # As if the table were large: of a small one Trino would rather read all than wait for the days.
    changed_days.trino.ask("SET SESSION join_max_broadcast_table_size = '1B'")
    changed_days.trino.requests.paths.clear()
    try:
        assert changed_days.night(NIGHT + dt.timedelta(days=60)) == 0
    finally:
        changed_days.trino.ask("RESET SESSION join_max_broadcast_table_size")
    assert changed_days.read("logs/") == changed_days.read("history/data/") == set()


def test_the_same_night_again_writes_nothing(changed_days: History) -> None:
    changed_days.night(NIGHT)
    assert changed_days.night(NIGHT) == 0


#: Which right S3 asks for; a list and a piece of an upload are told by their own.
RIGHTS = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "POST": "PutObject", "DELETE": "DeleteObject"}


def test_the_role_of_the_schedules_may_do_all_that_the_engine_asks_s3_for(past: History) -> None:
    past.night(NIGHT)
    for statement in (past.statement("optimize"), *past.statement("vacuum").split(";")):
        past.trino.ask(statement.replace("5d", "0s"))
    role = Role.of(Deployed({"History": "true", "ExistingBucketName": "bucket"}), "HistoryRole")
    needed = [
        Request(f"s3:{RIGHTS[method]}", f"arn:aws:s3:::bucket/{key}") if key
        else Request("s3:ListBucket", "arn:aws:s3:::bucket", {"s3:prefix": prefix})
        for method, key, prefix in past.trino.requests.asked
    ]  # fmt: skip
    assert {one.action for one in needed} == {"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"}
    assert any("/coverage/windows/" in one.resource for one in needed)
    assert [one for one in needed if not role.allows(one)] == []
