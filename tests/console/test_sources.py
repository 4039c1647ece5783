"""`logarchive sources`."""

import json
from pathlib import Path
from typing import Any, cast

import boto3
import pytest
import typer
from botocore.exceptions import ClientError
from typer.main import get_command

from console.account import source as configured
from console.account.access import Access, Clients
from console.account.stack import SourceName, Stack
from console.app import app
from console.command.add import add, added
from console.command.sources import report
from console.core.draft import Field, assigned, complained_of, fields, object_of, same_records
from console.failure import ConsoleError
from console.screen import Screen
from console.session import Session
from logarchive.checkup.description import described
from logarchive.provider.secret import Key, Secret
from tests.console.conftest import Deployed
from tests.console.run import Outcome, Run
from tests.console.terminal import Hidden, in_terminal
from tests.simulator.access import FIELDS, KEYS, source
from tools.registry import providers
from tools.stack import STACK

DESCRIBED: dict[str, dict[str, Any]] = {
    "project_id": {"description": "the project's number", "type": "integer", "minimum": 0, "required": True},
    "api": {"description": "which API", "enum": ["cdn", "dsa"], "type": "string", "required": True},
    "hosts": {"description": "domains", "type": "array", "items": {}, "required": True},
    "start": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}], "required": False},
    "retention": {"description": "how long", "type": "string", "format": "duration"},
    "referer": {"type": "string", "pattern": "^https?://", "examples": ["https://a.example"]},
    "headers": {"type": "object"},
    "license": {"type": "string", "pattern": "^[!-~]+$", "writeOnly": True},
    "token": {"anyOf": [{"type": "string", "pattern": "^[!-~]+$", "writeOnly": True}, {"type": "null"}]},
    "pin": {"anyOf": [{"$ref": "#/$defs/Pin"}, {"type": "null"}]},
    "code": {"anyOf": [{"type": "integer", "writeOnly": True}, {"type": "null"}]},
    "level": {"anyOf": [{"enum": ["a", "b"], "writeOnly": True}, {"type": "null"}]},
}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("project_id", "16706", 16706),
        ("api", "cdn", "cdn"),
        ("hosts", "a.example, b.example", ["a.example", "b.example"]),
        ("hosts", '["a.example"]', ["a.example"]),
        ("start", "2026-11-01T00:00:00Z", "2026-11-01T00:00:00Z"),
        ("headers", '{"x": "y"}', {"x": "y"}),
    ],
)
def test_an_answer_becomes_the_value_that_its_field_holds(name: str, text: str, value: object) -> None:
    assert fields(DESCRIBED)[name].value(text) == value


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("project_id", "x", 'project_id: "x" is not an integer'),
        ("api", "CDN", 'api: "CDN" is not one of cdn, dsa'),
        ("referer", "a.example", 'referer: "a.example" does not match ^https?://; for instance https://a.example'),
        ("license", "se cret", "license: does not match ^[!-~]+$: was a space or a line feed pasted with it?"),
        ("token", "secret\n", "token: does not match ^[!-~]+$: was a space or a line feed pasted with it?"),
        ("code", "secret", "code: is not an integer"),
        ("level", "secret", "level: is not one of a, b"),
    ],
)
def test_a_wrong_answer_says_what_is_right_and_a_secret_is_not_repeated(name: str, text: str, said: str) -> None:
    with pytest.raises(ConsoleError) as raised:
        fields(DESCRIBED)[name].value(text)
    assert str(raised.value) == said


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("project_id", "project_id: the project's number (from 0)"),
        ("api", "api: which API (cdn or dsa)"),
        ("hosts", "hosts: domains (several are separated by commas)"),
        ("start", "start: start (for instance 2026-11-01T00:00:00Z)"),
        ("retention", "retention: how long (for instance P30D)"),
    ],
)
def test_a_question_says_what_may_be_answered(name: str, question: str) -> None:
    assert Field(name, DESCRIBED[name]).question == question


def test_what_is_no_field_cannot_be_set() -> None:
    with pytest.raises(
        ConsoleError, match=r"^--set secret_key: is not FIELD=VALUE with one of these fields: project_id"
    ):
        assigned(["project_id=1", "secret_key=hidden"], fields(DESCRIBED))


def test_a_field_that_refers_to_what_was_not_sent_may_be_a_secret() -> None:
    known = fields(DESCRIBED)
    assert [name for name, field in known.items() if field.hidden] == ["license", "token", "pin", "code", "level"]
    assert known["pin"].value("12") == "12"


