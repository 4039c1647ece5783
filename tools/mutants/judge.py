"""Which tests reach which function, and whether they see a mutant: each question is a fork of one collected session."""

import gc
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FunctionType

import pytest

from tools.mutants.mutation import Mutant

#: The same examples of hypothesis for each mutant, so that what is seen once is always seen.
OPTIONS = (
    *("-q", "--no-header", "--no-summary", "-p", "no:xdist", "-p", "no:cacheprovider", "--hypothesis-seed=0"),
    *("-m", "not slow", "-k", "not ministack", "-o", "addopts=--import-mode=importlib"),
)
#: A mutant may loop for ever, or fill the memory: each test has three times its CPU, and some seconds for its fixtures.
MORE_SECONDS, MOST_BYTES = 15, 4 << 30

type Function = tuple[str, str]


class UnchangedCodeError(Exception):
    """The tests do not pass on the unchanged code: they can judge no mutant."""


@dataclass(eq=False)  # pytest keeps its plugins in sets
class Judge:
    """A plugin of pytest that runs the collected tests once for each mutant, and says which mutants survive."""

    mutants: Sequence[Mutant]
    jobs: int
    survived: Callable[[Mutant], None]
    started: Callable[[int], None]
    #: Why no mutant could be judged.
    fault: str | None = None

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a module that cannot be imported."""
        if report.failed:
            self.fault = f"{report.nodeid} cannot be collected:\n{report.longreprtext}"

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Judge, in place of running the tests."""
        if self.fault or not session.items:
            return True
        with tempfile.TemporaryDirectory() as folder:
            try:
                reach = _reached(session.items, {str(mutant.path) for mutant in self.mutants}, Path(folder), self.jobs)
            except UnchangedCodeError as error:
                self.fault = str(error)
                return True
        self.started(len(session.items))
        running: dict[int, Mutant] = {}
        for mutant in self.mutants:
            tests = {item: seconds for item, (seconds, entered) in reach.items() if mutant.concerns(entered)}
            if len(running) == self.jobs:
                self._wait(running)
            running[_forked([*tests], lambda tests=tests, mutant=mutant: _seen(tests, mutant))] = mutant  # type: ignore[misc]
        while running:
            self._wait(running)
        return True

    def _wait(self, running: dict[int, Mutant]) -> None:
        process, status = os.wait()
        shutil.rmtree(_folder(process), ignore_errors=True)
        mutant = running.pop(process)
        if status == 0:
            self.survived(mutant)


@dataclass
class Reach:
    """What the tests enter of some modules, and how long each takes."""

    modules: set[str]
    entered: set[Function] = field(default_factory=set[Function])

    def enter(self, code: CodeType, _offset: int) -> object:
        """Note a function, and do not ask again before the next test."""
        if code.co_filename in self.modules:
            self.entered.add((code.co_filename, code.co_qualname.partition(".<locals>")[0]))
        return sys.monitoring.DISABLE

    def run(self, items: Sequence[pytest.Item]) -> list[tuple[str, float, list[Function]]]:
        """Run the tests under watch."""
        watch, measured = sys.monitoring, list[tuple[str, float, list[Function]]]()
        watch.use_tool_id(watch.COVERAGE_ID, "mutants")
        watch.register_callback(watch.COVERAGE_ID, watch.events.PY_START, self.enter)
        watch.set_events(watch.COVERAGE_ID, watch.events.PY_START)
        for item, following in _followed(items):
            self.entered.clear()
            watch.restart_events()
            began = time.process_time()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if item.session.testsfailed:
                raise UnchangedCodeError(f"{item.nodeid} fails on the unchanged code")
            measured.append((item.nodeid, time.process_time() - began, sorted(self.entered)))
        return measured


def _reached(
    items: Sequence[pytest.Item], modules: set[str], folder: Path, jobs: int
) -> dict[pytest.Item, tuple[float, set[Function]]]:
    """Return the CPU seconds of each test, and what it reaches of the modules; the quickest test first."""
    share = -(-len(items) // jobs)
    for number in range(jobs):
        mine, noted = items[number * share : (number + 1) * share], folder / f"{number}.json"
        _forked(mine, lambda mine=mine, noted=noted: _note(noted, modules, mine))  # type: ignore[misc]
    statuses = [os.wait()[1] for _ in range(jobs)]
    if any(statuses):
        faults = sorted(path.read_text() for path in folder.glob("*.fault"))
        raise UnchangedCodeError("\n".join(faults) or "a process of the tests has ended before its tests")
    rows = [row for path in folder.iterdir() for row in json.loads(path.read_text())]
    named = {item.nodeid: item for item in items}
    return {
        named[name]: (seconds, {(module, function) for module, function in reached})
        for name, seconds, reached in sorted(rows, key=lambda row: row[1])
    }


def _note(noted: Path, modules: set[str], items: Sequence[pytest.Item]) -> None:
    """Write down what tests reach; or in a file beside it, which of them fails."""
    try:
        noted.write_text(json.dumps(Reach(modules).run(items)))
    except UnchangedCodeError as error:
        noted.with_suffix(".fault").write_text(str(error))
        raise


def _seen(tests: Mapping[pytest.Item, float], mutant: Mutant) -> int:
    """Run the tests on a mutant until one fails; return 1 if one does."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    _install(mutant)
    for item, following in _followed([*tests]):
        most = round(time.process_time() + MORE_SECONDS + 3 * tests[item])
        resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if item.session.testsfailed:
            return 1
    return 0


def _install(mutant: Mutant) -> None:
    """Put the changed code in the place of the function's, or the changed constant in the place of the module's."""
    changed = compile(mutant.apply(), mutant.path, "exec")
    if mutant.constant:
        _install_constant(changed, mutant)
        return
    [code] = [code for code in _codes(changed) if code.co_qualname == mutant.function]
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and (one.__code__.co_filename, one.__code__.co_qualname) == mutant.place:
            one.__code__ = code


def _install_constant(changed: CodeType, mutant: Mutant) -> None:
    """Change a constant of a module wherever it was imported."""
    [module] = [one for one in sys.modules.values() if getattr(one, "__file__", None) == str(mutant.path)]
    namespace = {"__name__": module.__name__, "__file__": str(mutant.path)}
    exec(changed, namespace)  # noqa: S102 (our own code, changed in one place)
    before = getattr(module, mutant.constant)
    for other in list(sys.modules.values()):
        if getattr(other, mutant.constant, None) is before:
            setattr(other, mutant.constant, namespace[mutant.constant])


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _followed(items: Sequence[pytest.Item]) -> Iterable[tuple[pytest.Item, pytest.Item | None]]:
    return zip(items, [*items[1:], None], strict=False)  # there may be no items


def _forked(items: Sequence[pytest.Item], run: Callable[[], object]) -> int:
    """Start a process that ends with 1 if `run` returns 1 or raises, and return its id. Its tests are not reported."""
    process = os.fork()
    if process == 0:
        status = 1
        try:
            folder = _folder(os.getpid())
            folder.mkdir()
            tempfile.tempdir = str(folder)
            for item in items[:1]:
                item.config.pluginmanager.unregister(name="terminalreporter")
            status = int(run() == 1)
        finally:
            os._exit(status)
    return process


def _folder(process: int) -> Path:
    """Return where a process leaves its files: a mutant that is ended removes none, and can write millions of them."""
    return Path(tempfile.gettempdir()) / f"mutant-{process}"
