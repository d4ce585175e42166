"""Large images pass through in pieces: whatever their size, the client stays small."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Engine

MIB = 2**20
LIMIT = 60 * MIB

# A process of its own, since the tests' own process has grown long since.
PROGRAM = """
import itertools, stat, sys
from dockerkit import DockerClient
from dockerkit.archive import Entry, pack

host, name, label, size = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])

def archive():
    head = next(pack([Entry("big", stat.S_IFREG | 0o644, "/dev/zero", size)]))
    yield head
    left, block = size - (len(head) - 512), bytes(2**20)
    while left > 0:
        yield block[:left]
        left -= len(block)
    yield bytes(-size % 512 + 1024)

def length(stream):
    with stream:
        return sum(map(len, stream))

with DockerClient(host, timeout=300) as client:
    image = client.images.import_image(archive(), name, "1", changes=f"LABEL {label}")
    container = client.api.create_container(name + ":1", ["/big"], name=name, labels=dict([label.split("=")]))["Id"]
    exported = length(client.api.export(container))
    client.api.remove_container(container)
    saved = length(image.save(named=True))
    with image.save(named=True) as source, DockerClient(host, timeout=300) as other:
        loaded = other.images.load(source)
    client.images.remove(name + ":1", force=True)
    # Not getrusage: its peak begins with that of the process which started this one.
    (peak,) = [int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")]
    import json
    print(json.dumps({"exported": exported, "saved": saved, "loaded": [one.id == image.id for one in loaded], "peak": peak}))
"""


def test_save_load_export_and_import_stay_small(
    engine: Engine, unique: Callable[..., str], labels: dict[str, str]
) -> None:
    size = (1024 if engine.name == "sid" else 128) * MIB
    label = "=".join(next(iter(labels.items())))
    command = [sys.executable, "-c", PROGRAM, engine.host, unique("big"), label, str(size)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["exported"] >= size and facts["saved"] >= size and facts["loaded"] == [True]
    assert facts["peak"] < LIMIT
