"""With `History=true` the stack keeps the table `history`, with narrow rights, and says so when a night fails."""

import json
from typing import Any

import pytest

from tests.template.policy import Request, Role
from tests.template.transform import ACCOUNT, REGION, Deployed, written
from tools import history, history_stack

NEW = {
    "AlarmTopicPolicy": "AWS::SNS::TopicPolicy",
    "HistoryCreate": "AWS::Scheduler::Schedule",
    "HistoryDifferenceQuery": "AWS::Athena::NamedQuery",
    "HistoryFillQuery": "AWS::Athena::NamedQuery",
    "HistoryNight": "AWS::Scheduler::Schedule",
    "HistoryOptimize": "AWS::Scheduler::Schedule",
    "HistoryReachQuery": "AWS::Athena::NamedQuery",
    "HistoryRole": "AWS::IAM::Role",
    "HistoryRule": "AWS::Events::Rule",
    "HistoryVacuum": "AWS::Scheduler::Schedule",
    "HistoryWorkgroup": "AWS::Athena::WorkGroup",
}
KEY = "arn:aws:kms:ap-northeast-2:111122223333:key/archive"
ARCHIVE, RESULTS = "arn:aws:s3:::logarchive-archivebucket", "arn:aws:s3:::logarchive-resultsbucket"
GLUE = f"arn:aws:glue:{REGION}:{ACCOUNT}"
TABLE = f"{GLUE}:table/logarchive-database"
WORKGROUPS = f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup"
OF_BUCKETS = ("GetBucketLocation", "ListBucketMultipartUploads")
#: What the stack gives for the words in the statements.
GIVEN = {history.BUCKET: "logarchive-archivebucket"}


def kept(**parameters: str) -> Deployed:
    return Deployed({"History": "true", **parameters})


def asked(name: str, **parameters: str) -> dict[str, Any]:
    """Return what a schedule asks Athena for."""
    target = kept(**parameters).properties(f"History{name.capitalize()}")["Target"]
    assert target["Arn"] == "arn:aws:scheduler:::aws-sdk:athena:startQueryExecution"
    found: dict[str, Any] = json.loads(target["Input"])
    return found


def test_without_it_the_template_makes_nothing_of_it() -> None:
    without, stack = Deployed(), kept()
    assert {name: stack.resources[name]["Type"] for name in set(stack.resources) - set(without.resources)} == NEW
    assert set(without.resources) <= set(stack.resources)
    assert [name for name in without.resources if stack.properties(name) != without.properties(name)] == []


def test_without_alarms_nobody_is_told() -> None:
    assert set(NEW) - set(kept(Alarms="false").resources) == {"HistoryRule", "AlarmTopicPolicy"}


@pytest.mark.parametrize("name", history_stack.SCHEDULED)
def test_a_schedule_starts_the_statement_of_its_file(name: str) -> None:
    text = asked(name)["QueryString"]
    lines = (history.FOLDER / f"{name}.sql").read_text().splitlines()
    sql = "\n".join(line for line in lines if not line.startswith("--"))
    for word, value in GIVEN.items():
        sql = sql.replace(word, value)
    assert text == sql
    assert len(text) <= 262_144  # Athena's limit, in bytes
    assert text.isascii()


def test_a_day_is_taken_over_when_it_has_the_chosen_age() -> None:
    text = asked("night", HistoryDays="9")["QueryString"]
    assert text == asked("night")["QueryString"].replace("INTERVAL '4' DAY", "INTERVAL '9' DAY")
    assert text.count("INTERVAL '9' DAY") == 6


@pytest.mark.parametrize("name", history_stack.SCHEDULED)
def test_a_statement_runs_in_the_stack_s_database_and_in_a_workgroup_of_its_own(name: str) -> None:
    request, stack = asked(name), kept()
    assert request["QueryExecutionContext"] == {"Database": stack.ref("Database")}
    assert request["WorkGroup"] == stack.ref("HistoryWorkgroup") != stack.ref("Workgroup")
    assert set(request) == {"QueryString", "QueryExecutionContext", "WorkGroup", "ClientRequestToken"}


def test_a_start_that_is_repeated_is_the_same_one_and_no_other_stack_s() -> None:
    tokens = [asked(name)["ClientRequestToken"] for name in history_stack.SCHEDULED]
    assert len(set(tokens)) == len(tokens)
    for token in tokens:
        assert token.endswith("-<aws.scheduler.scheduled-time>")
        assert kept().ref("AWS::StackId").rpartition("/")[2] in token
        sent = token.replace("<aws.scheduler.scheduled-time>", "2026-11-27T03:00:00Z")
        assert 32 <= len(sent) <= 128  # Athena's limits


def test_the_table_is_made_before_the_night_and_the_rest_comes_after_it() -> None:
    when = {
        name: kept().properties(f"History{name.capitalize()}")["ScheduleExpression"] for name in history_stack.SCHEDULED
    }
    minutes = dict[str, int]()
    for name, expression in when.items():
        minute, hour, *_ = expression.removeprefix("cron(").split()
        minutes[name] = int(hour) * 60 + int(minute)
    assert minutes["create"] < minutes["night"] < min(minutes["optimize"], minutes["vacuum"])
    assert minutes["create"] > 60  # the notary has written `windows` by then, once a day, at its first run


