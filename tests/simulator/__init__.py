"""A process that plays the log providers, knows every record they hold, and can fail as they do."""

from tests.simulator.dsa_line import HOSTS
from tests.simulator.elsa import PROJECT_ID, PROJECT_KEY
from tests.simulator.fault import Fault
from tests.simulator.gateway import ACCESS_KEY as NCLOUD_ACCESS_KEY
from tests.simulator.gateway import SECRET_KEY as NCLOUD_SECRET_KEY
from tests.simulator.message import Asked
from tests.simulator.record import Record
from tests.simulator.security365 import API_KEY as SECURITY365_API_KEY
from tests.simulator.security365 import LICENSE as SECURITY365_LICENSE
from tests.simulator.security365 import REFERER as SECURITY365_REFERER
from tests.simulator.security365 import TOKEN as SECURITY365_TOKEN
from tests.simulator.simulator import Simulator
from tests.simulator.tencent import SECRET_ID as TENCENT_SECRET_ID
from tests.simulator.tencent import SECRET_KEY as TENCENT_SECRET_KEY

__all__ = [
    "HOSTS",
    "NCLOUD_ACCESS_KEY",
    "NCLOUD_SECRET_KEY",
    "PROJECT_ID",
    "PROJECT_KEY",
    "SECURITY365_API_KEY",
    "SECURITY365_LICENSE",
    "SECURITY365_REFERER",
    "SECURITY365_TOKEN",
    "TENCENT_SECRET_ID",
    "TENCENT_SECRET_KEY",
    "Asked",
    "Fault",
    "Record",
    "Simulator",
]
