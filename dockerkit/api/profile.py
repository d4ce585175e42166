"""How a client behaves where dockerkit and docker-py disagree."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["NATIVE", "Profile"]


class Profile(NamedTuple):
    """How a client behaves where dockerkit and docker-py disagree.

    Attributes:
        name: ``"native"`` or ``"drop-in"``.
        connects_when_created: whether creating a client negotiates the API version.
        raises_in_streams: whether a failure that the engine reports inside a stream is raised.
        pushes_latest_only: whether a push without a tag pushes ``latest``, not every tag.
        joins_other_networks: whether a container joins networks that only ``networking_config`` names.
        strict: whether options that newer engines ignore, and flags other than True and False, are refused.
        streams_as_written: whether ``run(stream=True)`` yields output as it is written, not in lines after the end.
        waits_return_int: whether ``wait()`` returns an int, which also reads as the engine's dict.
        prefers_buildkit: whether ``images.build()`` uses BuildKit if the engine has it.
        explains_errors: whether ``str(error)`` explains a failure, instead of quoting the response.
    """

    name: str
    connects_when_created: bool
    raises_in_streams: bool
    pushes_latest_only: bool
    joins_other_networks: bool
    strict: bool
    streams_as_written: bool
    waits_return_int: bool
    prefers_buildkit: bool
    explains_errors: bool


NATIVE = Profile(
    "native",
    connects_when_created=False,
    raises_in_streams=True,
    pushes_latest_only=True,
    joins_other_networks=True,
    strict=True,
    streams_as_written=True,
    waits_return_int=True,
    prefers_buildkit=True,
    explains_errors=True,
)
