"""The functions as they are deployed: roles, variables, time, failures."""

import ast
import json
import re
from typing import get_args

from logarchive.action.event import parse_event
from logarchive.store.bucket import LockMode
from logarchive.visit.outcome import BACK_OFF
from tests.template.transform import Deployed, written
from tools.lock import ROOT
from tools.registry import functions, logical, names, providers

#: What our libraries read, not we.
OF_LIBRARIES = {"POWERTOOLS_METRICS_NAMESPACE", "LOG_LEVEL"}
#: What Lambda sets, not the template.
OF_LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME"}
OF_PROVIDERS, OF_NOTARY = {"SOURCES_PATH"}, {"PROOF_KEY", "ALARM_TOPIC", "FUNCTION_NAMES", "DEAD_LETTERS"}
NOTARY = "NotaryFunction"


def test_there_is_a_function_for_every_folder_and_a_role_and_a_log_group_of_its_own() -> None:
    stack = Deployed()
    assert {f"{logical(name)}Function" for name in functions()} == set(stack.functions())
    for name in functions():
        function = stack.properties(f"{logical(name)}Function")
        tags = {tag["Key"]: tag["Value"] for tag in stack.properties(f"{logical(name)}Role").get("Tags", [])}
        assert tags.get("provider") == (name if name in names() else None)
        assert function["Role"].endswith(f"role/logarchive-{name}role")
        assert function["LoggingConfig"]["LogGroup"] == stack.ref(f"{logical(name)}LogGroup")


def test_a_role_s_secrets_are_those_of_its_provider() -> None:
    for name, provider in providers().items():
        tags = {tag["Key"]: tag["Value"] for tag in Deployed().properties(f"{logical(name)}Role")["Tags"]}
        group = provider.secret_group
        assert tags["secrets"] == group, f"template.yaml: the tag `secrets` of {logical(name)}Role is not {group}"


def test_every_variable_that_the_code_reads_is_set_and_no_other() -> None:
    tree = ast.parse((ROOT / "layers/shared/logarchive/runtime/settings.py").read_text())
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    words = {text for text in constants if isinstance(text, str) and re.fullmatch(r"[A-Z_]+", text)}
    read = words - set(get_args(LockMode.__value__)) - OF_LAMBDA
    assert read > OF_PROVIDERS | OF_NOTARY
    for name, function in Deployed().functions().items():
        variables = function["Environment"]["Variables"]
        assert set(variables) == read - (OF_PROVIDERS if name == NOTARY else OF_NOTARY) | OF_LIBRARIES
        assert sorted(variables["PROVIDERS"].split(",")) == sorted(names())
        path = f"/logarchive/sources/{name.removesuffix('Function').lower()}"
        assert name == NOTARY or variables["SOURCES_PATH"] == path


def test_nothing_is_retried_beside_the_ledger() -> None:
    stack = Deployed()
    letters = stack.attribute("DeadLetters", "Arn")
    configs = list(stack.of_type("AWS::Lambda::EventInvokeConfig").values())
    assert len(configs) == len(Deployed().functions())
    for config in configs:
        assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (0, 300)
        assert config["DestinationConfig"]["OnFailure"]["Destination"] == letters
        assert config["MaximumEventAgeInSeconds"] <= BACK_OFF[1].total_seconds()


def test_every_function_is_ticked_and_lost_ticks_are_kept() -> None:
    stack = Deployed()
    targets = [item["Target"] for item in stack.of_type("AWS::Scheduler::Schedule").values()]
    assert {target["Arn"] for target in targets} == {stack.attribute(name, "Arn") for name in stack.functions()}
    for target in targets:
        event = "notary" if target["Arn"] == stack.attribute(NOTARY, "Arn") else "tick"
        assert json.loads(target["Input"]) == json.loads((ROOT / "events" / f"{event}.json").read_text())
        assert event == "notary" or parse_event(json.loads(target["Input"])).action == event
        assert target["RetryPolicy"] == {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}
        assert target["DeadLetterConfig"] == {"Arn": stack.attribute("DeadLetters", "Arn")}


def test_no_concurrency_is_reserved_since_new_accounts_have_little() -> None:
    assert all("ReservedConcurrentExecutions" not in function for function in Deployed().functions().values())


def test_functions_are_in_a_vpc_and_traced_only_when_that_is_chosen() -> None:
    for function in Deployed().functions().values():
        assert "VpcConfig" not in function
        assert function["TracingConfig"] == {"Mode": "PassThrough"}
    chosen = Deployed({"SubnetIds": "subnet-1,subnet-2", "SecurityGroupIds": "sg-1", "Tracing": "true"})
    for function in chosen.functions().values():
        assert function["VpcConfig"] == {"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}
        assert function["TracingConfig"] == {"Mode": "Active"}


def test_every_parameter_has_a_default_and_says_what_it_is() -> None:
    for name, parameter in written()["Parameters"].items():
        assert "Default" in parameter, name
        assert parameter["Description"].endswith("."), name
