"""A context of 5,000 files, 84 MiB: BuildKit against the classic builder, on one engine.

``python -m benchmarks.buildkit [HOST] [--rounds N]`` — measures each case in a process of its own, the builders taking
turns, and prints the best of each, the shares that dockerkit promises (no-op: a tenth; one file changed: a third), and the
client's memory.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FILES, BYTES = 5_000, 84 * 1024 * 1024
DOCKERFILE = "FROM busybox\nCOPY . /app\nRUN ls /app\n"
BUILDERS = ("classic", "buildkit")
LIMITS = {"noop": 0.1, "changed": 1 / 3}
MEMORY_MIB = 60


def make(folder: Path) -> None:
    """The context: 5,000 files in 1,050 folders."""
    rng = random.Random()  # other content in each run: engines remember what they have built
    folder.mkdir()
    (folder / "Dockerfile").write_text(DOCKERFILE)
    for number in range(FILES):
        place = folder / f"d{number % 50}" / f"e{number % 1000}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"f{number}").write_bytes(rng.randbytes(BYTES // FILES))


def one(host: str, builder: str, folder: str) -> None:
    """One build, measured; prints a line of JSON."""
    from dockerkit import DockerClient
    from dockerkit.build.buildkit import build, running
    from dockerkit.models import images

    assert running, images  # loaded now: what is measured is a build, not an import
    with DockerClient(host) as client:
        client.ping()
        began = time.perf_counter()
        if builder == "buildkit":
            build(client.api, path=folder)
        else:
            client.images.build(path=folder, builder="classic", rm=True)
        seconds = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "memory": memory}))


def measured(host: str, builder: str, folder: Path) -> tuple[float, float]:
    command = [sys.executable, "-m", "benchmarks.buildkit", host, "--one", builder, "--folder", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    return found["seconds"], found["memory"]


def main() -> int:
    """Measure all cases; 1 if a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host", nargs="?", default=os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", choices=BUILDERS)
    parser.add_argument("--folder")
    given = parser.parse_args()
    if given.one:
        one(given.host, given.one, given.folder)
        return 0
    seconds: dict[tuple[str, str], list[float]] = {}
    memory = 0.0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "context"
        make(folder)
        for builder in BUILDERS:
            seconds["cold", builder] = [measured(given.host, builder, folder)[0]]
        for number in range(given.rounds):
            for case in ("noop", "changed"):
                for builder in BUILDERS:
                    if case == "changed":
                        (folder / "d7" / "e7" / "f7").write_text(f"{builder} {number} {time.time_ns()}")
                        time.sleep(1.1)  # the classic builder's archive knows whole seconds only
                    took, used = measured(given.host, builder, folder)
                    seconds.setdefault((case, builder), []).append(took)
                    memory = max(memory, used if builder == "buildkit" else 0.0)
                if case == "changed":  # so that the next no-op is one for both
                    measured(given.host, "classic", folder)
    kept = True
    print(f"{'':10}{'classic':>10}{'buildkit':>10}{'share':>8}")
    for case in ("cold", "noop", "changed"):
        classic, buildkit = (min(seconds[case, builder]) for builder in BUILDERS)  # load only ever adds time
        share = buildkit / classic
        limit = LIMITS.get(case)
        kept = kept and (limit is None or share <= limit)
        promise = f"  (at most {limit:.2f})" if limit else ""
        print(f"{case:10}{classic:9.2f}s{buildkit:9.2f}s{share:8.3f}{promise}")
    print(f"memory of the client: {memory:.0f} MiB (at most {MEMORY_MIB})")
    return 0 if kept and memory <= MEMORY_MIB else 1


if __name__ == "__main__":
    sys.exit(main())
