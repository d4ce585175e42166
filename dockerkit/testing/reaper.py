"""Label everything that a test run creates, and remove it even if the run crashes.

A second process watches the first one through a pipe. When the first one ends, for any reason, the second one removes
everything with the label. ``python -m dockerkit.testing.reaper`` runs that second process.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from dockerkit.errors import APIError, DockerException, NotFound
from dockerkit.streams.closable import SelfClosing

if TYPE_CHECKING:
    from dockerkit.api.client import APIClient
    from dockerkit.client import DockerClient

__all__ = ["LABEL", "ReapedSession", "remove_labelled"]

LABEL = "org.dockerkit.session"


class ReapedSession(SelfClosing):
    """A client whose containers, networks, volumes, built images and services are labelled, and removed at its end.

    Everything with the label is removed at the end of the session or of the process, even after SIGKILL. Pulled and
    loaded images are kept, since they may have existed before.

    Args:
        base_url: address of the engine; None finds it as the docker command does.
        guard: watch from a second process. Without it, a crash leaves everything behind until :func:`remove_labelled`.

    Attributes:
        id: value of the label.
        client: client that adds the label.

    Example::

        with ReapedSession() as session:
            session.client.containers.run("busybox", "sleep 60", detach=True)
    """

    def __init__(self, base_url: str | None = None, *, guard: bool = True) -> None:
        from dockerkit.client import DockerClient
        from dockerkit.testing.labelling import LabellingAPI, LabellingImages

        self.id: str = uuid.uuid4().hex
        self.client: DockerClient = DockerClient(base_url)
        self.client.api.close()
        self.client.api = LabellingAPI(base_url, labels=self.labels)
        self.client.__dict__["images"] = LabellingImages(self.client, self.labels)
        self._guard: subprocess.Popen[bytes] | None = _guard(self.client.api, self.id) if guard else None

    @property
    def labels(self) -> dict[str, str]:
        """The label, for objects created in other ways."""
        return {LABEL: self.id}

    def remove_all(self) -> None:
        """Remove everything with the label now.

        Raises:
            DockerException: something could not be removed; the rest was.
        """
        remove_labelled(self.client.api, self.id)

    def close(self) -> None:
        """Remove everything, and close the guard and the client."""
        try:
            self.remove_all()
        finally:
            if self._guard is not None and self._guard.stdin is not None:
                self._guard.stdin.close()
                try:
                    self._guard.wait(30)
                except subprocess.TimeoutExpired:
                    self._guard.kill()
                    self._guard.wait()
                self._guard = None
            self.client.close()


def _guard(api: APIClient, session: str) -> subprocess.Popen[bytes]:
    guard = subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C and signals to the process group must not reach it
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert guard.stdin is not None
    guard.stdin.write(pickle.dumps((api, session)))
    guard.stdin.flush()
    return guard


def remove_labelled(api: APIClient, session: str) -> None:
    """Remove containers, services, networks, volumes and images with a session's label.

    Args:
        api: client of the engine.
        session: value of the label.

    Raises:
        DockerException: something could not be removed; the rest was.
    """
    failures: list[DockerException] = []
    for remove in _removals(api, f"{LABEL}={session}"):
        try:
            remove()
        except NotFound:
            continue
        except DockerException as error:
            failures.append(error)
    if failures:
        raise failures[0]


def _removals(api: APIClient, label: str) -> Iterator[Callable[[], object]]:
    with contextlib.suppress(APIError):  # 503 if the engine is not in a swarm
        for service in api.services(filters={"label": label}):
            yield partial(api.remove_service, service)
    for container in api.containers(all=True, filters={"label": label}):
        yield partial(api.remove_container, container, v=True, force=True)
    for network in api.networks(filters={"label": label}):
        yield partial(api.remove_network, network)
    for volume in api.volumes(filters={"label": label})["Volumes"] or []:
        yield partial(api.remove_volume, volume["Name"], force=True)
    for image in api.images(filters={"label": label}):
        yield partial(api.remove_image, image, force=True)


def _watch() -> None:
    """Wait until the other end of the pipe is closed, then remove everything."""
    api, session = pickle.load(sys.stdin.buffer)  # noqa: S301 - our parent wrote it
    while sys.stdin.buffer.read(4096):
        pass
    with contextlib.suppress(DockerException), api:
        remove_labelled(api, session)


if __name__ == "__main__":
    _watch()
