"""Stress a real engine with many threads and forked children: ``python -m benchmarks.soak [MINUTES]``.

Nothing may fail, and memory, threads and descriptors must not grow. It uses the engine that the docker command would use.
Everything that it creates has the label ``dockerkit.soak``, and is removed.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import os
import random
import resource
import sys
import threading
import time
from collections import Counter
from typing import Any, NamedTuple

import dockerkit

LABEL = {"dockerkit.soak": "1"}
THREADS = 32


class Soak:
    """Threads that do random work until the time is over."""

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
            # Seen on an engine under load: its own log of the container was empty, too. Everything in the log must be returned.
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


class State(NamedTuple):
    """Resources that the process uses."""

    malloc: int
    """KiB allocated by C code: most of the large blocks."""
    blocks: int
    """Memory blocks of Python objects."""
    resident: int
    """KiB of resident memory, including unused gaps of the allocators."""
    threads: int
    descriptors: int

    def __str__(self) -> str:
        return (
            f"{self.malloc} KiB of malloc and {self.blocks} blocks of Python in use, {self.resident} KiB resident, "
            f"{self.threads} threads, {self.descriptors} descriptors"
        )


class _MallInfo(ctypes.Structure):
    """glibc's ``struct mallinfo2``."""

    names = ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")
    _fields_ = [(name, ctypes.c_size_t) for name in names]


def state() -> State:
    """Return the current resources: the minimum of a few samples."""
    return min(_state() for _ in range(10))


def _state() -> State:
    time.sleep(0.1)
    gc.collect()
    with open("/proc/self/statm") as file:
        resident = int(file.read().split()[1]) * resource.getpagesize() // 1024
    mallinfo2 = ctypes.CDLL(None).mallinfo2
    mallinfo2.restype = _MallInfo
    malloc = mallinfo2()
    descriptors = len(os.listdir("/proc/self/fd"))
    used = (malloc.uordblks + malloc.hblkhd) // 1024
    return State(used, sys.getallocatedblocks(), resident, threading.active_count(), descriptors)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", type=float, nargs="?", default=30)
    parser.add_argument("--pause", type=float, default=0.05, help="seconds that a thread pauses between two jobs")
    options = parser.parse_args()
    client = dockerkit.from_env(timeout=120)
    soak = Soak(client, options.pause)
    threads = [threading.Thread(target=soak.work, args=(seed,)) for seed in range(THREADS)]
    try:
        for thread in threads:
            thread.start()
        time.sleep(min(60, options.minutes * 15))
        warm = state()
        print(f"warm: {warm}", flush=True)
        ends = time.monotonic() + options.minutes * 60
        while time.monotonic() < ends:
            time.sleep(min(60, max(ends - time.monotonic(), 0)))
            print(f"{sum(soak.done.values())} done, {len(soak.failures)} failed: {state()}", flush=True)
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
    print(f"warm:  {warm}\nafter: {cold}; left: {left}")
    grown = cold.malloc > warm.malloc or cold.blocks > warm.blocks or cold.resident > warm.resident
    return 1 if soak.failures or grown or cold.threads > 1 or left else 0


if __name__ == "__main__":
    sys.exit(main())
