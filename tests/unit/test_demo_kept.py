"""A demo that was kept is found by its port; its providers break down and are mended; stopping it ends it alone."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulator import Simulator
from tests.unit.simulated import ask
from tools.demo.kept import Kept, command
from tools.stack import StackError, free_port

SLEEP = "import time; time.sleep(600)"


def started(*words: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", SLEEP, *words], start_new_session=True)
    while not Path(f"/proc/{process.pid}/cmdline").read_bytes():
        time.sleep(0.01)  # Linux sets it a moment after Popen has returned
    return process


def kept(folder: Path, url: str = "http://127.0.0.1:1", emulator: int = 0, simulator: int = 0) -> Kept:
    return Kept(free_port(), url, emulator, simulator, str(folder))


@pytest.fixture
def noted(tmp_path: Path) -> Iterator[Kept]:
    demo = kept(tmp_path / "gone")
    demo.note()
    yield demo
    demo.stop(print)


def test_a_kept_demo_is_found_by_its_port_alone(noted: Kept) -> None:
    assert Kept.at(noted.port) == noted
    with pytest.raises(StackError, match=r"no demo was kept at port \d+: start one with `KEEP=1 PORT=\d+ make demo`"):
        Kept.at(free_port())


def test_the_command_of_a_demo_names_the_port_unless_it_is_the_usual_one() -> None:
    assert command(4566, keep=False) == "make demo"
    assert command(4600, keep=True) == "KEEP=1 PORT=4600 make demo"


def test_a_provider_breaks_down_and_is_mended_and_the_others_go_on(tmp_path: Path) -> None:
    with Simulator(scale=0.1) as simulator:
        demo = kept(tmp_path, simulator.url)
        demo.break_down("elsa")
        assert [ask(simulator, name).status_code for name in ("elsa", "elsa", "multidrm")] == [503, 503, 200]
        demo.mend("elsa")
        assert ask(simulator, "elsa").status_code == 200


def test_a_demo_that_has_ended_meanwhile_is_said_to_have_ended(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="does not run any more"):
        kept(tmp_path, f"http://127.0.0.1:{free_port()}").mend("elsa")


def test_stopping_ends_its_processes_and_removes_its_files_and_says_so_before_it_does(tmp_path: Path) -> None:
    folder = tmp_path / "logarchive-demo"
    folder.mkdir()
    emulator, simulator = started("ministack"), started("tests.simulator")
    demo = kept(folder, emulator=emulator.pid, simulator=simulator.pid)
    demo.note()
    said: list[tuple[str, bool]] = []
    demo.stop(lambda text: said.append((text, folder.exists() and emulator.poll() is None)))
    assert said == [
        (
            f"Ending the functions, the emulator of AWS at port {demo.port}, and the simulator of the providers ...",
            True,
        ),
        (f"Removing the files in {folder} ...", False),
    ]
    assert (emulator.wait(10), simulator.wait(10)) == (-15, -15)
    assert not folder.exists()
    with pytest.raises(StackError):
        Kept.at(demo.port)


def test_a_process_that_has_got_the_id_of_one_that_ended_is_left_alone(tmp_path: Path) -> None:
    other = started("somebody's")
    try:
        kept(tmp_path / "gone", emulator=other.pid).stop(print)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
