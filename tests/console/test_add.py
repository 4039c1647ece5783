"""`logarchive sources add` where the demo knows some of the answers, and where nobody can give any."""

import json
import shlex
from pathlib import Path
from typing import Any, cast

import boto3
import pytest

from console.account.access import Clients
from console.account.demo import Models, is_here
from console.account.stack import Stack
from console.command.argument import Typed
from console.core.draft import told_of
from tests.console.conftest import SOURCES, Deployed
from tests.console.run import Run
from tests.console.terminal import Hidden, Shown, in_terminal
from tests.simulator.access import FIELDS, KEYS

URL = "http://127.0.0.1:4000"
MODELS: dict[str, dict[str, Any]] = {
    "dsa/edge": {"api": "cdn", "hosts": ["a"], "base_url": f"{URL}/cdn", "download_hosts": ["127.0.0.1:4000"]},
    "dsa/legacy": {"api": "dsa", "hosts": ["b"], "base_url": f"{URL}/dsa", "start": "2026-11-01T00:00:00Z"},
}
STACK = Stack("archive", {}, cast("Clients", None))


@pytest.mark.parametrize(
    ("document", "addresses"),
    [
        ({}, {"base_url": f"{URL}/cdn", "download_hosts": ["127.0.0.1:4000"]}),
        ({"api": "dsa"}, {"base_url": f"{URL}/dsa"}),
        ({"api": "dsa", "hosts": ["a"]}, {"base_url": f"{URL}/dsa"}),
        ({"api": "cdn", "download_hosts": []}, {"base_url": f"{URL}/cdn"}),
        ({"base_url": "https://cdn.example"}, {}),
    ],
)
def test_a_source_of_the_demo_gets_the_addresses_of_the_one_that_is_most_like_it(
    document: dict[str, Any], addresses: dict[str, Any]
) -> None:
    assert Models(STACK, MODELS, ["api", "hosts"]).addressed(document) == {**document, **addresses}
    assert Models(STACK, {}).addressed(document) == document


@pytest.mark.parametrize(
    ("address", "here"),
    [
        (f"{URL}/elsa", True),
        ("localhost:80", True),
        ("HTTP://LOCALHOST", True),
        ("http://127.0.0.1@vendor.example", False),
        ("http://127.0.0.1.vendor.example", False),
        ("https://vendor.example/127.0.0.1", False),
        ("http://localhost:80@vendor.example/", False),
        ("http://127.0.0.1\\@vendor.example", False),
        (None, False),
    ],
)
def test_an_address_is_on_this_machine_only_if_its_host_is(address: object, here: bool) -> None:
    assert is_here(address) is here


def test_a_command_is_printed_with_what_was_typed_and_with_what_it_lacks() -> None:
    typed = Typed("add", ["start=a b"], Path("f.json"), Path("k.json"), ["--json"], "--yes")
    assert typed.with_all("logarchive --demo", "elsa/a", ["--set", "project_id=1"]) == (
        "logarchive --demo sources add elsa/a --set 'start=a b' --file f.json --secret-file k.json --json "
        "--set project_id=1 --yes"
    )


def test_what_is_wrong_is_told_beside_what_is_missing() -> None:
    errors = ["project_key: missing (a key); for instance k | window: is no duration", "secret: the name is wrong"]
    assert told_of(errors, ["project_key"]) == ["window: is no duration", "secret: the name is wrong"]
    assert told_of(errors, []) == ["project_key: missing (a key); for instance k", *told_of(errors, ["project_key"])]


@pytest.mark.slow
@pytest.mark.parametrize("what", ["check", "add"])
@pytest.mark.parametrize("provider", [*SOURCES])
def test_where_nobody_can_answer_one_message_names_all_that_is_missing_and_its_command_works(
    on_stack: Run, provider: str, what: str
) -> None:
    refused = on_stack("sources", what, f"{provider}/more", "--set=retention=P30D")
    said, command = refused.err.splitlines()
    assert (refused.code, refused.out) == (2, "")
    assert [name for name in FIELDS[provider] if f"--set {name}=… (" not in said] == []
    assert ("--secret-file FILE with" in said, "for instance logarchive/" in said) == (True, True)
    program, port, number, demo, *words = shlex.split(command)
    assert (program, port, number.isdecimal(), demo) == ("logarchive", "--port", True, "--demo")
    done = on_stack(*words)
    assert (done.code < 2, "base_url is http://127.0.0.1:" in done.err) == (True, True), done
    listed = [one["source"] for one in on_stack("sources", "--json").json["sources"]]
    assert (f"{provider}/more" in listed) is (what == "add")
    if what == "add":
        assert on_stack("sources", "remove", f"{provider}/more", "--yes").code == 0


