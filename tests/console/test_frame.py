"""What all commands have in common: the stack is found, or one sentence says why not; what is printed fits."""

import io
import json
import os
import re
import socket
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, ReadTimeoutError, SSOTokenLoadError

from console.account.access import Access, Clients
from console.account.stack import Stack, find, unusable
from console.app import shared_first
from console.command import status
from console.core.report import Report, Table, length, moment
from console.failure import ConsoleError, explained
from console.screen import Screen, console, laid_out
from tests.console.conftest import Deployed
from tests.console.run import Run
from tools.lock import ROOT
from tools.stack import Aws, free_port, ministack

OUTPUTS = {
    "BucketName": "archive",
    "LedgerTableName": "ledger",
    "SourcesPath": "/archive/sources",
    "ElsaFunctionName": "archive-elsa",
}


@pytest.fixture(scope="session")
def half_there(emulator: Aws) -> str:
    """Make a stack whose outputs name what does not exist, as after a deployment that failed."""
    return stack_of(emulator, "archive", OUTPUTS)


def stack_of(emulator: Aws, name: str, outputs: Mapping[str, str]) -> str:
    values = {output: {"Value": value} for output, value in outputs.items()}
    template = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}, "Outputs": values}
    client = boto3.client("cloudformation", **emulator)
    client.create_stack(StackName=name, TemplateBody=json.dumps(template))
    client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    return name


