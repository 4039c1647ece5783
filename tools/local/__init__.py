"""`make local`: every function in a container, as `sam local invoke` runs it, and what came into the bucket."""

import sys

from tools.lock import ROOT

sys.path.insert(0, str(ROOT / "layers" / "shared"))  # where the functions find the layer
