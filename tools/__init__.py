"""The programs behind the targets of the Makefile."""

import sys
from importlib.util import find_spec
from pathlib import Path

# Where the functions find the layer; if it can be imported already, it is that of another version, which is measured.
if find_spec("logarchive") is None:
    sys.path.insert(0, str(Path(__file__).parents[1] / "layers" / "shared"))
