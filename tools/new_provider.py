"""Writes the skeleton of a provider: `make provider NAME=activity`.

FILL IN marks what only the API's documentation says. CONTRIBUTING.md has the steps that follow.
"""

import keyword
import re
import subprocess
import sys

from sqlglot.dialects import Athena

from console.core.saved_query import QUERIES
from tools import alike
from tools.lock import ROOT
from tools.named_query import REGION, TEMPLATE, filled
from tools.registry import names

SKELETON = ROOT / "tools" / "skeleton"
#: A file of the skeleton -> where it is written.
FILES = {
    "app.py": "functions/{name}/app.py",
    "page.md": "docs/providers/{name}.md",
    "event.json": "events/local/{name}.json",
    "view.sql": "queries/views/{name}.sql",
    "fixtures.md": "tests/fixtures/{name}/README.md",
    "sample.json": "tests/fixtures/{name}/sample.json",
    "test_app.py.txt": "tests/unit/test_{name}.py",
}
NAME = re.compile("[a-z][a-z0-9]{1,19}")
EXAMPLE = "for instance: make provider NAME=activity"


def refusal(name: str) -> str | None:
    """Return a sentence that says why a provider cannot have this name; None if it can."""
    if not name:
        return f"NAME is missing; {EXAMPLE}"
    if not NAME.fullmatch(name):
        return f"NAME={name}: a name is 2 to 20 lower-case letters and digits, a letter first; {EXAMPLE}"
    if (ROOT / "functions" / name).exists():
        return f"NAME={name}: functions/{name} is there already; choose another name"
    if keyword.iskeyword(name) or name in Athena.Generator.RESERVED_KEYWORDS:
        return f"NAME={name}: the word means something in Python or in SQL; choose another name"
    if any(alike.named(line, [name]) for line in (*_template().splitlines(), "skeleton")):
        return f"NAME={name}: template.yaml uses the word for something else; choose another name"
    return None


def _template() -> str:
    """Return the template without its saved queries, which are written anew."""
    return REGION.sub(r"\1\2", TEMPLATE.read_text())


def write(name: str) -> list[str]:
    """Write the files of a provider, add it to the template and to the query over all providers; return all paths."""
    others = names()
    query = QUERIES / "rows-by-day.sql"
    query.write_text(alike.with_provider(query.read_text(), others, name))
    for source, target in FILES.items():
        path = ROOT / target.format(name=name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(alike.renamed((SKELETON / source).read_text(), "skeleton", name))
    TEMPLATE.write_text(filled(alike.with_provider(_template(), others, name)))
    paths = [target.format(name=name) for target in FILES.values()]
    code = [path for path in paths if path.endswith(".py")]
    for command in (["ruff", "format", "--quiet", *code], ["tools.golden", name], ["tools.docs"]):
        subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=True)  # they print what they write
    return [*paths, "template.yaml", "queries/rows-by-day.sql"]


def main() -> int:
    """Write a skeleton, or say in a sentence why not."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if reason := refusal(name):
        print(f"make provider: {reason}", file=sys.stderr)
        return 1
    print("\n".join(f"wrote {path}" for path in write(name)))
    print("Now replace what says FILL IN; the steps are in CONTRIBUTING.md, the tests show what is missing:")
    print("  .venv/bin/pytest tests/contract tests/template")
    return 0


if __name__ == "__main__":
    sys.exit(main())
