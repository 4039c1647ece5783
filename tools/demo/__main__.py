"""Run the demo: `make demo`, `KEEP=1 make demo` to look around afterwards, `PORT=4600 make demo` for another port."""

import datetime as dt
import os
import sys
from collections.abc import Sequence

from tools.demo.account import Account
from tools.demo.keep import show_how_to_look_around
from tools.demo.page import Page, many
from tools.demo.progress import Standing
from tools.demo.providers import providers
from tools.demo.story import Story
from tools.demo.world import HOURS, orders, sources
from tools.stack import DEFAULT_PORT, Ended, StackError, address_is_taken, check_machine, end_on_signals, local_stack

#: Ports that need no privilege.
PORTS = range(1024, 65536)


#: What each step of the deployment provides.
STEPS = {
    "ministack": "AWS on this machine",
    "sam build": "template.yaml: a function for each provider and their shared layer",
    "sam deploy": "bucket, ledger, functions, schedules, permissions, Athena table",
}


def main() -> int:
    """Run the demo; return 0 only if the archive equals the simulator's records."""
    end_on_signals()
    _forget_the_shell()
    page = Page()
    try:
        _play(page, _port(), keep=os.environ.get("KEEP", "") not in {"", "0"})
    except StackError as error:
        page.fail(str(error))
        return 1
    except Ended:
        page.fail("stopped; nothing is left running")
        return 130
    return 0


def _forget_the_shell() -> None:
    """Remove the AWS profile, endpoint and proxy of the user's shell."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)
    os.environ |= dict.fromkeys(("NO_PROXY", "no_proxy"), "localhost,127.0.0.1")


def _port() -> int:
    text = os.environ.get("PORT") or str(DEFAULT_PORT)
    if not text.isdecimal() or int(text) not in PORTS:
        raise StackError(f"PORT={text}: must be a number from {PORTS.start} to {PORTS.stop - 1}")
    if address_is_taken(int(text)):
        raise StackError(
            f"port {text} of 127.0.0.1 is in use: stop what listens there, or use another, PORT=4600 make demo"
        )
    return int(text)


def _play(page: Page, port: int, *, keep: bool) -> None:
    check_machine()
    page.title(
        "logarchive, the demo",
        "The functions that you would deploy archive the logs of several providers. Here a simulator replaces the "
        "providers, and ministack replaces AWS: everything stays on this machine (127.0.0.1).",
    )
    page.section("Deployment with sam build, sam deploy")
    now = dt.datetime.now(dt.UTC)
    parameters = {
        "ScheduleExpression": "rate(1 minute)",
        "ArchiveFrom": f"{now - dt.timedelta(hours=HOURS):%Y-%m-%d}",
    }
    with (
        local_stack(port, keep=keep, step=lambda name: page.step(name, STEPS[name]), **parameters) as stack,
        providers(stack.folder, orders(now), keep=keep) as played,
    ):
        page.line(f"AWS at {stack.aws['endpoint_url']}, the providers at {played.url}")
        story = Story(page, Account.of(stack), played, sources(played.url, now))
        standings = story.tell()
        if keep:
            story.account.switch_schedules(on=True)
            show_how_to_look_around(page, stack, played)
    _sum_up(page, standings, keep=keep)


def _sum_up(page: Page, standings: Sequence[Standing], *, keep: bool) -> None:
    rows = sum(standing.total("rows") for standing in standings)
    sealed = sum(len(standing.state("sealed")) for standing in standings)
    still = sum(len(standing.open) for standing in standings)
    minutes, seconds = divmod(round(page.seconds()), 60)
    page.section("Done")
    page.say(
        f"{many(rows, 'row')}: every record of the providers that can be a row, exactly once; "
        f"{many(sealed, 'window')} sealed, {still} "
        f"visited and due again; {minutes} min {seconds} s. "
        + (
            "Everything keeps running, see above."
            if keep
            else "Nothing is left running; KEEP=1 make demo keeps it running."
        )
    )


if __name__ == "__main__":
    sys.exit(main())
