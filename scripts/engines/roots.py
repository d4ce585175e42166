"""Debian roots to run other releases' engines in. Made once, kept in the cache."""

from __future__ import annotations

import os
import pathlib
import re
import shutil

from engines.host import lock, require_commands, require_root, run, say
from engines.settings import ROOTS

PACKAGES = ("docker.io", "iptables", "ca-certificates", "busybox-static", "procps", "iproute2", "git")
EXTRA = {"bookworm": ("docker-registry",)}


def ensure_root(suite: str) -> pathlib.Path:
    """The root of a Debian release, made when it is not there (about a minute)."""
    root = ROOTS / suite
    require_root()
    with lock(ROOTS / ".packages.lock"):  # apt takes one at a time
        require_commands()
    with lock(ROOTS / f".{suite}.lock"):
        if not root.is_dir():
            say(f"{suite}: making a Debian root in {root}")
            unfinished = ROOTS / f"{suite}.new"
            shutil.rmtree(unfinished, ignore_errors=True)
            packages = ",".join((*PACKAGES, *EXTRA.get(suite, ())))
            run("debootstrap", "--variant=minbase", f"--include={packages}", suite, unfinished, mirror())
            shutil.rmtree(unfinished / "var/cache/apt/archives", ignore_errors=True)
            unfinished.rename(root)
    return root


def add_packages(suite: str, command: str, *packages: str) -> None:
    """Install more packages into a root, unless it has `command`."""
    root = ensure_root(suite)
    with lock(ROOTS / f".{suite}.lock"):
        if not shutil.which(command, path=f"{root}/usr/bin:{root}/usr/sbin"):
            say(f"{suite}: adding {' '.join(packages)}")
            (root / "var/cache/apt/archives/partial").mkdir(parents=True, exist_ok=True)
            # A mirror may lag behind; debootstrap does not look at its age either.
            run("chroot", root, "apt-get", "update", "-q", "-o", "Acquire::Check-Valid-Until=false")
            run("chroot", root, "apt-get", "install", "-y", "-q", "--no-install-recommends", *packages)


def mirror() -> str:
    """The mirror that this machine's apt uses already; else Debian's own."""
    if chosen := os.environ.get("DOCKERKIT_DEBIAN_MIRROR"):
        return chosen
    etc = pathlib.Path("/etc/apt")
    for path in sorted(
        [etc / "sources.list", *etc.glob("sources.list.d/*.sources"), *etc.glob("sources.list.d/*.list")]
    ):
        text = path.read_text() if path.is_file() else ""
        for url in re.findall(r"^(?:URIs:|deb(?: \[[^]]*\])?)\s+(\S+)", text, re.MULTILINE):
            if re.fullmatch(r"https?://\S+/debian/?", url):
                return str(url)
    return "http://deb.debian.org/debian"
