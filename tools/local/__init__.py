"""`make local`: runs every function in a container and compares the bucket with the simulator's records."""

import sys

from tools.lock import ROOT

sys.path.insert(0, str(ROOT / "layers" / "shared"))  # where the functions find the layer
