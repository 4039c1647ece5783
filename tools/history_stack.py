"""Writes the statements of the table `history` into the template (`python -m tools.history_stack`).

Those of the nights become schedules of EventBridge, the others saved queries of Athena. `--check` only compares.
"""

import argparse
import json
import re
import sys
from collections.abc import Mapping

from console.core.saved_query import SavedQuery
from tools.history import BUCKET, DAYS, FOLDER
from tools.lock import ROOT

TEMPLATE = ROOT / "template.yaml"
REGION = re.compile(r"(  # --- Statements of history.*? ---\n).*?(  # --- end ---\n)", re.DOTALL)

#: The statements that the stack starts, and when, in UTC. The table is made before the night; to make one costs
#: nothing in Athena. The notary has written `windows` soon after midnight. On the 10th the nights are by default done
#: with the month before: a day that is joined with others has no file of its own that a night could open alone. VACUUM
#: may need several runs for much.
SCHEDULED: Mapping[str, str] = {
    "create": "cron(30 2 * * ? *)",
    "night": "cron(0 3 * * ? *)",
    "optimize": "cron(0 5 10 * ? *)",
    "vacuum": "cron(0 6 ? * SUN *)",
}
#: Those that a person starts.
SAVED = ("difference", "fill", "reach")


def statement(name: str) -> SavedQuery:
    """Return a file of queries/history."""
    return SavedQuery(FOLDER / f"{name}.sql")


def schedule(name: str) -> str:
    """Return the resource that starts a statement. Its token makes a repeated start the same one, as Athena promises.

    The token has the stack's own id and not its name, which may be as long as a token.
    """
    sql = statement(name).sql
    given = {
        "QueryString": sql.replace(BUCKET, "${ArchiveName.Value}").replace(DAYS, "INTERVAL '${HistoryDays}' DAY"),
        "QueryExecutionContext": {"Database": "${Database}"},
        "WorkGroup": "${HistoryWorkgroup}",
        "ClientRequestToken": f"{name}-${{Id}}-<aws.scheduler.scheduled-time>",
    }
    text = json.dumps(json.dumps(given))
    return (
        f"  History{name.capitalize()}:\n"
        "    Type: AWS::Scheduler::Schedule\n"
        "    Condition: HistoryKept\n"
        "    Properties:\n"
        f"      Description: The statement queries/history/{name}.sql\n"
        f"      ScheduleExpression: {SCHEDULED[name]}\n"
        '      FlexibleTimeWindow: { Mode: "OFF" }\n'
        "      Target:\n"
        "        Arn: !Sub arn:${AWS::Partition}:scheduler:::aws-sdk:athena:startQueryExecution\n"
        "        RoleArn: !GetAtt HistoryRole.Arn\n"
        "        RetryPolicy: { MaximumRetryAttempts: 3, MaximumEventAgeInSeconds: 3600 }\n"
        "        DeadLetterConfig: { Arn: !GetAtt DeadLetters.Arn }\n"
        f'        Input: !Sub [{text}, {{ Id: !Select [2, !Split ["/", !Ref "AWS::StackId"]] }}]\n'
    )


def saved(name: str) -> str:
    """Return the resource that lists a statement in Athena."""
    said, sql = (json.dumps(text) for text in (statement(name).question, statement(name).sql))
    place = f"Name: history-{name}, Database: !Ref Database, WorkGroup: !Ref Workgroup"
    return (
        f"  History{name.capitalize()}Query:\n"
        "    Type: AWS::Athena::NamedQuery\n"
        "    Condition: HistoryListed\n"
        f"    Properties: {{ {place}, Description: {said},\n"
        f"      QueryString: {sql} }}\n"
    )


def filled(text: str) -> str:
    """Return the template with the statements."""
    resources = "".join([*map(schedule, SCHEDULED), *map(saved, SAVED)])
    new, times = REGION.subn(lambda match: match[1] + resources + match[2], text)
    if times != 1:
        sys.exit(f"{TEMPLATE.name}: no place, or several, for the statements of history")
    return new


def main() -> int:
    """Write the template, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether it is current")
    check = parser.parse_args().check
    text = TEMPLATE.read_text()
    if (new := filled(text)) == text:
        return 0
    if check:
        print(f"{TEMPLATE.name}: not current, run `.venv/bin/python -m tools.history_stack`", file=sys.stderr)
        return 1
    TEMPLATE.write_text(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
