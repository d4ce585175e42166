"""A context of 5,000 files, 84 MiB: BuildKit against the classic builder, on one engine.

``python -m benchmarks.buildkit [HOST] [--rounds N] [--outputs ...] [--docker COMMAND]`` — measures each case in a process of
its own, the builders taking turns, and prints the best of each, the shares that dockerkit promises (no-op: a tenth; one file
changed: a third), how much of the time the engine's own steps took (copying, running, exporting), and the client's memory.
With ``--docker`` that command builds, too, by BuildKit; the start of its process is in its time.
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
from typing import NamedTuple

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


class Taken(NamedTuple):
    """What one build took."""

    seconds: float
    engine: float = 0.0
    """Seconds of the steps that are the engine's alone; known of BuildKit."""
    memory: float = 0.0
    """MiB of the client at most."""


def one(host: str, builder: str, folder: str, outputs: str | None) -> None:
    """One build, measured; prints a line of JSON."""
    from dockerkit import DockerClient
    from dockerkit.builder.buildkit import build, running
    from dockerkit.models import images

    assert running, images  # loaded now: what is measured is a build, not an import
    with DockerClient(host) as client:
        client.ping()
        began, engine = time.perf_counter(), 0.0
        if builder == "buildkit":
            steps = build(client.api, path=folder, outputs=outputs).steps
            engine = sum(step.seconds(0.0) for step in steps if not step.name.startswith("[internal]"))
        else:
            client.images.build(path=folder, builder="classic", rm=True)
        seconds = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(Taken(seconds, engine, memory)))


def measured(given: argparse.Namespace, builder: str, folder: Path) -> Taken:
    os.sync()  # nobody pays for what the one before has left to be written
    if builder == "docker":
        began = time.perf_counter()
        environment = {**os.environ, "DOCKER_HOST": given.host, "DOCKER_BUILDKIT": "1"}
        subprocess.run([given.docker, "build", "-q", str(folder)], check=True, capture_output=True, env=environment)
        return Taken(time.perf_counter() - began)
    command = [sys.executable, "-m", "benchmarks.buildkit", given.host, "--one", builder, "--folder", str(folder)]
    command += ["--outputs", given.outputs] if given.outputs else []
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Taken(*json.loads(done.stdout))


def compared(given: argparse.Namespace, builders: list[str]) -> dict[tuple[str, str], list[Taken]]:
    """What each builder took in each case, in all rounds."""
    taken: dict[tuple[str, str], list[Taken]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "context"
        make(folder)
        for builder in builders:  # the last one finds steps that the engine has already done
            cold = measured(given, builder, folder)
            taken["cold", builder] = [cold] if builder in BUILDERS else []
        for number in range(given.rounds):
            for case in ("noop", "changed"):
                for builder in random.sample(builders, len(builders)):
                    if case == "changed":
                        (folder / "d7" / "e7" / "f7").write_text(f"{builder} {number} {time.time_ns()}")
                        time.sleep(1.1)  # the classic builder's archive knows whole seconds only
                    taken.setdefault((case, builder), []).append(measured(given, builder, folder))
            for builder in builders:  # so that the next no-op is one for all
                measured(given, builder, folder)
    return taken


def main() -> int:
    """Measure all cases. Return 1 if a limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host", nargs="?", default=os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--outputs", help="for BuildKit, such as type=image,compression=uncompressed")
    parser.add_argument("--docker", metavar="COMMAND", help="the docker command, to be compared as well")
    parser.add_argument("--one", choices=BUILDERS)
    parser.add_argument("--folder")
    given = parser.parse_args()
    if given.one:
        one(given.host, given.one, given.folder, given.outputs)
        return 0
    builders = [*BUILDERS, *(["docker"] if given.docker else [])]
    taken = compared(given, builders)
    kept = True
    print(f"{'':8}" + "".join(f"{who:>10}" for who in builders) + f"{'share':>9}{'engine alone':>14}")
    for case in ("cold", "noop", "changed"):
        best = {who: min(taken[case, who]) for who in builders if taken[case, who]}  # load only ever adds time
        share = best["buildkit"].seconds / best["classic"].seconds
        limit = LIMITS.get(case)
        kept = kept and (limit is None or share <= limit)
        promise = f"  (at most {limit:.2f})" if limit else ""
        columns = "".join(f"{best[who].seconds:9.2f}s" if who in best else f"{'':10}" for who in builders)
        print(f"{case:8}{columns}{share:9.3f}{best['buildkit'].engine:13.2f}s{promise}")
    memory = max(one.memory for (_, builder), all_of in taken.items() if builder == "buildkit" for one in all_of)
    print(f"memory of the client: {memory:.0f} MiB (at most {MEMORY_MIB})")
    return 0 if kept and memory <= MEMORY_MIB else 1


if __name__ == "__main__":
    sys.exit(main())