def test_an_optional_key_is_read_as_one_that_is_needed() -> None:
    class Keys(Secret):
        needed: Key
        optional: Key | None = None

    needed, optional = fields(described(Keys)).values()
    read = {name: optional.kind[name] for name in ("type", "format", "writeOnly", "pattern")}
    assert read == {name: needed.kind[name] for name in read}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff{}", "is no text in UTF-8"),
        (b"{", "is no JSON: Expecting property name"),
        (b"[1]", "is no JSON object"),
        (b"[" * 200_000, "is JSON too deep to be a document"),
    ],
)
def test_a_file_that_holds_no_object_is_one_sentence(content: bytes, said: str) -> None:
    with pytest.raises(ConsoleError, match=rf"^source\.json: {said}"):
        object_of(content, "source.json")
    assert object_of(b'\xef\xbb\xbf{"a": 1}', "source.json") == {"a": 1}


@pytest.mark.parametrize("yes", [False, True])
def test_with_json_a_source_is_written_at_a_terminal_only_if_it_was_agreed_to(
    monkeypatch: pytest.MonkeyPatch, yes: bool
) -> None:
    written: list[SourceName] = []

    def create(_stack: Stack, source: SourceName, _document: object) -> str:
        written.append(source)
        return "/archive/sources/elsa/a"

    def act(*_: object, **__: object) -> dict[str, object]:
        begins = {"begin": "2026-11-20T00:00:00Z", "reason": "start", "windows": 0}
        described: dict[str, object] = {
            "secret_prefix": "a/",
            "source": {"window": {}, "secret": {}},
            "secret": {},
            "begins": begins,
            "errors": [],
        }
        examined: dict[str, object] = {"source": "a", "verdict": "ok", "checks": []}
        return described | {"sources": [examined]}

    def sources(_: Stack) -> dict[str, str]:
        return {"elsa/b": '{"secret": "a/a"}', "elsa/c": '{"secret": "a/c"}'}

    def false(*_: object) -> bool:
        return False

    def true(*_: object) -> bool:
        return True

    for where, name, what in (
        (configured, "exists", false),
        (configured, "has_secret", true),
        (configured, "create", create),
        (Stack, "sources", sources),
        (Stack, "act", act),
        (Screen, "attended", property(true)),
    ):
        monkeypatch.setattr(where, name, what)
    session = Session(Access("archive", None, None, None), Screen(as_json=True))
    session.__dict__["stack"] = Stack("archive", {"ElsaFunctionName": "elsa"}, cast("Clients", None))
    context = typer.Context(get_command(app), obj=session)
    with pytest.raises(typer.Exit if yes else ConsoleError):
        add(context, "elsa/a", yes=yes)
    assert written == ([SourceName("elsa", "a")] if yes else [])


def test_a_source_that_cannot_be_written_after_its_secret_says_so_and_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secrets: list[object] = []

    def create_secret(*given: object) -> None:
        secrets.append(given[1:])

    def refuse(*_: object) -> str:
        raise ClientError({"Error": {"Code": "ParameterLimitExceeded", "Message": "too many"}}, "PutParameter")

    monkeypatch.setattr(configured, "create_secret", create_secret)
    monkeypatch.setattr(configured, "create", refuse)
    stack, name = Stack("archive", {}, cast("Clients", None)), SourceName("elsa", "a")
    with pytest.raises(ConsoleError) as raised:
        configured.create_with_secret(stack, name, {"secret": "archive/ncloud/a"}, {"key": "hidden"})
    assert str(raised.value) == (
        "the secret archive/ncloud/a was written, the source elsa/a was not: AWS refused PutParameter: "
        "ParameterLimitExceeded: too many; once that is mended, run the same command without --secret-file"
    )
    assert secrets == [("archive/ncloud/a", {"key": "hidden"})]


def test_two_sources_with_the_same_required_fields_or_a_common_element_of_a_list_archive_the_same() -> None:
    known = fields({name: DESCRIBED[name] for name in ("api", "hosts", "start")})
    one = {"api": "cdn", "hosts": ["a", "b"], "start": "2026-11-01T00:00:00Z"}
    assert same_records(one, {"api": "cdn", "hosts": ["b", "c"]}, known) == ["api", "hosts"]
    assert same_records(one, {"api": "cdn", "hosts": ["c"]}, known) == []
    assert same_records({"secret": "s"}, {"secret": "s"}, fields({"start": DESCRIBED["start"]})) == ["secret"]


