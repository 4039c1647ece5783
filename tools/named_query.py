"""Writes the saved queries into the template (`python -m tools.named_query`), so that Athena lists them.

`--check` prints what is outside the subset of SQL that the tests can check, and whether the template is current.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterable

from console.core.saved_query import SavedQuery, saved_queries, saved_views
from tools.lock import ROOT
from tools.subset import faults

TEMPLATE = ROOT / "template.yaml"
REGION = re.compile(r"(  # --- Saved queries.*? ---\n).*?(  # --- end ---\n)", re.DOTALL)


def resource(query: SavedQuery, prefix: str = "", condition: str = "OnAws") -> str:
    """Return the resource of a saved query, in few lines: people read the query in its own file."""
    title = f"{prefix}{query.name}"
    name = "".join(word.capitalize() for word in title.split("-"))
    place = f"Name: {title}, Database: !Ref Database, WorkGroup: !Ref Workgroup"
    said, sql = (json.dumps(text, ensure_ascii=False) for text in (query.question, query.sql))
    return (
        f"  {name}Query:\n"
        "    Type: AWS::Athena::NamedQuery\n"
        f"    Condition: {condition}\n"
        f"    Properties: {{ {place}, Description: {said},\n"
        f"      QueryString: {sql} }}\n"
    )


def filled(text: str) -> str:
    """Return the template with its saved queries."""
    return placed(text, REGION, map(resource, [*saved_queries(), *saved_views()]), "the saved queries")


def placed(text: str, region: re.Pattern[str], resources: Iterable[str], what: str) -> str:
    """Return the template with these resources in a region. Exits if there is no such region, or several."""
    new, times = region.subn(lambda match: match[1] + "".join(resources) + match[2], text)
    if times != 1:
        sys.exit(f"{TEMPLATE.name}: no place, or several, for {what}")
    return new


def main() -> int:
    """Write the saved queries, or check them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only print what is wrong")
    check = parser.parse_args().check
    wrong = [f"{one.path.name}: {fault}" for one in (*saved_queries(), *saved_views()) for fault in faults(one)]
    text = TEMPLATE.read_text()
    new = filled(text)
    if new != text and check:
        wrong.append(f"{TEMPLATE.name}: not current, run `.venv/bin/python -m tools.named_query`")
    elif new != text:
        TEMPLATE.write_text(new)
    print("\n".join(wrong), end="\n" if wrong else "", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
