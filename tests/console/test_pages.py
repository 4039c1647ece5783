"""Every command that README, first aid and docs/tasks.md show is run, from the first source to the stack's removal.

The Korean pages show the same commands (`tests/unit/test_docs.py`).
"""

import datetime as dt
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import boto3
import pytest

from tests.console.conftest import deployment
from tests.console.page_shell import PageShell
from tests.console.terminal import Hidden
from tests.markdown import Block, Heading, read
from tests.simulator.access import FIELDS, KEYS, source
from tools.demo.account import Account
from tools.lock import ROOT

PAGES = ("README.md", "docs/first-aid.md", "docs/tasks.md")

#: How commands begin that are not run, and why.
NOT_RUN = {
    "git clone ": "the tests run in a clone",
    "make demo": "it takes minutes, and has tests of its own: tests/integration/test_demo.py",
    "sam build ": "the stack of this test was built and deployed so: tools/stack.py",
    "uv tool install ": "it needs a registry of packages; the console is run from the clone",
}
#: What is typed when a command asks.
AGREED = ("[y/N]", "y")
ANSWERS: Mapping[str, Sequence[tuple[str, str]]] = {
    "logarchive sources add elsa/checkout": [
        ("project_key:", FIELDS["elsa"]["project_key"]),
        ("project_id:", str(FIELDS["elsa"]["project_id"])),
        ("start:", "2026-11-21T00:00:00Z"),
        ("retention:", "P30D"),
        ("access_key:", Hidden(KEYS["ncloud"]["access_key"])),
        ("secret_key:", Hidden(KEYS["ncloud"]["secret_key"])),
        AGREED,
    ],
    "logarchive backfill elsa/checkout 2026-11-22T13:00:00Z 2026-11-22T14:00:00Z --reopen": [AGREED],
    "logarchive backfill elsa/checkout 2026-11-20 2026-11-21 --workers 4": [AGREED],
    "logarchive backfill elsa/checkout 2026-11-22 2026-11-23 --reopen": [AGREED],
    "logarchive replay elsa/checkout 2026-11-21 2026-11-23 --outdated": [AGREED],
    "logarchive sources remove elsa/checkout": [AGREED],
    "sam delete --stack-name logarchive": [AGREED, AGREED],
}


def commands(page: str) -> Iterator[list[str]]:
    """Yield the lines of each block of commands."""
    for part in read((ROOT / page).read_text()):
        if isinstance(part, Block) and part.language == "bash":
            yield part.code.splitlines()


def under(title: str, language: str) -> list[str]:
    """Return the code of the blocks under a heading of docs/tasks.md."""
    found: list[str] = []
    heading = ""
    for part in read((ROOT / "docs" / "tasks.md").read_text()):
        if isinstance(part, Heading):
            heading = part.title
        elif heading == title and part.language == language:
            found.append(part.code)
    return found


def archive(shell: PageShell) -> None:
    """Archive every window of the source that is due, state that in the log, and write page and table of it."""
    invoke = shell.deployed.invoke
    while (result := invoke("elsa", action="tick", inline=True))["totals"]["windows"] or result["next"]:
        pass
    assert invoke("notary", action="notary")["ok"]
    assert invoke("notary", action="coverage")["ok"]


def name_a_row(shell: PageShell) -> None:
    condition = "provider = 'elsa' AND source = 'checkout' AND \"date\" = '2026-11-22'"
    sql = f"SELECT raw_part, raw_index, record_id FROM logs WHERE {condition} LIMIT 1"
    text = shell.run([f"logarchive query --json --sql {json.dumps(sql)}"], [])
    (row,) = json.loads(text)
    shell.variables |= {name.upper(): str(value) for name, value in row.items()}


def write_secret(shell: PageShell) -> None:
    (shell.folder / "secret.json").write_text(json.dumps(KEYS["ncloud"]))


def write_source(shell: PageShell) -> None:
    (shown,) = map(json.loads, under("Change a source", "json"))
    text = shell.here(json.dumps(source("elsa", shell.deployed.simulator.url, **shown)))
    (shell.folder / "source.json").write_text(text)
    # The page has removed the source before.
    ssm = boto3.client("ssm", **shell.deployed.stack.aws)
    ssm.put_parameter(Name="/logarchive/sources/elsa/checkout", Value=text, Type="String", Overwrite=True)


def write_roles(shell: PageShell) -> None:
    trust, reading = under("Read from another account", "json")
    (shell.folder / "trust.json").write_text(trust)
    (shell.folder / "read.json").write_text(reading.replace("BUCKET", shell.deployed.stack.outputs["BucketName"]))