@pytest.mark.parametrize(
    ("api", "area", "other", "same"),
    [
        ("cdn", "mainland", "overseas", False),
        ("cdn", None, "overseas", False),
        ("cdn", None, "mainland", True),
        ("cdn", "global", "overseas", True),
        ("dsa", "mainland", "overseas", True),  # that API knows no area
    ],
)
def test_sources_of_two_areas_are_listed_other_files(api: str, area: str | None, other: str, same: bool) -> None:
    document: dict[str, object] = {"api": api, "hosts": ["a.example"]}
    one = document | ({"area": area} if area else {})
    found = same_records(one, document | {"area": other}, fields(described(providers()["dsa"].source)))
    assert found == (["api", "hosts"] if same else [])


def test_the_fields_that_errors_are_about_are_asked_for_again() -> None:
    errors = ['start: "x" is no ISO 8601 time | hosts.0: is no host', "a secret is missing"]
    assert complained_of(errors, DESCRIBED) == ["hosts", "start"]


def test_a_parameter_that_is_no_json_object_is_listed_and_is_something_to_look_at() -> None:
    made = report({"elsa/b": "[", "elsa/a": '{"secret": "s", "enabled": false, "start": "2026-11-01T00:00:00Z"}'})
    assert made.tables[0].rows == [
        ["elsa/a", False, "2026-11-01 00:00", "PT1H", None, "s"],
        ["elsa/b", None, None, None, None, None],
    ]  # fmt: skip
    assert (made.code, made.lines) == (1, ["elsa/b: is no JSON object"])


@pytest.mark.parametrize(
    ("begins", "checks", "lines"),
    [
        (
            {"begin": "2026-10-28T06:00:00Z", "reason": "retention", "windows": 720},
            [{"check": "request", "verdict": "ok", "said": ""}],
            [
                "begins     2026-10-28 06:00: the oldest window that the provider still holds",
                "window     PT1H: about windows",
                "past       720 windows that ended already, all fetched from now on",
                "Its function finds it at the next tick: logarchive status elsa/a",
            ],
        ),
        (
            {"begin": "2026-11-27T06:00:00Z", "reason": "archive_from", "windows": 0},
            [{"check": "request", "verdict": "skipped", "said": "not sent"}],
            [
                "begins     2026-11-27 06:00: the first day of the table logs, ArchiveFrom; the provider may hold more",
                "window     PT1H: about windows",
                "The provider was not asked yet (not sent). Now it can be: logarchive doctor elsa/a",
                "Its function finds it at the next tick: logarchive status elsa/a",
            ],
        ),
    ],
)
def test_who_has_added_a_source_is_told_from_when_on_it_is_archived(
    begins: dict[str, object], checks: list[dict[str, str]], lines: list[str]
) -> None:
    written: dict[str, object] = {
        "source": "elsa/a",
        "parameter": "/la/sources/elsa/a",
        "document": {},
        "secret_written": False,
    }
    made = added({**written, "begins": begins}, {"checks": checks}, "about windows")
    assert made.lines == ["parameter  /la/sources/elsa/a", *lines]
    assert (made.data["begins"], made.code) == (begins, 0)


def given(deployed: Deployed, what: str, name: str) -> list[str]:
    """Return the words that check or add a source of elsa which the simulator plays."""
    document = source("elsa", deployed.simulator.url)
    return ["sources", what, f"elsa/{name}", *(f"--set={field}={value}" for field, value in document.items())]


def credentials(folder: Path, **wrong: str) -> list[str]:
    """Return the words that name a file with the credentials of the simulator, some of which may be wrong."""
    secret = folder / "secret.json"
    secret.write_text(json.dumps(KEYS["ncloud"] | wrong))
    return ["--secret-file", str(secret)]


def verdicts(outcome: Outcome) -> dict[str, str]:
    return {check["check"]: check["verdict"] for check in outcome.json["checks"]}


@pytest.mark.slow
@pytest.mark.parametrize("what", ["check", "add"])
def test_a_wrong_secret_is_told_before_it_or_the_source_is_written(
    deployed: Deployed, on_stack: Run, tmp_path: Path, what: str
) -> None:
    words = given(deployed, what, "refused")
    outcome = on_stack(*words, *credentials(tmp_path, secret_key="Wrong-Key-1234"))
    assert outcome.code == 1
    assert "correct the keys that were given" in outcome.out
    last = outcome.out.splitlines()[-1]
    assert "written" in last
    assert what == "check" or last.endswith(f"The keys that were tried are those of {tmp_path / 'secret.json'}")
    assert not [text for text in (outcome.out, outcome.err) if "Wrong-Key-1234" in text]
    assert "elsa/refused" not in on_stack("sources").out
    names = boto3.client("secretsmanager", **deployed.stack.aws).list_secrets()["SecretList"]
    assert "logarchive/ncloud/refused" not in [one.get("Name") for one in names]


