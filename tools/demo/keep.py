"""How to look around in what was left running, and how to stop it."""

import shlex

from tools.demo.page import Page
from tools.demo.providers import Providers
from tools.stack import REGION, STACK, Stack, account


def show_how_to_look_around(page: Page, stack: Stack, played: Providers) -> None:
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
    for line in commands(stack):
        page.whole(line)
    page.line()
    page.say("And to stop it:")
    page.line()
    page.whole(
        f"kill -- -{stack.process_id} -{played.process_id} && sleep 1 && rm -rf {shlex.quote(str(stack.folder))}"
    )


def commands(stack: Stack) -> list[str]:
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
