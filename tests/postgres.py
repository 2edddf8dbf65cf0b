"""A throw-away PostgreSQL cluster: own folder, a socket in it and no port; gone at the end.

`python -m tests.postgres COMMAND...` runs a command with CASEWAY_TEST_POSTGRES naming one.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from tests import scratch

VARIABLE = "CASEWAY_TEST_POSTGRES"


def binaries() -> Path | None:
    """Return the folder with `initdb` and `pg_ctl` of the newest server here, None without one."""
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    newest_first = sorted(debian, key=lambda found: int(found.parent.name.split(".")[0]))[::-1]
    on_path = shutil.which("initdb")
    for folder in [*newest_first, *([Path(on_path).resolve().parent] if on_path else [])]:
        if all((folder / name).exists() for name in ("initdb", "pg_ctl", "postgres")):
            return folder
    return None


class Cluster:
    """One PostgreSQL server in one temporary folder; `stop("immediate")` is a crash."""

    def __init__(self, *, durable: bool = False) -> None:
        found = binaries()
        if found is None:
            raise RuntimeError("no PostgreSQL server here; `SYSTEM=1 make test` installs one")
        self._binaries = found
        # fsync is for the tests that crash the server; the others need the speed
        self._durable = durable
        self._account = server_account()
        # what must survive the server lies on the disk, as it does in earnest
        place = "/tmp" if durable else scratch.folder()
        #: holds the data, the log and the socket
        self.folder = Path(tempfile.mkdtemp(prefix="caseway-pg-", dir=place))
        if self._account is not None:
            entry = pwd.getpwnam(self._account)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        self._run("initdb", "-D", "data", "-U", "caseway", "-A", "trust", "-E", "UTF8", "-N",
                  "--locale=C.UTF-8")  # fmt: skip

    def url(self, database: str = "postgres") -> str:
        """Return the SQLAlchemy URL of one database of this cluster."""
        return f"postgresql+psycopg://caseway@/{database}?host={self.folder}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = {"listen_addresses": "''", "unix_socket_directories": str(self.folder),
                    "max_connections": "200", "timezone": "UTC"}  # fmt: skip
        if not self._durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
                         # hundreds of databases live for a moment: nobody needs their statistics
                         "autovacuum": "off", "checkpoint_timeout": "1h", "max_wal_size": "1GB",
                         "wal_level": "minimal", "max_wal_senders": "0"}  # fmt: skip
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self._run("pg_ctl", "start", "-w", "-D", "data", "-l", "server.log", "-o", options)

    def stop(self, mode: str = "fast") -> None:
        """Stop the server: `fast` as an operator does, `immediate` as a power cut does."""
        self._run("pg_ctl", "stop", "-w", "-D", "data", "-m", mode)

    def remove(self) -> None:
        """Stop the server if it runs and delete everything."""
        if (self.folder / "data" / "postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._binaries / program), *arguments],
            cwd=self.folder,
            user=self._account,
            group=pwd.getpwnam(self._account).pw_gid if self._account else None,
            extra_groups=[] if self._account else None,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "HOME": str(self.folder)},
            stdin=subprocess.DEVNULL,
            # a file, not a pipe: the server keeps what it inherits open for as long as it lives
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode:
            log = self.folder / "server.log"
            told = log.read_text() if log.exists() else "no log was written"
            raise RuntimeError(f"{program} ended with {done.returncode}: {told}")


def server_account() -> str | None:
    """Return whom the server runs as: PostgreSQL refuses root, anybody else runs it themselves."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


@contextmanager
def cluster(*, durable: bool = False) -> Iterator[Cluster]:
    """Start a cluster, yield it, and leave nothing of it behind, on SIGTERM neither."""
    made = Cluster(durable=durable)
    before = signal.signal(signal.SIGTERM, leave)
    try:
        made.start()
        yield made
    finally:
        signal.signal(signal.SIGTERM, before)
        made.remove()


def leave(signum: int, frame: FrameType | None) -> None:
    """End by an exception, so that whatever was started is stopped."""
    raise SystemExit(128 + signum)


def main(command: Sequence[str]) -> int:
    """Run a command beside a cluster; return its exit status."""
    with cluster() as started:
        environment = os.environ | {VARIABLE: started.url()}
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
