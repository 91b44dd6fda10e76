"""Databases for tests: a SQLite file, and a MariaDB server of our own on loopback."""

import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

USER, PASSWORD, DATABASE = "survey", "s3cret&:/@'\"", "atlas4"
START_SECONDS = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Server:
    """A MariaDB server with its own data folder; only this process is ever stopped."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen | None = None

    @property
    def socket(self):
        return self.folder / "s.sock"

    def start(self):
        daemon = shutil.which("mariadbd") or shutil.which("mysqld")
        command = [
            *(daemon, "--no-defaults", f"--datadir={self.folder / 'data'}"),
            *(f"--socket={self.socket}", f"--port={self.port}", "--bind-address=127.0.0.1"),
            *("--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M", "--skip-log-bin"),
            *("--innodb-flush-log-at-trx-commit=2", f"--pid-file={self.folder / 'pid'}"),
            *(["--user=root"] if os.geteuid() == 0 else []),
        ]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return self
        self.stop()
        raise RuntimeError((self.folder / "log").read_text(errors="replace")[-2000:])

    def stop(self, *, kill=False):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            self.process.wait(timeout=30)
        self.process = None

    def sql(self, text):
        """Run statements as the server's root, over its socket."""
        import pymysql

        connection = pymysql.connect(unix_socket=str(self.socket), user="root", autocommit=True)
        with connection, connection.cursor() as cursor:
            for statement in text:
                cursor.execute(statement)


def require_mariadb():
    pytest.importorskip("pymysql", reason="pip install 'benchmarker[database]'")
    if not (shutil.which("mariadbd") or shutil.which("mysqld")):
        pytest.skip("no MariaDB server here (Debian: apt install mariadb-server)")
    install = shutil.which("mariadb-install-db") or shutil.which("mysql_install_db")
    if install is None:
        pytest.skip("no mariadb-install-db here (Debian: apt install mariadb-server)")
    return install


def new_server(folder):
    """A server with a user who has a password, and no database yet."""
    install = require_mariadb()
    data = folder / "data"
    data.mkdir()
    root = ["--user=root"] if os.geteuid() == 0 else []
    subprocess.run(
        [
            *(install, "--no-defaults", f"--datadir={data}", "--skip-test-db", *root),
            "--auth-root-authentication-method=normal",
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    server = Server(folder).start()
    quoted = PASSWORD.replace("'", "''")
    server.sql(
        [
            f"CREATE USER '{USER}'@'%' IDENTIFIED BY '{quoted}'",
            f"GRANT ALL PRIVILEGES ON `atlas%`.* TO '{USER}'@'%'",
        ]
    )
    return server
