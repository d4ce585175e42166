#!/usr/bin/env python3
"""Private Docker engines and registries for tests and demo.

    scripts/engine.py up [NAME...]        start engines (default: bookworm trixie sid) and keep them running
    scripts/engine.py down [NAME...]      stop engines (default: all, and the registries)
    scripts/engine.py status              show which engines run, and their addresses
    scripts/engine.py registry up|down    start or stop the three registries on the loopback address

Requires root and Debian, nothing else. The roots of other Debian releases are created once and kept in a cache folder:
~/.cache/dockerkit-engines, or DOCKERKIT_ENGINES. Engines listen on a Unix socket and, without TLS, at a private address
that only this machine can reach: do not leave them running on a machine that others use.
"""

from __future__ import annotations

import argparse
import sys

from engines import private, registry
from engines.host import EngineUnavailable, say
from engines.images import version
from engines.registry import REGISTRIES
from engines.settings import DEFAULT, SPECS


def up(names: list[str]) -> int:
    failed = 0
    for name in names or DEFAULT:
        try:
            started = private.up(SPECS[name])
        except EngineUnavailable as error:
            say(f"{name}: {error}")
            failed += 1
        else:
            say(f"{name}: {'started' if started else 'was running'} at {SPECS[name].host}")
    return min(failed, 1)


def down(names: list[str]) -> int:
    for name in names or SPECS:
        if private.down(SPECS[name]):
            say(f"{name}: stopped")
    return 0 if names else registries("down")


def registries(action: str) -> int:
    for one in REGISTRIES.values():
        if (registry.up if action == "up" else registry.down)(one):
            say(f"registry {one.kind}: {'started' if action == 'up' else 'stopped'} at {one.host}")
    return 0


def status() -> int:
    for spec in SPECS.values():
        facts = version(spec.socket) if private.is_up(spec) else None
        if facts:
            print(f"{spec.name:16} up    {spec.host}  {spec.tcp}  {facts['Version']} (API {facts['ApiVersion']})")
        else:
            print(f"{spec.name:16} down")
    for one in REGISTRIES.values():
        print(f"registry-{one.kind:7} {'up    ' + one.host if registry.is_up(one) else 'down'}")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for command in ("up", "down"):
        names = commands.add_parser(command).add_argument("names", nargs="*", metavar="NAME")
        names.help = f"one of {', '.join(SPECS)}"
    commands.add_parser("status")
    commands.add_parser("registry").add_argument("action", choices=["up", "down"])
    given = parser.parse_args()
    unknown = sorted(set(getattr(given, "names", ())) - set(SPECS))
    if unknown:
        parser.error(f"unknown engine {', '.join(unknown)}: must be one of {', '.join(SPECS)}")
    try:
        if given.command == "status":
            return status()
        if given.command == "registry":
            return registries(given.action)
        return (up if given.command == "up" else down)(given.names)
    except EngineUnavailable as error:
        say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