def write_key(shell: PageShell) -> None:
    (shell.folder / "archive.key").write_text(Account.of(shell.deployed.stack).proof_key())


def delete_a_part(shell: PageShell) -> None:
    """Delete a part under raw/, as somebody would by mistake: a version stays, below a delete marker."""
    s3, bucket = boto3.client("s3", **shell.deployed.stack.aws), shell.deployed.stack.outputs["BucketName"]
    key = shell.variables["RAW_PART"]
    kept = shell.folder / "kept"
    s3.download_file(bucket, key, str(kept))
    deleted = s3.delete_object(Bucket=bucket, Key=key)
    shell.variables |= {"KEY": key, "VERSION": deleted["VersionId"], "FILE": str(kept)}


def lose_a_part(shell: PageShell) -> None:
    """Delete every version of the part."""
    s3, bucket = boto3.client("s3", **shell.deployed.stack.aws), shell.deployed.stack.outputs["BucketName"]
    key = shell.variables["KEY"]
    found = s3.list_object_versions(Bucket=bucket, Prefix=key)
    for version in [*found.get("Versions", []), *found.get("DeleteMarkers", [])]:
        s3.delete_object(Bucket=bucket, Key=key, VersionId=version.get("VersionId", ""))


def start_a_night(shell: PageShell) -> None:
    """Start a statement in the workgroup of the nights, which the demo's stack has not."""
    athena = boto3.client("athena", **shell.deployed.stack.aws)
    athena.create_work_group(Name="logarchive-history")
    athena.start_query_execution(
        QueryString="SELECT 1",
        WorkGroup="logarchive-history",
        ResultConfiguration={"OutputLocation": f"s3://{shell.deployed.stack.outputs['BucketName']}/results/"},
    )


def name_what_stays(shell: PageShell) -> None:
    outputs = shell.deployed.stack.outputs
    shell.replaced |= {
        "logarchive-archivebucket-1a2b3c": outputs["BucketName"],
        "logarchive-LedgerTable-4D5E6F": outputs["LedgerTableName"],
        "arn:aws:kms:ap-northeast-2:111122223333:key/7a8b9c": outputs["ProofSigningKeyArn"],
    }


#: What is done before a block of commands in which a line begins so.
BEFORE: Mapping[str, Callable[[PageShell], None]] = {
    "logarchive query rows-by-day": archive,
    "logarchive row ": name_a_row,
    "logarchive sources check elsa/checkout --secret-file ": write_secret,
    "logarchive sources check elsa/checkout --file ": write_source,
    "logarchive report ": write_key,
    "aws s3api delete-object --bucket": delete_a_part,
    "aws s3api put-object ": lose_a_part,
    "aws athena batch-get-query-execution ": start_a_night,
    "aws iam create-role ": write_roles,
    "sam delete ": name_what_stays,
}


def needs_aws(line: str) -> bool:
    return line.startswith("aws ") or "$(output " in line


def walk(shell: PageShell, page: str, *, with_aws: bool) -> None:
    for lines in commands(page):
        for beginning, prepare in BEFORE.items():
            if any(line.startswith(beginning) for line in lines):
                prepare(shell)
        run = [line for line in lines if not line.startswith(tuple(NOT_RUN)) and (with_aws or not needs_aws(line))]
        asked = [(question, typed) for line in run for question, typed in ANSWERS.get(line, [])]
        shell.run(run, [(question, type(typed)(shell.here(typed))) for question, typed in asked])


@pytest.mark.slow
def test_every_command_of_the_pages_does_what_it_is_shown_for(tmp_path: Path) -> None:
    now = dt.datetime.now(dt.UTC)
    with deployment(now) as made:
        shell = PageShell(made, tmp_path, now.date() - dt.timedelta(days=1))
        with_aws = shell.has_aws
        for page in PAGES:
            walk(shell, page, with_aws=with_aws)
    if not with_aws:
        said = "the AWS CLI is not installed: what the pages do with it was not run"
        if os.environ.get("AWS_CLI") == "required":
            pytest.fail(said)
        pytest.skip(said)


def test_no_command_is_left_out_or_answered_that_is_not_there() -> None:
    shown = [line for page in PAGES for lines in commands(page) for line in lines]
    for beginning in [*NOT_RUN, *ANSWERS, *BEFORE]:
        assert any(line.startswith(beginning) for line in shown), beginning
