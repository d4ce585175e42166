"""Measure how the cost grows with the size: ``python -m benchmarks.scaling [--write]``.

The cost per unit and the memory should stay the same for any number of units.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import canned, run, scenarios


def listed(count: int) -> tuple[dict[tuple[str, str], canned.Send], str]:
    summaries = json.loads(scenarios.SUMMARIES) * max(count // 1000, 1)
    body = json.dumps(summaries[:count]).encode()
    return {("GET", "/containers/json"): canned.whole(body)}, (
        f"for _ in range({max(10000 // count, 1)}):\n"
        "    for c in client.containers.list(all=True): c.id, c.name, c.status, c.labels"
    )


def streamed(mebibytes: int) -> tuple[dict[tuple[str, str], canned.Send], str]:
    block = os.urandom(32 * 1024)
    return {("GET", "/containers/[^/]+/export"): canned.chunked(block, mebibytes * 32, b"application/x-tar")}, (
        f"size = sum(map(len, client.api.export('abc')))\nassert size == {mebibytes} * 1024 * 1024"
    )


def threads(count: int) -> tuple[dict[tuple[str, str], canned.Send], str]:
    return {("GET", "/containers/[^/]+/json"): canned.whole(scenarios.INSPECT)}, (
        "import threading\n"
        f"def work():\n    for _ in range({5120 // count}): client.api.inspect_container('abc')\n"
        f"threads = [threading.Thread(target=work) for _ in range({count})]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]"
    )


def line(mebibytes: int) -> tuple[dict[tuple[str, str], canned.Send], str]:
    """Return one line without an end, as an engine sends it: messages of 16 KiB, each with a time."""
    text = b"2026-11-25T17:57:29.968237123Z " + b"x" * 16384
    frame = b"\1\0\0\0" + len(text).to_bytes(4, "big") + text
    return {
        ("GET", "/containers/[^/]+/json"): canned.whole(scenarios.INSPECT),
        ("GET", "/containers/[^/]+/logs"): canned.chunked(frame, mebibytes * 64, canned.FRAMES),
    }, (
        "size = sum(len(entry.text) for entry in client.containers.get('abc').log_entries())\n"
        f"assert size == {mebibytes} * 1024 * 1024, size"
    )


def events(count: int) -> tuple[dict[tuple[str, str], canned.Send], str]:
    """Return as many records as an hour has, at one to a thousand in a second."""
    return {("GET", "/events"): canned.chunked(scenarios.EVENT * 10, count // 10)}, (
        f"assert sum(1 for _ in client.events(decode=True)) == {count}"
    )


ROWS: list[
    tuple[str, Callable[[int], tuple[dict[tuple[str, str], canned.Send], str]], list[int], Callable[[int], int]]
] = [
    ("containers listed", listed, [10, 100, 1000, 10000], lambda n: max(10000 // n, 1) * n),
    ("MiB exported", streamed, [1, 16, 256, 4096], lambda n: n),
    ("threads, 5,120 inspects together", threads, [1, 4, 16, 64, 256], lambda n: 5120),
    ("MiB in one line of a log", line, [1, 16, 64], lambda n: n),
    ("events in an hour, decoded", events, [3600, 36_000, 360_000, 3_600_000], lambda n: n),
]

CHILD = """
import sys, json, time, resource
import dockerkit
client = dockerkit.DockerClient("unix://" + sys.argv[1], version="1.45")
client.api.ping(); client.containers
import dockerkit.types.views
begun = time.process_time()
{code}
cpu = time.process_time() - begun
print(json.dumps([cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    options = parser.parse_args()
    lines = ["| what | how many | CPU for each | peak memory |", "|---|---|---|---|"]
    for label, make, sizes, units in ROWS:
        for size in sizes:
            cpu, memory = _child(*make(size))
            lines.append(f"| {label} | {size:,} | {cpu / units(size) * 1e6:,.1f} µs | {memory:.0f} MiB |")
            print(lines[-1], flush=True)
    table = "\n".join(lines)
    if options.write:
        run.write("scaling", table)
    return 0


def _child(routes: dict[tuple[str, str], canned.Send], code: str) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        engine = canned.Engine(Path(folder) / "engine.sock", routes)
        try:
            command = [sys.executable, "-c", CHILD.format(code=code), str(engine.path)]
            environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
            done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=900)
        finally:
            engine.close()
    cpu, memory = json.loads(done.stdout)
    return cpu, memory


if __name__ == "__main__":
    sys.exit(main())
