"""Mixed work by many threads and forked children on a real engine, for a while: ``python -m benchmarks.soak [MINUTES]``.

Nothing may fail, and memory, threads and descriptors may not grow. The engine is the one that the docker command would
use; all that is made carries the label ``dockerkit.soak`` and is removed.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import resource
import sys
import threading
import time
from collections import Counter
from typing import Any

import dockerkit

LABEL = {"dockerkit.soak": "1"}
THREADS = 32


class Soak:
    """Threads that pick work at random until the time is over."""

    def __init__(self, client: dockerkit.DockerClient, pause: float) -> None:
        self.client = client
        self.pause = pause
        self.over = threading.Event()
        self.done: Counter[str] = Counter()
        self.failures: list[str] = []
        self.sleeper = client.containers.run("busybox", ["sleep", "1000000"], detach=True, labels=LABEL)

    def work(self, seed: int) -> None:
        dice = random.Random(seed)
        kinds = [name.removeprefix("do_") for name in dir(self) if name.startswith("do_")]
        while not self.over.wait(self.pause):
            kind = dice.choice(kinds)
            try:
                getattr(self, f"do_{kind}")()
            except Exception as error:
                self.failures.append(f"{kind}: {type(error).__name__}: {error}")
            self.done[kind] += 1

    def do_list(self) -> None:
        for container in self.client.containers.list(all=True):
            _ = container.name, container.status

    def do_inspect(self) -> None:
        self.sleeper.reload()

    def do_exec(self) -> None:
        code, output = self.sleeper.exec_run(["echo", "hello"])
        expect((code, output), (0, b"hello\n"))

    def do_exec_input(self) -> None:
        done = self.sleeper.exec(["cat"], input=b"x" * 100_000)
        expect(len(done.stdout), 100_000)

    def do_run(self) -> None:
        name = f"dockerkit-soak-{os.urandom(6).hex()}"
        output = self.client.containers.run("busybox", ["echo", "out"], name=name, labels=LABEL)
        container = self.client.containers.get(name)
        if output != b"out\n":
            # Seen on an engine under load: its own log of the container was empty, too. All that it has, we must have.
            expect(output, container.logs())
            self.done["output dropped by the engine"] += 1
        container.remove()

    def do_archive(self) -> None:
        stream, _ = self.client.api.get_archive(self.sleeper.id, "/bin/busybox")
        expect(sum(map(len, stream)) > 1_000_000, True)

    def do_events(self) -> None:
        with self.client.events(since=time.time() - 2, until=time.time(), decode=True) as events:
            list(events)

    def do_cancel(self) -> None:
        with self.client.events(decode=True) as events:
            threading.Timer(0.05, events.close).start()
            list(events)

    def do_error(self) -> None:
        try:
            self.client.containers.get("nobody")
        except dockerkit.errors.NotFound:
            return
        raise AssertionError("no error")

    def do_fork(self) -> None:
        child = os.fork()
        if child == 0:
            good = False
            try:
                good = self.client.ping() and self.client.api.inspect_container(self.sleeper.id)["State"]["Running"]
            finally:
                os._exit(0 if good else 1)
        expect(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)


def expect(got: Any, wanted: Any) -> None:
    if got != wanted:
        raise AssertionError(f"{got!r:.80} instead of {wanted!r:.80}")


def state() -> tuple[int, int, int]:
    """Resident KiB, threads, open descriptors."""
    gc.collect()
    with open("/proc/self/statm") as file:
        resident = int(file.read().split()[1]) * resource.getpagesize() // 1024
    return resident, threading.active_count(), len(os.listdir("/proc/self/fd"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", type=float, nargs="?", default=30)
    parser.add_argument("--pause", type=float, default=0.05, help="seconds that a thread rests between two works")
    options = parser.parse_args()
    client = dockerkit.from_env(timeout=120)
    soak = Soak(client, options.pause)
    threads = [threading.Thread(target=soak.work, args=(seed,)) for seed in range(THREADS)]
    try:
        for thread in threads:
            thread.start()
        time.sleep(min(60, options.minutes * 15))
        warm = state()
        print(f"warm: {warm[0]} KiB, {warm[1]} threads, {warm[2]} descriptors", flush=True)
        ends = time.monotonic() + options.minutes * 60
        while time.monotonic() < ends:
            time.sleep(min(60, max(ends - time.monotonic(), 0)))
            now = state()
            print(f"{sum(soak.done.values())} done, {len(soak.failures)} failed; {now[0]} KiB, {now[1]} threads, "
                  f"{now[2]} descriptors", flush=True)  # fmt: skip
    finally:
        soak.over.set()
        for thread in threads:
            thread.join(120)
        soak.sleeper.remove(force=True)
    left = client.containers.list(all=True, filters={"label": "dockerkit.soak"})
    client.close()
    cold = state()
    print(dict(soak.done))
    print("\n".join(sorted(set(soak.failures))[:20]))
    print(f"after: {cold[0]} KiB (warm {warm[0]}), {cold[1]} threads, {cold[2]} descriptors; left: {left}")
    grown = cold[0] > warm[0] * 1.15 or cold[1] > 1 or left
    return 1 if soak.failures or grown else 0


if __name__ == "__main__":
    sys.exit(main())
