"""The pictures of the docs: page and report of a made-up archive. CONTRIBUTING.md says how they are taken.

Beside them stands of which page and report they were taken, so that a test finds pictures that are out of date; the
pictures themselves differ from one computer to the next with its fonts.
"""

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from logarchive.coverage.page import page
from logarchive.coverage.report import report
from tests.browser.chromium import Browser, browser
from tests.browser.sample import coverage, month
from tools.lock import ROOT

FOLDER = ROOT / "docs" / "images"
#: Name of the picture -> language, dark, and where the page is scrolled to.
PICTURES = {
    "coverage-en": ("en", False, None),
    "coverage-ko": ("ko", False, None),
    "coverage-hours-ko-dark": ("ko", True, "source-2"),
}
#: The report is as wide as a sheet of paper.
REPORT, PAPER = "report-ko", 760
TAKEN_OF = FOLDER / "taken-of.sha256"


def documents() -> Mapping[str, bytes]:
    """Return page and report by the names of their files; without wrong sources the table of all sources has room."""
    shown = replace(coverage(sources=6), invalid={})
    return {"page.html": page(shown), "report.html": report(month(), "ko")}


def digests(made: Mapping[str, bytes]) -> str:
    """Return the hashes of page and report, a line for each, as `sha256sum` writes them."""
    return "".join(f"{hashlib.sha256(body).hexdigest()}  {name}\n" for name, body in made.items())


def take(tab: Browser, folder: Path, made: Mapping[str, bytes]) -> None:
    """Take every picture."""
    path = folder / "shown.html"
    path.write_bytes(made["page.html"])
    for name, (language, dark, place) in PICTURES.items():
        tab.open(path, language=language, dark=dark)
        if place:
            tab.evaluate(f"document.querySelector('#{place}').scrollIntoView()")
            tab.evaluate(f"document.querySelector('#{place} .grid').focus()")
            tab.press("PageUp")
            tab.press("ArrowDown", 13)
        tab.drawn()
        tab.picture(folder / f"{name}.png")
    path.write_bytes(made["report.html"])
    tab.open(path, width=PAPER)
    tab.picture(folder / f"{REPORT}.png")
    path.unlink()


if __name__ == "__main__":
    with browser() as opened, tempfile.TemporaryDirectory() as name:
        shown = documents()
        take(opened, Path(name), shown)
        TAKEN_OF.write_text(digests(shown))
        for picture in (*PICTURES, REPORT):
            (FOLDER / f"{picture}.png").write_bytes((Path(name) / f"{picture}.png").read_bytes())
