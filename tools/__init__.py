"""The programs behind the targets of the Makefile."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "layers" / "shared"))  # where the functions find the layer