@pytest.mark.slow
def test_what_is_right_is_said_to_be_so_and_nothing_is_written(
    deployed: Deployed, on_stack: Run, tmp_path: Path
) -> None:
    words = [*given(deployed, "check", "planned"), "--set=retention=P30D", *credentials(tmp_path), "--json"]
    outcome = on_stack(*words)
    found = verdicts(outcome)
    assert {found[name] for name in ("configuration", "secret", "request", "clock", "ledger", "bucket")} == {"ok"}
    assert "elsa/planned" not in on_stack("sources").out


@pytest.mark.slow
def test_a_source_that_there_is_can_be_checked_and_so_can_a_change_of_it_and_a_new_secret(
    on_stack: Run, tmp_path: Path
) -> None:
    assert on_stack("sources", "check", "elsa/one", "--json").json["sources"][0]["source"] == "elsa/one"
    assert verdicts(on_stack("sources", "check", "elsa/one", "--set=retention=P30D", "--json"))["retention"] == "ok"
    rotated = credentials(tmp_path, access_key="Wrong-Key-1234")
    assert verdicts(on_stack("sources", "check", "elsa/one", *rotated, "--json"))["request"] == "fail"
    assert on_stack("sources", "add", "elsa/two", *rotated, "--set=secret=logarchive/ncloud/one").code == 2
    assert on_stack("status", "elsa/one").code == 0


@pytest.mark.slow
def test_a_source_whose_check_fails_is_written_only_if_that_is_wanted(
    deployed: Deployed, on_stack: Run, tmp_path: Path
) -> None:
    deployed.simulator.fault("503", "elsa", times=None)
    words = [*given(deployed, "add", "later"), *credentials(tmp_path)]
    try:
        refused = on_stack(*words)
        assert (refused.code, "write it all the same: --anyway" in refused.out) == (1, True)
        assert on_stack(*words, "--anyway").code == 0
    finally:
        deployed.simulator.faults.clear()
    assert on_stack("sources", "check", "elsa/later", "--json").json["sources"][0]["verdict"] == "warn"
    assert on_stack("sources", "remove", "elsa/later", "--yes").code == 0


@pytest.mark.slow
def test_a_secret_that_is_marked_for_deletion_does_not_count_as_one_that_is_there(
    deployed: Deployed, on_stack: Run
) -> None:
    client = boto3.client("secretsmanager", **deployed.stack.aws)
    client.create_secret(Name=f"{STACK}/ncloud/leaving", SecretString=json.dumps(KEYS["ncloud"]))
    client.delete_secret(SecretId=f"{STACK}/ncloud/leaving", RecoveryWindowInDays=7)
    outcome = on_stack(*given(deployed, "add", "leaving"))
    assert outcome.code == 2
    assert "marked for deletion: take that back with `aws secretsmanager restore-secret" in outcome.err


@pytest.mark.slow
def test_a_parameter_that_is_encrypted_by_a_key_of_its_own_keeps_that_key(deployed: Deployed, on_stack: Run) -> None:
    client = boto3.client("ssm", **deployed.stack.aws)
    key = boto3.client("kms", **deployed.stack.aws).create_key()["KeyMetadata"]["KeyId"]
    name = f"/{STACK}/sources/elsa/sealed"
    client.put_parameter(Name=name, Value='{"enabled": true}', Type="SecureString", KeyId=key)
    assert on_stack("sources", "pause", "elsa/sealed").code == 0
    kept = client.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": [name]}])["Parameters"][0]
    client.delete_parameter(Name=name)
    assert (kept.get("Type"), kept.get("KeyId")) == ("SecureString", key)


