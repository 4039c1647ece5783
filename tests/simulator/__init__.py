"""A process that plays the log providers, knows every record they hold, and can fail as they do."""

from tests.simulator.access import HIDDEN as HIDDEN
from tests.simulator.access import KEYS as KEYS
from tests.simulator.access import secrets as secrets
from tests.simulator.access import source as source
from tests.simulator.dsa_line import HOSTS as HOSTS
from tests.simulator.message import Asked as Asked
from tests.simulator.record import Record as Record
from tests.simulator.simulator import Simulator as Simulator
