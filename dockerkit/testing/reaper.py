"""Sessions: what a run of tests creates carries a label, and is removed even when the run crashes.

A second process watches the first one through a pipe. When the first has gone, however it went, the second removes
what carries the label. Run as ``python -m dockerkit.testing.reaper`` it is that second process.
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
from typing import TYPE_CHECKING, Self

from dockerkit.errors import APIError, DockerException, NotFound

if TYPE_CHECKING:
    from dockerkit.api.client import APIClient
    from dockerkit.client import DockerClient

__all__ = ["LABEL", "Session", "remove_labelled"]

LABEL = "org.dockerkit.session"


class Session:
    """A client whose containers, networks, volumes, built images and services carry a label, and do not outlive it.

    At its end, or at the process's (even by SIGKILL), all that carries the label is removed. What was pulled or loaded
    stays: an image that is there already is nobody's own.

    Args:
        base_url: the engine; None finds it as the docker command does.
        guard: watch from a second process. Without it, a crash leaves what there is until :func:`remove_labelled`.

    Attributes:
        id: the label's value.
        client: the client that labels.

    Example::

        with Session() as session:
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
        """The label, to put on what is created in other ways."""
        return {LABEL: self.id}

    def remove_all(self) -> None:
        """Remove all that carries the label, now.

        Raises:
            DockerException: something could not be removed; the rest is.
        """
        remove_labelled(self.client.api, self.id)

    def close(self) -> None:
        """Remove all, and end the guard and the client."""
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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _guard(api: APIClient, session: str) -> subprocess.Popen[bytes]:
    guard = subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C, and signals for the group, are not for it
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert guard.stdin is not None
    guard.stdin.write(pickle.dumps((api, session)))
    guard.stdin.flush()
    return guard


def remove_labelled(api: APIClient, session: str) -> None:
    """Remove containers, services, networks, volumes and images that carry a session's label.

    Args:
        api: a client of the engine.
        session: the label's value.

    Raises:
        DockerException: something could not be removed; the rest is.
    """
    failures: list[DockerException] = []
    for remove in _removals(api, {"label": f"{LABEL}={session}"}):
        try:
            remove()
        except NotFound:
            continue
        except DockerException as error:
            failures.append(error)
    if failures:
        raise failures[0]


def _removals(api: APIClient, filters: dict[str, str]) -> Iterator[Callable[[], object]]:
    with contextlib.suppress(APIError):  # 503 where the engine is part of no swarm
        for service in api.services(filters=filters):
            yield partial(api.remove_service, service)
    for container in api.containers(all=True, filters=filters):
        yield partial(api.remove_container, container, v=True, force=True)
    for network in api.networks(filters=filters):
        yield partial(api.remove_network, network)
    for volume in api.volumes(filters=filters)["Volumes"] or []:
        yield partial(api.remove_volume, volume["Name"], force=True)
    for image in api.images(filters=filters):
        yield partial(api.remove_image, image, force=True)


def _watch() -> None:
    """Wait until the other end of the pipe has gone, then remove."""
    api, session = pickle.load(sys.stdin.buffer)  # noqa: S301 - our parent wrote it
    while sys.stdin.buffer.read(4096):
        pass
    with contextlib.suppress(DockerException), api:
        remove_labelled(api, session)


if __name__ == "__main__":
    _watch()