@pytest.mark.slow
def test_a_source_is_added_paused_resumed_and_removed_without_a_question(
    deployed: Deployed, on_stack: Run, tmp_path: Path
) -> None:
    outcome = on_stack(*given(deployed, "add", "scripted"), *credentials(tmp_path), "--json")
    assert (outcome.code, outcome.json["parameter"]) == (0, "/logarchive/sources/elsa/scripted")
    assert (outcome.json["begins"]["reason"], outcome.json["begins"]["windows"]) == ("first_tick", 0)
    assert on_stack("status", "elsa/scripted").code == 0
    assert on_stack("sources", "resume", "elsa/scripted").out == "elsa/scripted is not paused: nothing was changed.\n"
    assert on_stack("sources", "pause", "elsa/scripted").code == 0
    again = on_stack("sources", "pause", "elsa/scripted")
    assert (again.code, again.out) == (0, "elsa/scripted is paused already: nothing was changed.\n")
    assert on_stack("status", "elsa/scripted", "--json").json["sources"][0]["state"] == "paused"
    never = on_stack("gaps", "elsa/scripted")
    assert (never.code, never.out.startswith("elsa/scripted was paused before anything of it was planned.")) == (
        1,
        True,
    )
    resumed = on_stack("sources", "resume", "elsa/scripted", "--json").json["document"]
    assert resumed == outcome.json["document"] | {"enabled": True}
    assert on_stack("sources", "remove", "elsa/scripted", "--yes").code == 0
    assert "elsa/scripted" not in on_stack("sources").out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sources", "add", "elsa/one"], "elsa/one exists already"),
        (
            ["sources", "add", "elsa/two", "--set=secret=logarchive/ncloud/one", "--set=project_key=k"],
            "elsa/two needs --set project_id=… (the project's number)\nlogarchive --port ",
        ),
        (
            ["sources", "add", "elsa/two", "--set=project_key=k", "--set=project_id=1", "--set=window=1h"],
            (
                "elsa/two needs --secret-file FILE with access_key, secret_key as JSON (there is no secret "
                "logarchive/ncloud/two yet), or --set secret=NAME of one that there is, for instance "
                "logarchive/ncloud/one, which has the demo's keys; window: is no ISO 8601 duration; for instance PT1H\n"
            ),
        ),
        (["sources", "remove", "elsa/one"], "Remove elsa/one? Nothing more is archived of it"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(on_stack: Run, words: list[str], said: str) -> None:
    before = on_stack("sources", "--json").json
    outcome = on_stack(*words)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"logarchive: {said}")
    assert on_stack("sources", "--json").json == before


@pytest.mark.slow
def test_a_field_that_no_source_has_is_told_before_what_is_missing_is_asked_for(on_stack: Run, tmp_path: Path) -> None:
    file = tmp_path / "source.json"
    file.write_text('{"project_key": "k", "project_idd": 1}')
    outcome = on_stack("sources", "check", "elsa/two", "--file", str(file))
    assert (outcome.code, outcome.err) == (2, "logarchive: project_idd: unknown field; did you mean project_id?\n")


@pytest.mark.slow
def test_who_adds_a_source_is_asked_again_for_what_is_wrong_and_no_secret_is_shown(deployed: Deployed) -> None:
    keys, fields = KEYS["ncloud"], FIELDS["elsa"]
    address = {"base_url": f"{deployed.simulator.url}/elsa"}
    answers = [
        ("project_key:", fields["project_key"]),
        ("project_id:", "twelve"),
        ("project_id:", str(fields["project_id"])),
        ("start:", "yesterday"),
        ("retention:", "P20D"),
        ("secret:", "logarchive/ncloud/asked"),
        ("start:", ""),
        ("access_key:", Hidden("with space")),
        ("access_key:", Hidden(keys["access_key"])),
        ("secret_key:", Hidden("Wrong-Key-1234")),
        ("Correct your answers? [y/N]", "y"),
        ("project_key:", ""),
        ("project_id:", ""),
        ("start:", ""),
        ("(for instance P30D) [Enter for P20D, - for none]", "-"),
        ("secret:", ""),
        ("access_key:", Hidden("")),
        ("secret_key:", Hidden(keys["secret_key"])),
        ("Write elsa/asked? [y/N]", "y"),
    ]
    words = ["sources", "add", "elsa/asked", f"--set=base_url={address['base_url']}"]
    shown = in_terminal(["--demo", "--port", str(deployed.port), *words], answers, columns=200)
    assert shown.code == 0, shown.text
    assert "start: is no ISO 8601 time" in shown.text
    assert "elsa/one has the same project_key, project_id: records that both archive count twice" in shown.text
    assert not [value for value in keys.values() if value in shown.text]
    aws = deployed.stack.aws
    text = boto3.client("ssm", **aws).get_parameter(Name="/logarchive/sources/elsa/asked")["Parameter"].get("Value", "")
    assert json.loads(text) == {"secret": "logarchive/ncloud/asked", **address, **fields}
    secret = boto3.client("secretsmanager", **aws).get_secret_value(SecretId="logarchive/ncloud/asked")
    assert json.loads(secret["SecretString"]) == keys
    boto3.client("ssm", **aws).delete_parameter(Name="/logarchive/sources/elsa/asked")
