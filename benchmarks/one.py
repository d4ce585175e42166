"""Run one contender of one scenario in this process, and print CPU seconds and peak MiB as JSON: ``one.py NAME CONTENDER SOCKET``."""

from __future__ import annotations

import json
import resource
import sys
import time

from benchmarks import (
    contenders,  # noqa: F401 -- adds to the scenarios
    scenarios,
)


def cpu() -> float:
    """CPU time of this process and of those that it started and waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def main() -> None:
    name, contender, socket = sys.argv[1:]
    begun = 0.0

    def start() -> None:
        nonlocal begun
        begun = cpu()

    work = scenarios.SCENARIOS[name].work[contender]
    assert not isinstance(work, str)
    scenarios.ensure_contender(contender)
    work(socket, start)
    print(json.dumps([cpu() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))


if __name__ == "__main__":
    main()
