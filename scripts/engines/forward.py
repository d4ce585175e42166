"""Let an engine reach ports on this machine's loopback at its own loopback.

``python forward.py /run/netns/NAME PORT...``: references such as ``127.0.0.1:15000/busybox`` then mean the same
registry to the tests and to each engine, though each engine has its own network.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import sys

CLONE_NEWNET = 0x40000000


def enter(handle: int) -> None:
    """Move this process to another network. Open sockets stay in theirs."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(handle, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "cannot enter the network namespace")


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.close()


async def serve(listeners: list[socket.socket]) -> None:
    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = writer.get_extra_info("sockname")[1]
        try:
            there, back = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(copy(reader, back), copy(there, writer))
        back.close()
        writer.close()

    servers = [await asyncio.start_server(forward, sock=listener) for listener in listeners]
    await asyncio.gather(*(server.serve_forever() for server in servers))


def main() -> None:
    namespace, *ports = sys.argv[1:]
    home, away = os.open("/proc/self/ns/net", os.O_RDONLY), os.open(namespace, os.O_RDONLY)
    enter(away)
    listeners = [socket.create_server(("127.0.0.1", int(port))) for port in ports]
    enter(home)
    asyncio.run(serve(listeners))


if __name__ == "__main__":
    main()