@pytest.mark.slow
@pytest.mark.parametrize("secret", ['"Hush-Hush-1234"', '{"secret_key": "Hush-Hush-1234"}', '""'])
def test_what_is_no_name_of_a_secret_is_neither_looked_up_nor_repeated(
    on_stack: Run, tmp_path: Path, secret: str
) -> None:
    file = tmp_path / "source.json"
    file.write_text(f'{{"project_key": "k", "project_id": 1, "secret": {secret}}}')
    done = on_stack("sources", "check", "elsa/more", "--file", str(file))
    assert (done.code, done.out, done.err.startswith("logarchive: secret: ")) == (2, "", True), done.err
    assert "Hush" not in done.err


def typed(deployed: Deployed, words: list[str], answers: list[tuple[str, str]]) -> Shown:
    """Return what a wide terminal shows."""
    return in_terminal(["--demo", "--port", str(deployed.port), "sources", "add", *words], answers, columns=300)


@pytest.mark.slow
@pytest.mark.parametrize("provider", [*SOURCES])
def test_in_the_demo_enter_adds_another_source_with_the_demo_s_keys(deployed: Deployed, provider: str) -> None:
    questions = [*FIELDS[provider], "start", "retention", "secret"]
    answers = [*((f"{name}:", "") for name in questions), (f"Write {provider}/entered? [y/N]", "y")]
    shown = typed(deployed, [f"{provider}/entered"], answers)
    assert shown.code == 0, shown.text
    assert "base_url is http://127.0.0.1:" in shown.text
    assert "has the demo's" in shown.text
    parameters, name = boto3.client("ssm", **deployed.stack.aws), f"/logarchive/sources/{provider}"
    one, entered = (
        json.loads(parameters.get_parameter(Name=f"{name}/{source}")["Parameter"].get("Value", ""))
        for source in ("one", "entered")
    )
    parameters.delete_parameter(Name=f"{name}/entered")
    assert entered == {field: value for field, value in one.items() if field in entered}
    assert {"secret", "base_url", *FIELDS[provider]} <= entered.keys()


@pytest.mark.slow
@pytest.mark.parametrize("base_url", ["https://elsa.apigw.ntruss.com", "http://localhost:80@elsa.apigw.ntruss.com/"])
def test_a_source_of_the_demo_asks_nobody_beyond_this_machine_and_says_so_before_it_asks_anything(
    deployed: Deployed, base_url: str
) -> None:
    shown = typed(deployed, ["elsa/away", f"--set=base_url={base_url}"], [])
    assert shown.code == 2
    assert shown.text.startswith("logarchive: a source of the demo asks the demo's providers only: leave out base_url")


@pytest.mark.slow
def test_where_the_demo_has_no_source_of_a_provider_its_address_must_be_given_first(deployed: Deployed) -> None:
    shown = typed(deployed, ["multidrm/first"], [])
    assert shown.code == 2
    assert shown.text.startswith("logarchive: a source of the demo asks the demo's providers only: --set base_url=URL")


@pytest.mark.slow
def test_an_address_that_is_left_out_later_does_not_become_the_vendor_s(deployed: Deployed) -> None:
    answers = [(f"{name}:", "") for name in ("project_key", "project_id", "start", "retention", "secret", "base_url")]
    answers[-1] = ("base_url: where", "")
    shown = typed(deployed, ["elsa/away", "--set=base_url=http://localhost:99999"], answers)
    assert (shown.code, "asks the demo's providers only: leave out base_url" in shown.text) == (2, True), shown.text


@pytest.mark.slow
def test_other_keys_than_the_demo_s_are_typed_for_a_new_secret(deployed: Deployed) -> None:
    answers = [
        *((f"{name}:", "") for name in ("project_key", "project_id", "start", "retention")),
        ("secret:", "logarchive/ncloud/own"),
        ("access_key:", Hidden(KEYS["ncloud"]["access_key"])),
        ("secret_key:", Hidden("Wrong-Key-1234")),
        ("Correct your answers? [y/N]", "n"),
    ]
    shown = typed(deployed, ["elsa/own"], answers)
    assert (shown.code, "correct the keys that were given" in shown.text) == (1, True), shown.text
    names = boto3.client("secretsmanager", **deployed.stack.aws).list_secrets()["SecretList"]
    assert "logarchive/ncloud/own" not in [one.get("Name") for one in names]
