"""Basic calls that the container tests rely on, over both transports."""

from __future__ import annotations

import io
import tarfile
import threading

import pytest

from dockerkit import APIClient
from dockerkit.errors import ImageNotFound


def test_ping_version_info(api, engine):
    assert api.ping() is True
    assert api.version()["ApiVersion"] == engine.api_version
    assert api.info()["Containers"] >= 0


def test_negotiation_takes_the_engines_version(api, engine):
    assert api.api_version == engine.api_version


def test_older_version_can_be_asked_for(engine):
    with APIClient(engine.host, version="1.40") as old:
        assert old.api_version == "1.40"
        assert old.ping()
        assert old.containers(all=True) is not None


def test_tcp_answers_the_same(engine, api):
    with APIClient(engine.tcp) as over_tcp:
        assert over_tcp.info()["ID"] == api.info()["ID"]


def test_streams_over_tcp(engine, box):
    with APIClient(engine.tcp) as over_tcp:
        container = box(["cat"], start=False, stdin_open=True)
        with over_tcp.attach_socket(container, {"stdin": 1, "stdout": 1, "stream": 1}) as sock:
            over_tcp.start(container)
            sock.sendall(b"over tcp")
            assert sock.recv(4096)[8:] == b"over tcp"


def test_threads_share_a_client(api, box):
    containers = [box() for _ in range(4)]
    failures: list[BaseException] = []

    def work(container):
        try:
            for _ in range(20):
                assert api.inspect_container(container)["Id"] == container
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(container,)) for container in containers * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []


def test_image_import_tag_inspect_remove(api, unique):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("empty"))
    repository = unique("img")
    api.import_image_from_data(buffer.getvalue(), repository=repository, tag="one")
    assert api.inspect_image(f"{repository}:one")["Id"]
    assert api.tag(f"{repository}:one", repository, "two") is True
    assert {f"{repository}:one", f"{repository}:two"} <= {
        tag for image in api.images() for tag in image["RepoTags"] or []
    }
    api.remove_image(f"{repository}:one")
    api.remove_image(f"{repository}:two")
    with pytest.raises(ImageNotFound):
        api.inspect_image(f"{repository}:two")


def test_pull(api, registry, busybox, unique):
    reference = f"{registry}/{unique('img')}"
    api.tag(busybox, reference, "v1")
    api.push(reference, tag="v1")
    api.remove_image(f"{reference}:v1")
    api.pull(reference, tag="v1")
    assert f"{reference}:v1" in api.inspect_image(f"{reference}:v1")["RepoTags"]
    api.remove_image(f"{reference}:v1")
