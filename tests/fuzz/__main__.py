"""Fuzz the targets one after the other, each in a process of its own (`make fuzz`).

    python -m tests.fuzz [--seconds N] [TARGET …]      needs atheris
    python -m tests.fuzz --replay TARGET PATH          run one input again; needs nothing

What a target has seen is kept in `.fuzz/TARGET/corpus`, so that the next run goes on from there. An input that is a
finding is written to `.fuzz/TARGET`.
"""

import argparse
import importlib
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.fuzz.target import Target

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "layers" / "shared"))  # where the functions find the layer

KEPT = ROOT / ".fuzz"
SECONDS = 600
#: What one input of at most 64 KB may take.
LIMITS = ("-max_len=65536", "-timeout=10", "-rss_limit_mb=1024")
#: Words of the formats: a fuzzer that only flips bits hardly ever writes one.
WORDS = (
    *('"logTime":', '"code":', '"error":', '"errorCode":', '"events":', '"content":', '"items":', '"total":'),
    *('"sort":', '"success":', '"Response":', '"data":', '"action":', '"start":', '"end":', '"parts":', '"earlier":'),
    *("1795352400000", "NaN", "-Infinity", "1e400", "-0", "18446744073709551616", "2026-11-22 22:00:00", "PT1H"),
    *("},{", "}\n{", "[[", "{}", "[]", '"":', "null", "\\ud800", "\xff", "\xef\xbb\xbf", "PK\x05\x06", "\x1f\x8b\x08"),
    *("\n----\n", '\\"', '""', ' "', '" ', "GET HTTP/1.1 hit 80", "bytes=0-99", "Retry-After: 9", "http://", "9" * 40),
)


def main() -> int:
    """Fuzz, or replay."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="for each target")
    parser.add_argument("--replay", type=Path, metavar="PATH")
    parser.add_argument("--inside", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    arguments = parser.parse_args()
    if arguments.inside:
        return _inside(*arguments.inside)
    from tests.fuzz.target import TARGETS

    if unknown := [name for name in arguments.targets if name not in TARGETS]:
        parser.error(f"no target {unknown[0]}; the targets are {', '.join(TARGETS)}")
    if arguments.replay:
        TARGETS[arguments.targets[0]].check(arguments.replay.read_bytes())
        print("nothing is raised but what is declared")
        return 0
    good = [_fuzz(name, TARGETS[name], arguments.seconds) for name in arguments.targets or TARGETS]
    return 0 if all(good) else 1


def _fuzz(name: str, target: "Target", seconds: int) -> bool:
    """Fuzz one target, and print a line; return whether nothing was found."""
    folder = KEPT / name
    corpus, words = folder / "corpus", folder / "words"
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in target.seeds():
        (corpus / sha256(seed).hexdigest()).write_bytes(seed)
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in WORDS))
    options = (f"-max_total_time={seconds}", f"-dict={words}", f"-artifact_prefix={folder}/", "-print_final_stats=1")
    command = [sys.executable, "-m", "tests.fuzz", "--inside", name, *LIMITS, *options, str(corpus)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    output = done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")
    count = re.search(r"number_of_executed_units: *(\d+)", output)
    covered = re.findall(r" cov: (\d+) ft: (\d+)", output)
    found = re.search(r"Test unit written to (\S+)", output)
    raised = done.stdout.decode(errors="replace").partition("=== Uncaught Python exception: ===")[2]
    good = done.returncode == 0
    print(
        f"{name:14} {int(count[1]) if count else 0:>11,} executions {seconds:>5} s"
        f" {covered[-1][0] if covered else 0:>6} edges {covered[-1][1] if covered else 0:>7} features"
        f"  {'nothing found' if good else 'FOUND'}",
        flush=True,
    )
    if not good:
        print(raised or output[-4000:])
        if found:
            print(f"replay: .venv/bin/python -m tests.fuzz --replay {found[1]} {name}", flush=True)
    return good


def _escaped(word: str) -> str:
    """Write a word as libFuzzer's dictionaries do."""
    return "".join(f"\\x{byte:02x}" for byte in word.encode("latin-1"))


def _inside(name: str, *options: str) -> int:
    """Fuzz one target in this process, which ends here."""
    atheris: Any = importlib.import_module("atheris")  # only `make fuzz` installs it
    with atheris.instrument_imports(include=["logarchive", "functions"]):
        from tests.fuzz.target import TARGETS
    atheris.Setup([sys.argv[0], *options], TARGETS[name].check)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
