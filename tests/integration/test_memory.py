"""Large images are streamed with bounded memory."""

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

# In a separate process, since the tests' process has grown already.
PROGRAM = """
import itertools, os, stat, sys
from dockerkit import DockerClient
from dockerkit.files.archive import Entry, pack

host, name, label, size = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])

def archive():
    head = next(pack([Entry("big", stat.S_IFREG | 0o644, "/dev/urandom", size)]))
    yield head
    left = size - (len(head) - 512)
    while left > 0:  # random, since containerd's store saves layers compressed
        block = os.urandom(min(2**20, left))
        yield block
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


def test_save_load_export_and_import_use_bounded_memory(
    engine: Engine, unique: Callable[..., str], labels: dict[str, str]
) -> None:
    size = (1024 if engine.speaks("1.51") and not engine.containerd_store else 128) * MIB
    label = "=".join(next(iter(labels.items())))
    command = [sys.executable, "-c", PROGRAM, engine.host, unique("big"), label, str(size)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["exported"] >= size and facts["saved"] >= size and facts["loaded"] == [True]
    assert facts["peak"] < LIMIT
