"""A web service that runs commands in containers and streams their logs: ``uvicorn examples.fastapi_service:app``.

Requires ``pip install 'dockerkit[asyncio]' fastapi uvicorn``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse

from dockerkit import errors
from dockerkit.aio import AsyncDockerClient


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open one client for all requests, in the loop that serves them."""
    async with AsyncDockerClient() as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/containers")
async def containers() -> list[dict[str, str]]:
    """List the running containers."""
    client: AsyncDockerClient = app.state.client
    return [{"name": container.name, "status": container.status} for container in await client.containers.list()]


@app.post("/run")
async def run(image: str, command: list[str], seconds: float = 30) -> dict[str, object]:
    """Run a command to its end. If the client disconnects, the container is removed."""
    client: AsyncDockerClient = app.state.client
    try:
        done = await client.containers.call(image, command, timeout=seconds)
    except errors.ImageNotFound as error:
        raise HTTPException(404, str(error)) from error
    except errors.RunTimeout as error:
        raise HTTPException(504, str(error)) from error
    return {"exit_code": done.returncode, "output": done.stdout}


@app.get("/containers/{name}/logs")
async def logs(name: str, follow: bool = False) -> StreamingResponse:
    """Stream the logs of a container. If the client disconnects, the stream is closed."""
    client: AsyncDockerClient = app.state.client
    try:
        container = await client.containers.get(name)
    except errors.ContainerNotFound as error:
        raise HTTPException(404, str(error)) from error

    async def lines() -> AsyncIterator[str]:
        async with container.log_entries(follow=follow) as entries:
            async for entry in entries:
                yield f"{entry.text}\n"

    return StreamingResponse(lines(), media_type="text/plain")
