"""Compare whole jobs with docker-py on a real engine: ``python -m benchmarks.real [-n ROUNDS] [--write] [HOST]``.

HOST is a Unix socket of an engine that has busybox; the default is $DOCKER_HOST. Only the client's CPU time is reported, since
elapsed time is mostly the engine's work.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks import run

CONTENDERS = {"dockerkit": "dockerkit", "docker-py": "docker"}

CHILD = """
import sys, time
import {module} as docker
client = docker.DockerClient(sys.argv[1])
container = client.containers.run("busybox", ["sleep", "600"], detach=True)
try:
    for work, times in ((lambda: container.exec_run(["true"]), {execs}),
                        (lambda: client.containers.run("busybox", "true", remove=True), {runs})):
        work()
        cpu = time.process_time()
        for _ in range(times):
            work()
        print((time.process_time() - cpu) / times)
finally:
    container.remove(force=True)
    client.close()
"""
ROWS = (("exec_run", 50), ("run, removed", 15))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host", nargs="?", default=os.environ.get("DOCKER_HOST"))
    parser.add_argument("-n", "--rounds", type=int, default=5, help="number of rounds")
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    options = parser.parse_args()
    if not options.host:
        parser.error("name an engine, as an argument or in DOCKER_HOST")
    found: dict[str, list[list[float]]] = {name: [] for name in CONTENDERS}
    for _ in range(options.rounds):
        for name, module in CONTENDERS.items():
            found[name].append(_child(module, options.host))
    lines = ["| work | docker-py | dockerkit | ratio |", "|---|---|---|---|"]
    for number, (label, _) in enumerate(ROWS):
        mine, theirs = (statistics.median(run[number] for run in found[name]) * 1000 for name in CONTENDERS)
        lines.append(f"| {label} | {theirs:.2f} ms | {mine:.2f} ms | {mine / theirs:.3f} |")
    table = "\n".join(lines)
    print(table)
    if options.write:
        run.write("real", table)
    return 0


def _child(module: str, host: str) -> list[float]:
    code = CHILD.format(module=module, execs=ROWS[0][1], runs=ROWS[1][1])
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    done = subprocess.run(
        [sys.executable, "-c", code, host], env=environment, check=True, capture_output=True, text=True, timeout=600
    )
    return [float(line) for line in done.stdout.splitlines()]


if __name__ == "__main__":
    sys.exit(main())
