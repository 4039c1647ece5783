"""Writes the statements of the table `history` to their files and into the template (`python -m tools.history_stack`).

There those of the nights are schedules of EventBridge, the others saved queries of Athena. `--check` only compares.
"""

import argparse
import json
import re
import sys
from collections.abc import Mapping

from console.core.saved_query import SavedQuery
from tools.history import BUCKET, DAYS, FOLDER, STATEMENTS
from tools.named_query import TEMPLATE, placed, resource

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


def filled(text: str) -> str:
    """Return the template with the statements."""
    saved = [resource(statement(name), "history-", "HistoryListed") for name in SAVED]
    return placed(text, REGION, [*map(schedule, SCHEDULED), *saved], "the statements of history")


def main() -> int:
    """Write the files, then the template from them, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say what is not current")
    check = parser.parse_args().check
    made = {FOLDER / f"{name}.sql": text for name, text in STATEMENTS.items()}
    stale: list[str] = []
    for path, text in [*made.items(), (TEMPLATE, lambda: filled(TEMPLATE.read_text()))]:
        new = text()
        if path.exists() and path.read_text() == new:
            continue
        stale.append(path.name)
        if not check:
            path.write_text(new)
    if check and stale:
        print(f"{', '.join(stale)}: not current, run `.venv/bin/python -m tools.history_stack`", file=sys.stderr)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
