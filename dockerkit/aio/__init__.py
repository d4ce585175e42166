"""dockerkit for asyncio: the same names, options, errors and objects; calls are awaited.

::

    import asyncio
    from dockerkit.aio import AsyncDockerClient

    async def main() -> None:
        async with AsyncDockerClient() as client:
            print(await client.containers.run("busybox", ["echo", "hello"], remove=True))

    asyncio.run(main())
"""

from __future__ import annotations

import importlib
from typing import Any

from dockerkit.aio.classes import PROXIED, async_name
from dockerkit.aio.proxies import AsyncStream, Pending, counterpart, merge_logs, usage_of  # noqa: F401
from dockerkit.models.containers.call import CompletedRun

_CLASSES = {async_name(name): (module, name) for module, names in PROXIED.items() for name in names}

PendingContext = PendingStream = Pending  # type checkers distinguish them, see __init__.pyi
AsyncCompletedRun = CompletedRun

__all__ = [  # noqa: PLE0604
    *("AsyncCompletedRun", "AsyncStream", "Pending", "PendingContext", "PendingStream"),
    *("from_context", "from_env", "merge_logs", "usage_of", *_CLASSES),
]


def __getattr__(name: str) -> Any:
    if name in ("from_env", "from_context"):
        return getattr(__getattr__("AsyncDockerClient"), name)
    try:
        module, sync_name = _CLASSES[name]
    except KeyError:
        raise AttributeError(f"module 'dockerkit.aio' has no attribute {name!r}") from None
    proxy_class = counterpart(getattr(importlib.import_module(module), sync_name))
    globals()[name] = proxy_class
    return proxy_class


def __dir__() -> list[str]:
    return __all__
