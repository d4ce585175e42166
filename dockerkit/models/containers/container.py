"""A container: the object that ``client.containers`` returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockerkit.errors.base import IgnoreGone
from dockerkit.models.containers.attributes import ContainerAttributes
from dockerkit.models.containers.exec import ContainerExec
from dockerkit.models.containers.files import ContainerFiles
from dockerkit.models.containers.lifecycle import ContainerLifecycle
from dockerkit.models.containers.logs import ContainerLogs
from dockerkit.models.containers.output import ContainerOutput
from dockerkit.models.containers.waiting import ContainerWaiting

if TYPE_CHECKING:
    from typing import Self


__all__ = ["Container"]


class Container(  # pyright: ignore[reportIncompatibleVariableOverride]
    ContainerAttributes,
    ContainerExec,
    ContainerLogs,
    ContainerWaiting,
    ContainerFiles,
    ContainerOutput,
    ContainerLifecycle,
):
    """A container of the engine.

    Holds the attributes returned by the call that created it. Missing attributes are fetched once, on first access;
    :meth:`reload` fetches them again. As a context manager, it is stopped and removed, with its anonymous volumes, at
    the end of the block.

    Example::

        with client.containers.run("nginx", detach=True, ports={"80/tcp": None}) as web:
            print(web.address(80))
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            with IgnoreGone():  # it may be removed or being removed
                self.stop()
        finally:
            with IgnoreGone():
                self.remove(v=True, force=True)

    @property
    def image_name(self) -> str:
        """Name of the image as passed when the container was created, as far as it is known. Never makes a request."""
        config = self.cached_attrs.get("Config")
        image = config.get("Image") if isinstance(config, dict) else self.cached_attrs.get("Image")
        return str(image or "").removeprefix("sha256:")[: 12 if str(image).startswith("sha256:") else None]

    def _summary(self) -> list[str]:
        state = self.cached_attrs.get("State")
        status = state.get("Status") if isinstance(state, dict) else state
        return [str(word) for word in (self.image_name, status) if word]
