"""Compares what a text such as the template says about each provider.

A line may list several providers, or be about one. All lines of a resource such as `ElsaRole` are about one provider.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from tools.registry import logical

#: Stands for a provider's name where texts are compared.
NAME = "name"
RESOURCE = re.compile(r"  (\w+):")
#: What may differ from provider to provider, and how it begins for a new one.
OWN = ((r"^( +Description:).*", "FILL IN what name archives."), (r"(Key: secrets, Value:) [^ ]+", NAME))


@dataclass(frozen=True)
class Run:
    """Consecutive lines about one provider, and the resource in which they begin."""

    provider: str
    resource: str
    start: int
    lines: tuple[str, ...]

    def of(self, provider: str) -> tuple[str, ...]:
        """Return the lines with the name of another provider."""
        return tuple(renamed(line, self.provider, provider) for line in self.lines)


def _word(name: str) -> re.Pattern[str]:
    """Return a pattern that finds a provider's name: `elsa`, or `Elsa` at the beginning of a resource's name."""
    return re.compile(rf"(?<![A-Za-z0-9])(?:{name}(?![A-Za-z0-9])|{logical(name)}(?![a-z0-9]))")


def renamed(text: str, old: str, new: str) -> str:
    """Return a text with one provider's name in place of another's."""
    return _word(old).sub(lambda match: new if match[0] == old else logical(new), text)


def named(line: str, names: Sequence[str]) -> dict[str, int]:
    """Return the providers that a line names, in the line's order, and how often it names each."""
    matches = {name: list(_word(name).finditer(line)) for name in names}
    return {name: len(matches[name]) for name in sorted(names, key=lambda name: _start(matches[name])) if matches[name]}


def _start(matches: Sequence[re.Match[str]]) -> int:
    return matches[0].start() if matches else -1


def runs(text: str, names: Sequence[str]) -> list[Run]:
    """Return the runs of a text, in order."""
    resource, about = "", list[tuple[int, str, str, str]]()
    for number, line in enumerate(text.splitlines()):
        if start := RESOURCE.match(line):
            resource = start[1]
        if line.strip() and not line.startswith("  #"):
            about.append((number, _provider(resource, line, names), resource, line))
    groups = [list(group) for _, group in groupby(about, key=lambda one: one[1])]
    return [
        Run(provider, resource, number, tuple(text.splitlines()[number : group[-1][0] + 1]))
        for group in groups
        for number, provider, resource, _ in group[:1]
        if provider
    ]


def _provider(resource: str, line: str, names: Sequence[str]) -> str:
    """Return the provider that a line is about; empty if it is about none, or about several."""
    about = list(named(resource, names) or named(line, names))
    return about[0] if len(about) == 1 else ""


def faults(text: str, names: Sequence[str]) -> Iterator[str]:
    """Yield a sentence for each place where a text treats a provider differently from the first one."""
    yield from _lists(text, names)
    all_runs = runs(text, names)
    model = all_runs[0].provider if all_runs else ""
    for name in (name for name in names if all_runs and name != model):
        theirs = {renamed(run.resource, name, NAME): run for run in all_runs if run.provider == name}
        for run in (run for run in all_runs if run.provider == model):
            other = theirs.get(renamed(run.resource, model, NAME))
            yield from _difference(run, other) if other else [_missing(run, name)]


def _lists(text: str, names: Sequence[str]) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        counts = named(line, names)
        if len(counts) > 1:
            lacking = [name for name in names if counts.get(name, 0) < max(counts.values())]
            yield from (f'line {number} lists providers, but not "{name}": {line.strip()[:120]}' for name in lacking)


def _missing(run: Run, name: str) -> str:
    resources = [match[1] for line in run.lines if (match := RESOURCE.match(line))]
    if not resources:
        return f'{run.resource} has no line for provider "{name}": copy the one of "{run.provider}"'
    what = "no block of resources" if len(resources) > 1 else f"no {renamed(resources[0], run.provider, name)}"
    return f'{what} for provider "{name}": copy what "{run.provider}" has ({", ".join(resources)})'


def _difference(run: Run, other: Run) -> Iterator[str]:
    mine, theirs = (_begun(one.of(NAME), NAME) for one in (run, other))
    if mine != theirs:
        at = next((at for at, pair in enumerate(zip(mine, theirs, strict=False)) if pair[0] != pair[1]), len(mine))
        has, model = ((one.lines[at:] or ("nothing",))[0].strip() for one in (other, run))
        yield f'line {other.start + at + 1} is not as with "{run.provider}": {has!r} in place of {model!r}'


def _begun(lines: Sequence[str], name: str) -> list[str]:
    """Return lines about a provider, with what differs from provider to provider as it begins."""
    for pattern, begun in OWN:
        lines = [re.sub(pattern, rf"\1 {renamed(begun, NAME, name)}", line) for line in lines]
    return list(lines)


def with_provider(text: str, names: Sequence[str], new: str) -> str:
    """Return a text with one more provider: a copy of what it says about the first, placed after the last."""
    all_runs = runs(text, names)
    lines = [_listed(line, names, new) for line in text.splitlines()]
    models = [run for run in all_runs if run.provider == all_runs[0].provider]
    last = [run for run in all_runs if run.provider == all_runs[-1].provider]
    for run, model in reversed(list(zip(last, models, strict=True))):
        end = run.start + len(run.lines)
        lines[end:end] = _titled(_begun(model.of(new), new), new)
    return "".join(f"{line}\n" for line in lines)


def _titled(lines: Sequence[str], new: str) -> list[str]:
    many = sum(RESOURCE.match(line) is not None for line in lines) > 1
    return ["", f"  # --- {new} ---", "", *lines] if many else list(lines)


def _listed(line: str, names: Sequence[str], new: str) -> str:
    """Return a line with one more provider in its list, if it has a list."""
    order = list(named(line, names))
    if len(order) < 2:  # noqa: PLR2004 (one is no list)
        return line
    before, last = (next(_word(name).finditer(line)) for name in order[-2:])
    added = new if last[0] == order[-1] else logical(new)
    return line[: last.end()] + line[before.end() : last.start()] + added + line[last.end() :]
