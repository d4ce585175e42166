"""Run one contender of one scenario in this process, and print what it cost as JSON: ``one.py NAME CONTENDER SOCKET``."""

from __future__ import annotations

import json
import resource
import sys
import time

from benchmarks import scenarios


def main() -> None:
    name, contender, socket = sys.argv[1:]
    begun: list[float] = []

    def start() -> None:
        begun[:] = [time.perf_counter(), time.process_time()]

    work = scenarios.SCENARIOS[name].work[contender]
    assert not isinstance(work, str)
    scenarios.ensure_contender(contender)
    work(socket, start)
    wall, cpu = time.perf_counter() - begun[0], time.process_time() - begun[1]
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"wall": wall, "cpu": cpu, "rss": rss, "modules": len(sys.modules)}))


if __name__ == "__main__":
    main()