@pytest.mark.parametrize("name", history_stack.SCHEDULED)
def test_a_statement_that_cannot_be_started_is_told_by_the_dead_letter_queue(name: str) -> None:
    target = kept().properties(f"History{name.capitalize()}")["Target"]
    assert target["DeadLetterConfig"] == {"Arn": kept().attribute("DeadLetters", "Arn")}
    assert target["RoleArn"] == kept().attribute("HistoryRole", "Arn")
    assert Role.of(kept(), "HistoryRole").allows(Request("sqs:SendMessage", target["DeadLetterConfig"]["Arn"]))


def test_a_statement_that_fails_is_told_to_the_topic() -> None:
    stack = kept()
    rule, topic = stack.properties("HistoryRule"), stack.ref("AlarmTopic")
    assert rule["EventPattern"] == {
        "source": ["aws.athena"],
        "detail-type": ["Athena Query State Change"],
        "detail": {"workgroupName": [stack.ref("HistoryWorkgroup")], "currentState": ["FAILED", "CANCELLED"]},
    }
    [target] = rule["Targets"]
    assert target["Arn"] == topic
    assert "RoleArn" not in target  # EventBridge asks the topic's policy
    transformer = target["InputTransformer"]
    said = json.loads(transformer["InputTemplate"].replace("<id>", "0c1f-22").replace("<state>", "FAILED"))
    assert "A statement that keeps the table history of logarchive is FAILED: query 0c1f-22." in said
    assert "aws athena get-query-execution --query-execution-id 0c1f-22" in said
    assert transformer["InputPathsMap"] == {"id": "$.detail.queryExecutionId", "state": "$.detail.currentState"}


