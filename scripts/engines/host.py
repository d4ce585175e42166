"""This machine: its packages, commands, processes and locks."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence

# command -> the Debian packages that bring it
NEEDED = {
    "debootstrap": ("debootstrap",),
    "ip": ("iproute2",),
    "nsenter": ("util-linux",),
    "pivot_root": ("util-linux",),
}
SEARCH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])


class EngineUnavailable(Exception):
    """The engine can't be started here. The message says why, and what to do."""


def say(text: str) -> None:
    """Print a message to standard error; standard output is for results."""
    print(text, file=sys.stderr, flush=True)


def run(*command: str | os.PathLike[str], check: bool = True, quiet: bool = False) -> subprocess.CompletedProcess[str]:
    """Run a command, and show its output if it fails."""
    environment = {**os.environ, "PATH": SEARCH, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode and check:
        if not quiet:
            say("\n".join(done.stdout.splitlines()[-25:]))
        raise EngineUnavailable(f"`{' '.join(map(str, command))}` ended with status {done.returncode}")
    return done


def require_root() -> None:
    """Namespaces and mounts require root."""
    if os.geteuid() != 0:
        raise EngineUnavailable("private engines need root: run this again with sudo")


def require_commands() -> None:
    """Install what a bare Debian lacks."""
    have(NEEDED)


def install(packages: Sequence[str]) -> None:
    """Install Debian packages, without their recommendations and without starting their services."""
    if not packages:
        return
    if not shutil.which("apt-get", path=SEARCH):
        raise EngineUnavailable(
            f"packages are missing and this system is not Debian: install them by hand: {' '.join(packages)}"
        )
    say(f"installing {' '.join(packages)}")
    with _services_not_started():
        run("apt-get", "update", "-q")
        run("apt-get", "install", "-y", "-q", "--no-install-recommends", *packages)


def have(commands: Mapping[str, Sequence[str]]) -> None:
    """Install the packages of those commands that are not there."""
    missing = [packages for command, packages in commands.items() if not shutil.which(command, path=SEARCH)]
    install(sorted({package for packages in missing for package in packages}))


@contextlib.contextmanager
def _services_not_started() -> Iterator[None]:
    """Keep Debian from starting the services that it installs: it asks this file first."""
    policy = pathlib.Path("/usr/sbin/policy-rc.d")
    if policy.exists():
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink()


@contextlib.contextmanager
def lock(path: pathlib.Path) -> Iterator[None]:
    """Let only one process in at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


class Outliving(subprocess.Popen[bytes]):
    """A process that outlives its object; Python would warn about that."""

    def __del__(self, *_: object) -> None:
        """Do nothing."""


def spawn(command: Sequence[object], pidfile: pathlib.Path, log: pathlib.Path) -> Outliving:
    """Start a process that outlives us, and note its identity in `pidfile`."""
    with log.open("ab") as output:
        process = Outliving(
            [str(word) for word in command],
            env={"PATH": SEARCH, "HOME": "/root", "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    pidfile.write_text(f"{process.pid} {_started(process.pid)}\n")
    return process


def alive(pidfile: pathlib.Path) -> int | None:
    """The process noted in `pidfile`, unless it ended; a pid that another process got since is not ours."""
    try:
        pid, started = pidfile.read_text().split()
    except (FileNotFoundError, ValueError):
        return None
    return int(pid) if _started(int(pid)) == started else None


def kill(pidfile: pathlib.Path) -> None:
    """Stop the process named in `pidfile`, and wait for its end."""
    pid = alive(pidfile)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: alive(pidfile) is None, 20, f"process {pid} does not end")
    pidfile.unlink(missing_ok=True)


def descendants(pid: int) -> list[int]:
    """All processes below one, children before grandchildren."""
    found = [pid]
    for parent in found:
        for task in pathlib.Path(f"/proc/{parent}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found.extend(int(child) for child in task.read_text().split())
    return found[1:]


def name_of(pid: int) -> str:
    """Return a process's short name; "" if it has ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def wait_until(condition: object, seconds: float, complaint: str) -> None:
    """Wait until a condition is true."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise EngineUnavailable(complaint)
        time.sleep(0.05)


def _started(pid: int) -> str | None:
    """When the process started, in clock ticks since boot; None for a dead one or a zombie."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]
