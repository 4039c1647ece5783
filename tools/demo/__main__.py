"""Run the demo: `make demo`, `KEEP=1 make demo` to look around afterwards, `PORT=4600 make demo` for another port.

Of a demo that was kept, `break` lets a provider fail, `mend` ends that, and `stop` stops it all.
"""

import argparse
import datetime as dt
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence

from tools.demo import around
from tools.demo.account import Account
from tools.demo.around import Around
from tools.demo.kept import Kept, command
from tools.demo.page import Page, many, size
from tools.demo.progress import Standing
from tools.demo.providers import providers
from tools.demo.story import Story
from tools.demo.waiting import answered
from tools.demo.world import HOURS, orders, sources
from tools.install import DEMO, TEMPORARY_BYTES
from tools.registry import names
from tools.stack import (
    DEFAULT_PORT,
    Afterwards,
    Ended,
    Stack,
    StackError,
    address_is_taken,
    check_machine,
    end_on_signals,
    free_port,
    local_stack,
)

#: Ports that need no privilege.
PORTS = range(1024, 65536)


#: What each step of the deployment provides.
STEPS = {
    "ministack": "AWS on this machine",
    "sam build": "template.yaml: a function for each provider and their shared layer",
    "sam deploy": "bucket, ledger, functions, schedules, permissions, Athena table",
}


def main() -> int:
    """Run the demo, or change one that was kept; return 0 only if the archive equals the simulator's records."""
    arguments = _parser().parse_args()
    end_on_signals()
    _forget_the_shell()
    page = Page()
    try:
        if arguments.what:
            _change(Kept.at(_port()), arguments)
        else:
            keep = os.environ.get("KEEP", "") not in {"", "0"}
            _play(page, _free(_port(), keep=keep), keep=keep)
    except StackError as error:
        page.fail(str(error))
        return 1
    except Ended:
        page.fail("stopped; nothing is left running")
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.demo", description=__doc__)
    commands = parser.add_subparsers(dest="what", metavar="{break,mend,stop}")
    for name, text in (("break", "let a provider of a kept demo fail"), ("mend", "let it answer as it should again")):
        commands.add_parser(name, help=text).add_argument("provider", choices=names())
    commands.add_parser("stop", help="stop a kept demo, and remove its files")
    return parser


def _change(kept: Kept, arguments: argparse.Namespace) -> None:
    match arguments.what:
        case "break":
            kept.break_down(arguments.provider)
            print(f"{arguments.provider} answers each request with 503, Service Unavailable, until it is mended.")
        case "mend":
            kept.mend(arguments.provider)
            print(f"{arguments.provider} answers again. The next tick or backfill fetches what is missing.")
        case _:
            kept.stop(lambda text: print(text, flush=True))
            print("Nothing is left running.")


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
    return int(text)


def _free(port: int, *, keep: bool) -> int:
    if address_is_taken(port):
        stop = f"the demo that was kept there, `PORT={port} .venv/bin/python -m tools.demo stop`"
        other = next((one for one in range(port + 1, PORTS.stop) if not address_is_taken(one)), free_port())
        raise StackError(
            f"port {port} of 127.0.0.1 is in use: stop {stop if Kept.is_noted(port) else 'what listens there'}, or use "
            f"another, `{command(other, keep=keep)}`"
        )
    return port


def _check_space(folder: str, again: str) -> None:
    if (free := shutil.disk_usage(folder).free) < TEMPORARY_BYTES:
        raise StackError(
            f"{folder}: {size(free)} are free, and the demo takes {size(TEMPORARY_BYTES)}; name another folder: "
            f"TMPDIR=/var/tmp {again}"
        )


def _play(page: Page, port: int, *, keep: bool) -> None:
    check_machine()
    _check_space(tempfile.gettempdir(), command(port, keep=keep))
    page.title(
        "logarchive, the demo",
        "The functions that you would deploy archive the logs of several providers. Here a simulator replaces the "
        "providers, and ministack replaces AWS: everything stays on this machine (127.0.0.1).",
        f"It takes {DEMO}.",
    )
    page.section("Deployment with sam build, sam deploy")
    now = dt.datetime.now(dt.UTC)
    parameters = {
        "ScheduleExpression": "rate(1 minute)",
        "ArchiveFrom": f"{now - dt.timedelta(hours=HOURS):%Y-%m-%d}",
    }
    afterwards = Afterwards()
    with (
        local_stack(port, step=lambda name: page.step(name, STEPS[name]), afterwards=afterwards, **parameters) as stack,
        providers(stack.folder, orders(now), afterwards=afterwards) as played,
        answered(stack.folder),
    ):
        page.line(f"AWS at {stack.aws['endpoint_url']}, the providers at {played.url}")
        story = Story(page, Account.of(stack), played, sources(played.url, now))
        try:
            standings = story.tell()
        finally:
            if keep and not isinstance(sys.exception(), Ended):  # what has failed is left to be looked at, too
                afterwards.run_on = True
                _leave(page, port, stack, story)
    _sum_up(page, standings, "" if keep else command(port, keep=True))


def _leave(page: Page, port: int, stack: Stack, story: Story) -> None:
    """Note where the demo is, print what can be done with it, and let it go on."""
    Kept(port, story.providers.url, stack.process_id, story.providers.process_id, str(stack.folder)).note()
    now = dt.datetime.now(dt.UTC)
    around.show(page, Around(port, stack.aws["endpoint_url"], stack.outputs, story.sources[0], now))
    story.account.switch_schedules(on=True)


def _sum_up(page: Page, standings: Sequence[Standing], to_keep: str) -> None:
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
            f"Nothing is left running; {to_keep} keeps it running."
            if to_keep
            else "Everything keeps running, see above."
        )
    )


if __name__ == "__main__":
    sys.exit(main())