def test_the_topic_takes_messages_from_the_rule_and_still_from_the_alarms() -> None:
    stack = kept()
    policy = stack.properties("AlarmTopicPolicy")
    assert policy["Topics"] == [stack.ref("AlarmTopic")]
    allowed = {one["Principal"]["Service"]: one for one in policy["PolicyDocument"]["Statement"]}
    assert set(allowed) == {"cloudwatch.amazonaws.com", "events.amazonaws.com"}
    assert {(one["Effect"], one["Action"], one["Resource"]) for one in allowed.values()} == {
        ("Allow", "sns:Publish", stack.ref("AlarmTopic"))
    }
    assert allowed["cloudwatch.amazonaws.com"]["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


NEEDED = [
    Request("athena:GetDataCatalog", f"arn:aws:athena:{REGION}:{ACCOUNT}:datacatalog/AwsDataCatalog"),
    Request("athena:StartQueryExecution", f"{WORKGROUPS}/logarchive-historyworkgroup"),
    *(Request("glue:GetDatabase", f"{GLUE}:{one}") for one in ("catalog", "database/logarchive-database")),
    Request("glue:GetDatabase", f"{GLUE}:database/default"),
    *(Request("glue:GetTable", f"{TABLE}/{name}") for name in ("logs", "windows", "history")),
    *(
        Request(f"glue:{action}Table", resource)
        for action in ("Create", "Update")
        for resource in (f"{GLUE}:catalog", f"{GLUE}:database/logarchive-database", f"{TABLE}/history")
    ),
    *(Request("s3:GetObject", f"{ARCHIVE}/{key}/x") for key in ("logs/provider=elsa", "coverage/windows", "history")),
    *(Request(f"s3:{action}Object", f"{ARCHIVE}/history/data/x") for action in ("Put", "Delete")),
    *(Request("s3:ListBucket", ARCHIVE, {"s3:prefix": one}) for one in ("logs/x/", "coverage/windows/", "history/x")),
    *(Request("s3:GetObject", f"{ARCHIVE}/{key}") for key in ("coverage/windows", "history")),  # is it a file?
    *(Request(f"s3:{action}Object", f"{RESULTS}/history/x") for action in ("Get", "Put")),
    Request("s3:ListBucket", RESULTS, {"s3:prefix": "history/"}),
    *(Request(f"s3:{right}", one) for right in OF_BUCKETS for one in (ARCHIVE, RESULTS)),
]
REFUSED = [
    Request("athena:StartQueryExecution", f"{WORKGROUPS}/logarchive"),
    Request("athena:StartQueryExecution", f"{WORKGROUPS}/primary"),
    *(Request(f"glue:{action}Table", f"{TABLE}/logs") for action in ("Create", "Update", "Delete")),
    Request("glue:UpdateTable", f"{TABLE}/windows"),
    Request("glue:DeleteTable", f"{TABLE}/history"),
    Request("glue:GetTable", f"{GLUE}:table/other/logs"),
    *(Request("s3:GetObject", f"{ARCHIVE}/{key}/x") for key in ("raw", "proof", "rejects", "coverage")),
    *(
        Request(f"s3:{action}Object", f"{ARCHIVE}/{key}/x")
        for action in ("Put", "Delete")
        for key in ("raw", "logs", "rejects", "proof", "coverage", "coverage/windows", "historyx")
    ),
    Request("s3:DeleteObjectVersion", f"{ARCHIVE}/history/x"),
    *(Request("s3:ListBucket", ARCHIVE, {"s3:prefix": one}) for one in ("", "raw/", "proof/")),
    *(Request("s3:ListBucket", RESULTS, {"s3:prefix": one}) for one in ("", "tables/")),
    Request("s3:GetObject", f"{RESULTS}/x"),
    Request("s3:PutObject", f"{RESULTS}/x"),
    Request("s3:DeleteObject", f"{RESULTS}/history/x"),
    Request("lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:logarchive-elsa"),
    Request("kms:Decrypt", KEY),
]


@pytest.mark.parametrize("request_", NEEDED, ids=str)
def test_the_role_may_do_what_the_statements_need(request_: Request) -> None:
    assert Role.of(kept(), "HistoryRole").allows(request_)


@pytest.mark.parametrize("request_", REFUSED, ids=str)
def test_the_role_may_do_nothing_else(request_: Request) -> None:
    assert not Role.of(kept(), "HistoryRole").effects(request_)


def test_every_right_of_the_role_is_one_that_the_statements_need() -> None:
    role = Role.of(kept(), "HistoryRole")
    pieces = {"s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"}
    assert role.actions() == {one.action for one in NEEDED} | pieces | {"sqs:SendMessage"}
    assert not any("*" in action for action in role.actions())


def test_with_a_key_of_its_own_the_role_may_use_it_for_s3_and_the_queue() -> None:
    role = Role.of(kept(KmsKeyArn=KEY), "HistoryRole")
    for action in ("kms:Decrypt", "kms:GenerateDataKey"):
        for service in ("s3", "sqs"):
            assert role.allows(Request(action, KEY, {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}))
        assert not role.effects(Request(action, KEY, {"kms:ViaService": f"dynamodb.{REGION}.amazonaws.com"}))
        assert not role.effects(Request(action, KEY))


def test_only_schedules_of_this_account_take_the_role() -> None:
    [trusted] = kept().properties("HistoryRole")["AssumeRolePolicyDocument"]["Statement"]
    assert trusted["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trusted["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_the_workgroup_is_as_the_one_of_people_but_for_its_name_place_and_limit() -> None:
    stack = kept(QueryBytesLimit="5000000000", HistoryBytesLimit="3000000000", KmsKeyArn=KEY)
    own, other = stack.properties("HistoryWorkgroup"), stack.properties("Workgroup")
    assert own["WorkGroupConfiguration"]["ResultConfiguration"].pop("OutputLocation").endswith("resultsbucket/history/")
    assert other["WorkGroupConfiguration"]["ResultConfiguration"].pop("OutputLocation").endswith("resultsbucket/")
    limits = [one["WorkGroupConfiguration"].pop("BytesScannedCutoffPerQuery") for one in (own, other)]
    assert limits == ["3000000000", "5000000000"]
    assert own["WorkGroupConfiguration"] == other["WorkGroupConfiguration"]
    assert (own["Name"], other["Name"]) == ("logarchive-history", "logarchive")


def test_no_lifecycle_deletes_a_file_that_a_reader_needs() -> None:
    everything = {"RawExpirationDays": "365", "LogsExpirationDays": "730", "RawGlacierDays": "90"}
    rules = kept(**everything).properties("ArchiveBucket")["LifecycleConfiguration"]["Rules"]

    def touches(prefix: str) -> bool:
        return "history/".startswith(prefix) or prefix.startswith("history")

    over = [rule for rule in rules if touches(rule.get("Prefix", ""))]
    assert {rule["Id"] for rule in over} == {"abandoned-uploads", "replaced-history"}
    assert not any({"ExpirationInDays", "ExpirationDate", "Transitions"} & set(rule) for rule in over)
    (own,) = (rule for rule in over if rule["Id"] == "replaced-history")
    assert own["NoncurrentVersionExpiration"] == {"NoncurrentDays": 7}


@pytest.mark.parametrize("name", history_stack.SAVED)
def test_a_statement_that_a_person_starts_is_a_saved_query(name: str) -> None:
    query, stack = kept().properties(f"History{name.capitalize()}Query"), kept()
    assert (query["Name"], query["WorkGroup"]) == (f"history-{name}", stack.ref("Workgroup"))
    assert f"{query['QueryString']}\n" in (history.FOLDER / f"{name}.sql").read_text()
    for word in (history.FIRST_DAY, history.LAST_DAY):
        assert (word in query["QueryString"]) == (word in query["Description"])
    assert len(query["Description"]) <= 1024  # Athena's limit


def test_it_is_off_unless_it_is_chosen() -> None:
    assert written()["Parameters"]["History"]["Default"] == "false"
