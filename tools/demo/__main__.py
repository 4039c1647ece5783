"""Run the demo: `make demo`, `KEEP=1 make demo` to look around afterwards, `PORT=4600 make demo` for another port."""

import argparse
import datetime as dt
import os
import shlex
import sys
from collections.abc import Sequence

from tools.demo.account import Account
from tools.demo.page import Page, many
from tools.demo.progress import Standing
from tools.demo.providers import Providers, providers
from tools.demo.story import Story
from tools.demo.world import HOURS, orders, sources
from tools.stack import (
    DEFAULT_PORT,
    REGION,
    STACK,
    Ended,
    Stack,
    StackError,
    account,
    address_is_taken,
    check_machine,
    end_on_signals,
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
    """Run the demo; return 0 only if the archive equals the simulator's records."""
    argparse.ArgumentParser(prog="make demo", description=__doc__).parse_args()
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
            _show_how_to_look_around(page, stack, played)
    _sum_up(page, standings, keep=keep)


def _show_how_to_look_around(page: Page, stack: Stack, played: Providers) -> None:
    """Print commands for the ordinary AWS command line, and the one that ends it all."""
    page.section("Looking around")
    page.say(
        "Everything keeps running: a tick every minute, and new hours are archived as they end. "
        "With the AWS command line installed:"
    )
    page.line()
    for name, value in (account(stack.aws["endpoint_url"]) | {"AWS_DEFAULT_REGION": REGION}).items():
        page.whole(f"export {name}={value}")
    page.line()
    for line in _commands(stack):
        page.whole(line)
    page.line()
    page.say("And to stop it:")
    page.line()
    page.whole(
        f"kill -- -{stack.process_id} -{played.process_id} && sleep 1 && rm -rf {shlex.quote(str(stack.folder))}"
    )


def _commands(stack: Stack) -> list[str]:
    """Return the lines of commands that look at the stack, for either version of the command line."""
    of = stack.outputs
    return [
        f"aws s3 ls --recursive s3://{of['BucketName']}/logs/",
        f"aws ssm get-parameters-by-path --recursive --path {of['SourcesPath']}",
        f"aws dynamodb scan --table-name {of['LedgerTableName']} --max-items 3",
        "aws scheduler list-schedules",
        f"aws lambda invoke --function-name {of['ElsaFunctionName']} \\",
        "    --payload fileb://events/status.json /dev/stdout",
        f"aws logs filter-log-events --log-group-name /aws/lambda/{STACK}-elsa --max-items 9",
    ]


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