def alone(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a process of its own, with nothing of the shell's configuration."""
    bare = {"PATH": os.defpath, "HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true"}
    command = [sys.executable, "-m", "console", *words]
    return subprocess.run(command, cwd=ROOT, env=bare | environment, capture_output=True, text=True, check=False)


def test_a_wrong_stack_name_is_one_sentence_that_names_the_stack_there_is(run: Run, half_there: str) -> None:
    outcome = run("status", "--stack", "archiv")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("logarchive: the demo at http://localhost:")
    assert outcome.err.endswith(
        f" has no stack named archiv. There is: {half_there}. Give it as --stack {half_there}\n"
    )


def test_a_demo_without_any_archive_is_waited_for() -> None:
    with (
        ministack(free_port()) as (endpoint, _process, _folder),
        pytest.raises(ConsoleError, match="has no stack named logarchive, and no other archive: wait until"),
    ):
        find(Access(demo_port=urlsplit(endpoint).port))


def test_a_command_that_is_printed_has_the_options_of_the_command_line_before_it(run: Run, emulator: Aws) -> None:
    stack = stack_of(emulator, "plain", OUTPUTS)
    outcome = run("sources", "--stack", stack)
    command = rf"logarchive --stack {stack} --port \d+ --demo sources add PROVIDER/SOURCE\n"
    assert re.search(command, outcome.out)
    account = {"AWS_ENDPOINT_URL": emulator["endpoint_url"], "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    done = alone("sources", "--region", emulator["region_name"], "--stack", stack, **account)
    assert f"logarchive --stack {stack} --region {emulator['region_name']} sources add" in done.stdout


def test_a_stack_whose_functions_are_not_there_is_one_sentence(run: Run, half_there: str) -> None:
    outcome = run("--stack", half_there, "status")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "stack archive is only half there: it names a function archive-elsa, which does not exist" in outcome.err


#: A function of a version that knew no action but these.
OLD = """
def handler(event, context):
    error = f'action: "{event["action"]}" is no action; the actions are tick, work, backfill, status'
    return {"ok": False, "provider": "elsa", "errors": [{"source": None, "error": error}]}
"""


@pytest.fixture(scope="session")
def old(emulator: Aws) -> str:
    """Make a stack of an earlier version, whose functions know few actions."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", OLD)
    names = {"ElsaFunctionName": "old-elsa", "NotaryFunctionName": "old-notary"}
    for name in names.values():
        boto3.client("lambda", **emulator).create_function(
            FunctionName=name, Runtime="python3.13", Role="arn:aws:iam::000000000000:role/old", Handler="app.handler",
            Code={"ZipFile": code.getvalue()},
        )  # fmt: skip
    return stack_of(emulator, "old", OUTPUTS | names)


@pytest.mark.parametrize(
    ("words", "function"),
    [
        (["doctor"], "elsa"),
        (["sources", "check", "elsa/shop"], "elsa"),
        (["gaps"], "elsa"),
        (["coverage"], "elsa"),
        (["coverage", "--open"], "notary"),
        (["report", "2026-11"], "notary"),
    ],
)
def test_functions_of_an_earlier_version_are_told_to_be_so(run: Run, old: str, words: list[str], function: str) -> None:
    outcome = run("--stack", old, *words)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert f"the function of {function} does not know " in outcome.err
    assert "stack old was deployed from an earlier version; deploy the current one" in outcome.err


def test_a_stack_without_the_notary_is_told_to_be_of_an_earlier_version() -> None:
    stack = Stack("archive", OUTPUTS, Clients(Access()))
    with pytest.raises(
        ConsoleError, match="there is no function of notary: stack archive was deployed from an earlier"
    ):
        stack.act("notary", "notary")


@pytest.mark.parametrize(
    ("status", "outputs", "said"),
    [
        ("ROLLBACK_COMPLETE", OUTPUTS, r"is only half there \(ROLLBACK_COMPLETE\): wait until"),
        ("CREATE_IN_PROGRESS", {}, "is only half there"),
        ("DELETE_FAILED", OUTPUTS, "is only half there"),
        ("CREATE_COMPLETE", {"BucketName": "b"}, "is not one of logarchive: it has no output LedgerTableName"),
        ("CREATE_COMPLETE", dict(list(OUTPUTS.items())[:3]), "has no function of a provider"),
    ],
)
def test_a_stack_that_cannot_be_used_says_why(status: str, outputs: dict[str, str], said: str) -> None:
    assert re.match(said, unusable(status, outputs) or "")


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"])
def test_a_stack_that_is_updated_can_be_used(status: str) -> None:
    assert unusable(status, OUTPUTS) is None


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        (["status"], {}, "no AWS region is set; name the one that the stack is in: --region ap-northeast-2"),
        (["status", "--region", "eu-west-1"], {}, "no AWS credentials were found: sign in as for the AWS CLI"),
        (["--profile", "nobody", "status"], {}, "profile (nobody) could not be found: `aws configure list-profiles`"),
        (
            ["status", "--demo", "--port", "1"],
            {},
            "nothing answers at http://localhost:1/: ",
        ),
        (
            ["status", "--demo", "--port", "99999"],
            {},
            "Invalid value for '--port' (env var: 'PORT'): Input should be less than or equal to 65535 (",
        ),
        (["status", "--demo", "--region", "eu-west-1"], {}, "--region and --demo do not go together"),
        (["status", "--profile", "me", "--demo"], {}, "--profile and --demo do not go together"),
        (
            ["report", "2026-11", "--lang", "kr"],
            {},
            "logarchive: Invalid value for '--lang': 'kr' is not one of 'en', 'ko' (",
        ),
        (["statsu"], {}, "logarchive: No such command 'statsu'. Did you mean 'status'? (logarchive --help says more)"),
    ],
)
def test_what_is_missing_on_this_machine_is_one_sentence(
    words: list[str], environment: dict[str, str], said: str
) -> None:
    done = alone(*words, **environment)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr


def test_a_region_without_the_stack_is_one_sentence_that_names_it(emulator: Aws, half_there: str) -> None:
    account = {"AWS_ENDPOINT_URL": emulator["endpoint_url"], "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    done = alone("status", "--stack", half_there, "--region", "eu-west-1", **account)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "there is no stack named archive in eu-west-1: name it with --stack, its region with --region" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["status", "--json", "--demo", "--port", "1"], "nothing answers at http://localhost:1/"),
        (["statsu", "--json"], "No such command 'statsu'"),
        (["status", "--json", "--days", "1"], "No such option: --days"),
        (["coverage", "--days", "0", "--json"], "Invalid value for '--days'"),
        (["status", "--json", "--demo", "--port", "0"], "Invalid value for '--port'"),
        (["row", "--json", "--demo"], "give the row's raw_part and raw_index"),
    ],
)
def test_with_json_whatever_stops_a_command_is_one_object_on_stdout_and_exit_code_2(
    words: list[str], said: str
) -> None:
    done = alone(*words)
    assert (done.returncode, done.stderr, list(json.loads(done.stdout))) == (2, "", ["error"])
    assert said in json.loads(done.stdout)["error"]


def client_error(code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeStacks")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (client_error("ExpiredToken"), r"the sign-in to AWS has ended \(ExpiredToken\): sign in"),
        (client_error("InvalidClientTokenId"), "AWS does not accept these credentials"),
        (client_error("AccessDenied", "not you"), "your credentials do not allow DescribeStacks: not you$"),
        (client_error("Throttling", "slow"), "AWS refused DescribeStacks: Throttling: slow$"),
        (ReadTimeoutError(endpoint_url="http://localhost:1/"), "Read timeout on .*: there was no answer in time; try"),
        (SSOTokenLoadError(error_msg="gone"), "the sign-in to AWS has ended: sign in"),
    ],
)
def test_what_aws_refuses_is_one_sentence(error: BotoCoreError | ClientError, said: str) -> None:
    assert re.match(said, explained(error))


def test_shared_options_may_stand_behind_the_command_but_not_behind_two_dashes() -> None:
    words = ["query", "a", "--stack", "b", "--json", "--region=c", "--", "--demo"]
    assert shared_first(words) == ["--stack", "b", "--json", "--region=c", "query", "a", "--", "--demo"]


WIDE = Table(("source", "what it says"), [("elsa/checkout", "x" * 50), ("elsa/search", 1204)])


def printed(table: Table, width: int) -> str:
    out = console(io.StringIO())
    out.width = width
    out.print(laid_out(table, out))
    return "\n".join(line.rstrip() for line in out.file.getvalue().splitlines())  # type: ignore[attr-defined] # StringIO


def test_in_60_columns_a_wider_table_becomes_lines_and_nothing_is_cut() -> None:
    text = printed(WIDE, 60)
    assert max(map(len, text.splitlines())) <= 60
    assert text.replace("\n", "").replace(" ", "").count("x") == 50
    assert "source elsa/search\n  what it says 1,204" in text


def test_in_60_columns_the_status_of_a_source_is_a_few_lines_without_what_is_empty() -> None:
    row = ("elsa/shop", "active", "2026-11-20 01:00", None, 1, 0, 1204, None, None)
    assert printed(Table(status.COLUMNS, [row]), 60).splitlines() == [
        "source elsa/shop",
        "  state active  settled until 2026-11-20 01:00  open 1",
        "  due 0  rows 1,204",
    ]  # fmt: skip


def test_in_a_wider_terminal_a_table_is_a_table() -> None:
    head, _, *rows = printed(WIDE, 80).strip().splitlines()
    assert head.split("  ", 1)[0] == "source"
    assert rows[1].endswith("1,204")


def test_without_a_terminal_no_line_is_wrapped_and_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report({"said": "y" * 300}, [Table(("said",), [("y" * 300,)])], ["z" * 300])
    Screen(as_json=False).show(report)
    assert {"y" * 300, "z" * 300} <= {line.strip() for line in capsys.readouterr().out.splitlines()}
    Screen(as_json=True).show(report)
    assert json.loads(capsys.readouterr().out) == {"said": "y" * 300}


def test_without_a_terminal_no_line_of_a_table_ends_with_spaces() -> None:
    file = io.StringIO()
    out = console(file)
    out.print(laid_out(Table(("check", "seen"), [("a", "x" * 90), ("b", "y\nz")], "title", folds=True), out))
    lines = file.getvalue().splitlines()
    assert lines == [line.rstrip() for line in lines]
    assert (lines[0], lines[1].split(), max(map(len, lines))) == ("title", ["check", "seen"], 98)


def test_a_vendors_text_cannot_move_the_cursor() -> None:
    assert "\x1b" not in printed(Table(("error",), [("\x1b[2J[bold]gone",)]), 80)
    assert "[bold]gone" in printed(Table(("error",), [("\x1b[2J[bold]gone",)]), 80)


def test_commands_are_completed() -> None:
    words = {"COMP_WORDS": "logarchive sta", "COMP_CWORD": "1"}
    assert alone(_LOGARCHIVE_COMPLETE="complete_bash", **words).stdout == "status\n"


def test_times_and_lengths_are_short() -> None:
    assert moment("2026-11-22T13:00:00Z") == "2026-11-22 13:00"
    assert moment("2026-11-22T13:00:30Z") == "2026-11-22 13:00:30"
    assert [length(seconds) for seconds in (59, 60, 7200, 86400 * 12.5, -90000)] == [
        "59 s", "1 min", "2 h", "12 d", "-25 h",
    ]  # fmt: skip


def test_a_demo_that_was_kept_at_another_port_is_named_so_that_the_option_can_be_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = EndpointConnectionError(endpoint_url="http://localhost:4566/")
    monkeypatch.chdir(tmp_path)
    assert explained(error) == (
        "nothing answers at http://localhost:4566/: start the demo and keep it with `KEEP=1 PORT=4566 make demo`, "
        "or name the port of one that runs, for instance --port 4600"
    )
    (tmp_path / ".tools").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as runs:
        port = runs.getsockname()[1]
        for name in (f"demo-{port}.json", f"demo-{free_port()}.json", "demo-4566.json", "demo-x.json"):
            (tmp_path / ".tools" / name).touch()
        assert explained(error) == (
            f"nothing answers at http://localhost:4566/: a demo was kept at port {port}: --port {port}"
        )


def test_without_a_command_the_help_is_shown() -> None:
    done = alone()
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: logarchive" in done.stdout


def test_the_help_needs_no_stack(tmp_path: Path) -> None:
    done = alone("backfill", "--help", HOME=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"--dry-run +Only say", done.stdout)
    assert re.search(r"--open +Open it", alone("report", "--help").stdout)


def test_sentences_in_the_last_column_go_on_in_further_lines_also_in_60_columns() -> None:
    table = Table(("check", "is", "seen"), [("record_time", "skipped", "a sentence " * 10)], folds=True)
    text = printed(table, 60)
    assert max(map(len, text.splitlines())) <= 60
    assert text.count("sentence") == 10
    assert "record_time   skipped   a sentence" in text
    assert "record_time" in printed(table, 40)


@pytest.mark.slow
def test_a_field_that_a_function_does_not_know_yet_means_an_earlier_version(deployed: Deployed) -> None:
    stack = find(Access(demo_port=deployed.port))
    with pytest.raises(
        ConsoleError, match="status of elsa does not know the field days yet: stack logarchive was deployed from"
    ):
        stack.act("elsa", "status", days=3)


@pytest.mark.slow
def test_an_action_that_a_function_does_not_know_yet_means_an_earlier_version(deployed: Deployed) -> None:
    stack = find(Access(demo_port=deployed.port))
    with pytest.raises(
        ConsoleError, match="the function of elsa does not know purge: stack logarchive was deployed from"
    ):
        stack.act("elsa", "purge")
