"""A real OpenSSH server on the loopback address, with its own keys and settings."""

from __future__ import annotations

import atexit
import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest


class SSHServer:
    """Start with :meth:`start`; ``bin`` goes to the front of PATH, so that ``ssh`` reads the test's own config."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self.bin = folder / "bin"
        # Control sockets of this test only: other processes may use ssh at the same time.
        self._sockets = tempfile.mkdtemp(prefix=f"dk{os.getpid()}-", dir="/tmp")
        atexit.register(shutil.rmtree, self._sockets, ignore_errors=True)
        self._tempdir, tempfile.tempdir = tempfile.tempdir, self._sockets
        self._before: set[str] = set()
        self._before = {line.split()[0] for line in self.ours()}
        self._process: subprocess.Popen[bytes] | None = None
        if shutil.which("sshd") is None and not os.path.exists("/usr/sbin/sshd"):
            pytest.fail("these tests need an OpenSSH server: install it (Debian: openssh-server)")
        self._sshd = shutil.which("sshd") or "/usr/sbin/sshd"
        for name in ("host", "user", "stranger"):
            key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(key, check=True, capture_output=True)
        self.bin.mkdir()

    @property
    def user(self) -> str:
        return getpass.getuser()

    def start(self, *settings: str) -> None:
        """Start the server, with additional configuration lines."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (self.folder / "authorized").write_text((self.folder / "user.pub").read_text())
        docker = os.path.dirname(shutil.which("docker") or "/usr/bin/docker")
        variables = [f"PATH={docker}:/usr/local/bin:/usr/bin:/bin"]
        variables += [line.removeprefix("SetEnv ") for line in settings if line.startswith("SetEnv ")]
        lines = [
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            f"HostKey {self.folder}/host",
            f"AuthorizedKeysFile {self.folder}/authorized",
            "StrictModes no",
            "UsePAM no",
            "PidFile none",
            "MaxStartups 100",
            *(line for line in settings if not line.startswith("SetEnv ")),
            " ".join(["SetEnv", *variables]),  # one line: sshd takes no second
        ]
        (self.folder / "sshd_config").write_text("\n".join(lines) + "\n")
        os.makedirs("/run/sshd", exist_ok=True)
        with open(self.folder / "sshd.log", "wb") as log:
            command = [self._sshd, "-D", "-e", "-f", str(self.folder / "sshd_config")]
            self._process = subprocess.Popen(command, stderr=log)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except OSError:
                assert time.monotonic() < deadline, (self.folder / "sshd.log").read_text()
                time.sleep(0.02)
        self.trust()
        self.client()

    def trust(self, key: str = "host") -> None:
        """Write known_hosts."""
        public = (self.folder / f"{key}.pub").read_text() if key else ""
        (self.folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {public}\n" if key else "")

    def client(self, key: str = "user", *settings: str) -> None:
        """Write the client's configuration, and an ``ssh`` that reads it."""
        lines = [
            *settings,
            "Host *",
            f"IdentityFile {self.folder}/{key}",
            "IdentitiesOnly yes",
            "IdentityAgent none",
            f"UserKnownHostsFile {self.folder}/known_hosts",
            "GlobalKnownHostsFile none",
        ]
        (self.folder / "ssh_config").write_text("\n".join(lines) + "\n")
        ssh = self.bin / "ssh"
        real = shutil.which("ssh", path=os.environ["PATH"].replace(f"{self.bin}:", ""))
        ssh.write_text(f'#!/bin/sh\necho "$*" >> {self.folder}/ssh.log\nexec {real} -F {self.folder}/ssh_config "$@"\n')
        ssh.chmod(0o755)

    def logins(self) -> int:
        return (self.folder / "sshd.log").read_text().count("Accepted publickey")

    def ours(self) -> list[str]:
        """Return the running ssh processes of the client; the shared login is named after its control socket."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                stat = (entry / "stat").read_text()
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            state, parent = stat.rpartition(")")[2].split()[:2]
            if entry.name in self._before:
                continue
            if f"{self._sockets}/" in line or (state == "Z" and int(parent) == os.getpid()):
                found.append(f"{entry.name} {state} {line.strip() or stat}")
        return found

    def stop(self) -> None:
        tempfile.tempdir = self._tempdir
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None
