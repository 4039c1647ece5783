"""What to try in a demo that was kept: commands to paste, most of them the console's."""

import datetime as dt
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tools.demo.page import Page
from tools.demo.world import DemoSource, hour
from tools.lock import ROOT
from tools.stack import REGION, STACK, account

HOUR = dt.timedelta(hours=1)
SQL = "SELECT provider, source, count(*) AS records, max(time) AS newest FROM logs GROUP BY 1, 2 ORDER BY 1, 2"


@dataclass(frozen=True)
class Around:
    """A demo that runs: its port, its first source, and what a window of that source is called."""

    port: int
    endpoint: str
    outputs: Mapping[str, str]
    source: DemoSource
    now: dt.datetime

    def prepared(self) -> list[str]:
        """Return the lines that the shell needs before any command."""
        variables = account(self.endpoint) | {"AWS_DEFAULT_REGION": REGION}
        settings = " ".join(f"{name}={value}" for name, value in variables.items())
        return [
            f"cd {shlex.quote(str(ROOT))}",
            f'logarchive() {{ PORT={self.port} .venv/bin/python -m console "$@"; }}',
            f'demo() {{ PORT={self.port} .venv/bin/python -m tools.demo "$@"; }}',
            f'demo_aws() {{ env {settings} aws "$@"; }}',
        ]

    def groups(self) -> Iterator[tuple[str, Sequence[str]]]:
        """Yield commands, and what each group of them is for."""
        path, provider = self.source.path, self.source.provider
        start = hour(self.now) - 3 * HOUR
        span = f"{start:%Y-%m-%dT%H:%M:%SZ} {start + HOUR:%Y-%m-%dT%H:%M:%SZ}"
        yield (
            "Where each source stands, and what is not archived; is all of it set up right; the month's report:",
            [
                "logarchive --demo status",
                "logarchive --demo gaps",
                "logarchive --demo coverage",
                "logarchive --demo doctor",
                f"logarchive --demo report {start:%Y-%m} --lang ko",
            ],
        )
        yield (
            "SQL, and the record that a row comes from:",
            [
                f'logarchive --demo query --sql "{SQL}"',
                "logarchive --demo query errors-by-hour",
                f"logarchive --demo row --where \"provider = '{provider}' AND severity_number >= 17\"",
            ],
        )
        yield (
            "A second source is checked, then added; the next tick begins with it. Then it is paused, and goes on:",
            [
                f"logarchive --demo sources check {provider}/second {self._settings()}",
                f"logarchive --demo sources add {provider}/second --yes {self._settings()}",
                f"logarchive --demo sources pause {provider}/second",
                f"logarchive --demo sources resume {provider}/second",
            ],
        )
        yield (
            "The provider breaks down; an hour is fetched again, and fails; then it is mended:",
            [
                f"demo break {provider}",
                f"logarchive --demo backfill {path} {span} --yes",
                f"logarchive --demo gaps {path}",
                f"demo mend {provider}",
                f"logarchive --demo backfill {path} {span} --yes",
            ],
        )
        yield (
            "Rows from raw/ without the provider; a copy of the bucket is checked:",
            [
                f"logarchive --demo replay {path} {span} --dry-run",
                "logarchive --demo verify",
            ],
        )
        yield (
            "With the AWS command line, version 2 or a recent 1:",
            [
                f"demo_aws s3 ls --recursive s3://{self.outputs['BucketName']}/logs/provider={provider}/",
                f"demo_aws logs filter-log-events --log-group-name /aws/lambda/{STACK}-{provider} --max-items 9",
            ],
        )

    def _settings(self) -> str:
        """Return the fields of another source of the same provider: like the first, from six hours ago on."""
        kept = {name: self.source.document[name] for name in ("secret", "base_url", "project_key", "project_id")}
        fields = {**kept, "start": f"{hour(self.now) - 6 * HOUR:%Y-%m-%dT%H:%M:%SZ}", "retention": "P30D"}
        texts = (value if isinstance(value, str) else json.dumps(value) for value in fields.values())
        return " ".join(f"--set {name}={text}" for name, text in zip(fields, texts, strict=True))


def show(page: Page, around: Around) -> None:
    """Print the commands."""
    page.section("Looking around")
    page.say(
        "Everything keeps running: a tick every minute, and new hours are archived as they end. These lines prepare "
        "a shell (bash or zsh):"
    )
    page.line()
    for line in around.prepared():
        page.whole(line)
    for what, commands in (*around.groups(), ("All of it is stopped, and its files are removed:", ["demo stop"])):
        page.line()
        page.say(what)
        for command in commands:
            page.whole(f"  {command}")
