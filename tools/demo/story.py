"""What the demo does, act by act."""

import datetime as dt
import json
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from console.account.duck import ask, connect
from console.core.saved_query import saved_queries, saved_views
from tests.truth import Window
from tools.demo import figure, spoiling, tree
from tools.demo.account import FUNCTIONS, Account
from tools.demo.page import INDENT, WIDTH, Page, many
from tools.demo.progress import Standing, Watch, look, number
from tools.demo.proof import Proof, proving, tasks, total
from tools.demo.providers import Providers
from tools.demo.saved_query import look_through, show_row
from tools.demo.waiting import Waiting
from tools.demo.world import CAP, CAPS, FAULT_NAMES, HOUR, HOURS, SECRETS, DemoSource, broken, hour, late
from tools.lock import ROOT
from tools.registry import names
from tools.stack import StackError


@dataclass(frozen=True)
class Story:
    """The state that the acts share."""

    page: Page
    account: Account
    providers: Providers
    sources: Sequence[DemoSource]

    @property
    def watch(self) -> Watch:
        """What waits for the functions."""
        return Watch(Waiting(self.page), self.account, self.providers, self.sources)

    def tell(self) -> list[Standing]:
        """Play all acts; return where the sources stand. Raises StackError if anything is wrong."""
        self.configure()
        self.wait()
        self.archive()
        standings = self.revisit()
        work = [task for standing in standings for task in tasks(standing.source, standing.whole)]
        with proving(self.account, self.providers.url, work) as proofs:  # goes on behind the next three acts
            self.bucket(standings)
            self.status()
            self.query()
            self.prove(proofs)
        self.account.notarize()
        spoiling.show(self.page, self.account)
        return standings

    def configure(self) -> None:
        """Write secrets and sources."""
        page = self.page
        page.section("Sources")
        page.say(
            "A source is one parameter, and its credentials are one secret: a new source needs no deployment. These "
            f"begin {HOURS} hours ago; base_url and download_hosts are the simulator's. The last one has a spelling "
            "error, on purpose."
        )
        for name, value in SECRETS.items():
            self.account.put_secret(name, value)
        for source in (*self.sources, broken(self.providers.url)):
            page.line()
            page.line(self.account.put_source(source))
            for line in textwrap.wrap(json.dumps(source.document), WIDTH - len(INDENT) - 2, break_on_hyphens=False):
                page.line(f"  {line}")

    def wait(self) -> None:
        """Wait for the schedules to fire."""
        page, expected = self.page, self.account.next_tick()
        page.section("The schedule")
        page.say(
            "Each function has a schedule, rate(1 minute); nothing happens before the first tick. Then the function "
            "reads its sources, plans a window for every hour (or six), and starts workers. For each window a worker "
            "requests the records, keeps the responses as received, writes one Parquet object, and commits. "
            "A window older than the last age in `revisit` is sealed; the others are visited again later."
        )
        page.line()
        now = dt.datetime.now(dt.UTC)
        with ThreadPoolExecutor() as pool:
            warming: list[Future[object]] = [
                pool.submit(self.account.warm, self.sources),
                pool.submit(self.providers.fill, hour(now) - HOURS * HOUR, now),
            ]
            self.watch.tick(expected, warming)

    def archive(self) -> None:
        """Watch the windows being archived, and say what was difficult about it."""
        page = self.page
        page.section("Archiving")
        standings = self.watch.visits(figure.progress)
        self.account.switch_schedules(on=False)  # what is compared later must stand still
        check_archived(standings)
        self.account.notarize()  # so that the log knows the objects that the next act replaces
        page.line()
        page.table(figure.ARCHIVED, [figure.archived(standing) for standing in standings])
        page.line()
        page.say(
            "sealed: all that the provider returned is there; not visited again. archived: visited, and due again at "
            "the next age of `revisit`. not due yet: younger than `delay`, 2 hours for dsa, 5 minutes for the others."
        )
        page.line()
        requests = self.providers.requests()
        for kind, count in Counter(request["fault"] for request in requests if request["fault"]).items():
            page.line(f"{count:>3} x  a provider {FAULT_NAMES[kind]}: requested again")
        for provider, cap in CAPS.items():
            full = sum(one["provider"] == provider and one["records"] == cap for one in requests)
            page.line(f"{full:>3} x  a response of {provider} was full ({cap:,} records): both halves were requested")

    def revisit(self) -> list[Standing]:
        """Let records come late and others go, and have the windows that are not sealed visited again."""
        page, before = self.page, look(self.account, self.sources)
        page.section("Records that arrive late, and records that disappear")
        orders = [order for standing in before for window in standing.open for order in _late(standing.source, window)]
        gone = {provider: {"gone_after_seconds": 0} for provider in names()}
        self.providers.order({"add": orders, "switches": gone})
        page.say(
            f"The providers now return {many(len(orders), 'record')} that they had not returned before, and no longer "
            "return a few others. The windows that are not sealed will be visited again at their next age, hours from "
            "now; a `backfill` makes them due at once."
        )
        page.line()
        for standing in before:
            self._backfill(standing)
        after = self.watch.visits(figure.revisits(before))
        page.line()
        page.table(figure.REVISITED, [figure.revisited(old, new) for old, new in zip(before, after, strict=True)])
        page.line()
        page.say("What was seen once stays, whatever a later visit returns; such a window has the issue `shrunk`.")
        return after

    def _backfill(self, standing: Standing) -> None:
        windows = standing.open
        if windows:
            span = {"start": _instant(windows[0].start), "end": _instant(windows[-1].end)}
            event = {"action": "backfill", "source": standing.source.name, **span}
            self.account.invoke(standing.source.provider, event)

    def bucket(self, standings: Sequence[Standing]) -> None:
        """Show what lies in the bucket."""
        page, bucket = self.page, self.account.bucket
        objects = tree.sizes(bucket)
        page.section("The bucket")
        tree.show(page, bucket, objects)
        page.line()
        busiest = max(standings[0].windows, key=lambda window: number(window, "rows"))
        page.say(f"One window in full: {number(busiest, 'rows'):,} records; one response holds {CAP:,} at most.")
        tree.show_window(page, bucket, standings[0].source, busiest, objects)

    def status(self) -> None:
        """Show the results of `status`."""
        page = self.page
        page.section('Status: the results of {"action": "status"}')
        results = {provider: self.account.status(provider) for provider in FUNCTIONS}
        rows = [figure.status(provider, source) for provider, result in results.items() for source in result["sources"]]
        page.table(figure.STATUS, rows)
        for provider, result in results.items():
            for error in result["errors"]:
                page.say(f"{provider}/{error['source']} is skipped: {error['error']}")

    def query(self) -> None:
        """Ask the saved queries, and show one row beside its raw record."""
        page, bucket = self.page, self.account.bucket
        page.section("SQL: the saved queries, written for Athena")
        page.say("Here DuckDB runs them instead of Athena, on the same Parquet objects in the same bucket.")
        self.account.cover()  # the table windows is as the ledger was when it was written
        with connect(self.account.aws["endpoint_url"], bucket.name) as database:
            for query in saved_queries():
                result = ask(database, query.for_duckdb())
                if not result.rows:
                    raise StackError(f"{query.path.name}: no rows")
                page.line()
                page.say(f"{query.path.relative_to(ROOT)}: {query.question}")
                page.line()
                for line in query.sql.splitlines():
                    page.line(f"  {line}")
                page.line()
                page.table(result.names, result.rows)
            page.section("SQL: a view for each provider, with the vendor's own names")
            page.table(("view", "rows", "names"), [look_through(database, view) for view in saved_views()])
            page.section("A row, and its raw record")
            show_row(page, bucket, database)

    def prove(self, proofs: Iterator[Proof]) -> None:
        """Show how the archive compares with the truth. Raises StackError if they differ."""
        page = self.page
        page.section("Is the archive complete and correct?")
        page.say(
            "The simulator knows every record that it has ever had. Code that shares nothing with the archive's own "
            "compares them: each record with its row, field by field; each row with the raw record that it names; each "
            "stored byte with its manifest and the ledger."
        )
        page.line()
        done: list[Proof] = []
        for proof in proofs:
            done.append(proof)
            page.move(f"{sum(one.truth.counts['windows'] for one in done)} windows compared")
        whole = [total(source, done) for source in self.sources]
        page.table(figure.PROOF, [figure.proof(proof) for proof in whole])
        check_proven(whole)


def check_archived(standings: Sequence[Standing]) -> None:
    """Raise StackError unless every window was archived that was due."""
    for standing in standings:
        archived = sum((window.end - window.start for window in standing.visited), dt.timedelta())
        if archived <= (HOURS - 3) * HOUR - standing.source.window:
            raise StackError(f"{standing.source.path}: only {archived / HOUR:.0f} hours were archived")


def check_proven(proofs: Sequence[Proof]) -> None:
    """Raise StackError with the first differences, or if there was nothing to compare."""
    wrong = [f"{proof.source.path}: {difference}" for proof in proofs for difference in proof.differences]
    if wrong:
        raise StackError("\n".join([f"the archive is WRONG, {many(len(wrong), 'difference')}:", *wrong[:10]]))
    if not all(
        proof.truth.counts["records"] == proof.way_back.counts["rows"] + proof.truth.counts["rejects"] > 0
        for proof in proofs
    ):
        raise StackError("nothing was compared")


def _instant(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _late(source: DemoSource, window: Window) -> list[dict[str, object]]:
    return late(source, window.start, max(4, number(window, "rows") // 100))
