"""The fake engine's containers."""

from __future__ import annotations

import json
import re
import time
from typing import Any

from dockerkit.testing.fake_engine.fakes import ZERO_TIME, FakeContainer
from dockerkit.testing.fake_engine.output import OutputFormat, logs, serve_hijacked
from dockerkit.testing.fake_engine.processes import FakeProcess
from dockerkit.testing.fake_engine.routes import Refused, Reply, RouteContext, matches_labels, route

_NAME = re.compile(r"/?[a-zA-Z0-9][a-zA-Z0-9_.-]+")


def _matches(call: RouteContext, container: FakeContainer) -> bool:
    filters = call.filters
    image = call.engine.images.get(container.image, {"RepoTags": []})
    images = {container.image, str(container.body.get("Image")), *image["RepoTags"]}
    networks = {*container.networks, *(network["NetworkID"] for network in container.networks.values())}
    tests = {
        "label": lambda values: matches_labels(container.labels, values),
        "name": lambda values: any(re.search(value, f"/{container.name}") for value in values),
        "id": lambda values: any(container.id.startswith(value) for value in values),
        "status": lambda values: container.status in values,
        "exited": lambda values: container.status == "exited" and str(container.exit_code) in values,
        "ancestor": lambda values: bool(images & {name for value in values for name in (value, f"{value}:latest")}),
        "network": lambda values: any(value in networks for value in values),
        "health": lambda values: (container.health or "none") in values,
    }
    if unknown := set(filters) - set(tests):
        raise Refused(400, f"invalid filter '{min(unknown)}'")
    return all(tests[name](values) for name, values in filters.items() if values)


@route("GET", "/containers/json")
def list_containers(call: RouteContext) -> list[dict[str, Any]]:
    containers = list(reversed(call.engine.containers.values()))
    include_stopped = call.request.flag("all") or "status" in call.filters
    containers = [c for c in containers if (include_stopped or c.is_running) and _matches(call, c)]
    limit = int(call.request.param("limit") or 0)
    summaries = [container.summary() for container in (containers[:limit] if limit > 0 else containers)]
    if call.engine.lean:
        for summary, container in zip(summaries, containers, strict=False):
            summary["Health"] = {"Status": container.health or "none", "FailingStreak": 0}
    return summaries


@route("POST", "/containers/create")
def create(call: RouteContext) -> Reply:
    engine, body = call.engine, call.body
    image = engine.image(str(body.get("Image") or ""))
    container_id = engine.new_id()
    name = call.request.param("name").lstrip("/") or f"fake_{container_id[:8]}"
    if not _NAME.fullmatch(name):
        raise Refused(400, f"Invalid container name ({name})")
    if any(container.name == name for container in engine.containers.values()):
        raise Refused(409, f'Conflict. The container name "/{name}" is already in use by container')
    defaults = image["Config"]
    config = {key: value for key, value in body.items() if key not in ("HostConfig", "NetworkingConfig")}
    if not config.get("Entrypoint"):
        config["Entrypoint"] = defaults.get("Entrypoint")
        config["Cmd"] = config.get("Cmd") or defaults.get("Cmd")
    config["Env"] = [*(defaults.get("Env") or []), *(config.get("Env") or [])]
    config["Labels"] = {**(defaults.get("Labels") or {}), **(config.get("Labels") or {})}
    config.setdefault("Hostname", container_id[:12])
    container = FakeContainer(container_id, name, time.time(), image["Id"], body, config)
    endpoints = (body.get("NetworkingConfig") or {}).get("EndpointsConfig") or {}
    mode = container.host_config.get("NetworkMode") or "bridge"
    for network in endpoints or ([] if mode.startswith("container:") else [mode]):
        network_name = "bridge" if network in ("default", "") else network
        engine.join(network_name, container, endpoints.get(network) or {})
    engine.containers[container_id] = container
    call.event(container, "create")
    return Reply(201, {"Id": container_id, "Warnings": []})


@route("GET", "/containers/{id}/json")
def inspect(call: RouteContext) -> dict[str, Any]:
    details = call.container.inspect()
    if call.engine.lean:
        details["Storage"] = {"RootFS": {"Snapshot": {"Name": "fake"}}}
    else:
        details["GraphDriver"] = {"Name": "fake", "Data": None}
    return details


@route("POST", "/containers/{id}/start")
def start(call: RouteContext) -> int:
    container = call.container
    if container.is_running:
        return 304
    _start(call, container)
    return 204


def _start(call: RouteContext, container: FakeContainer) -> None:
    engine = call.engine
    image = engine.images.get(container.image, {"Id": container.image, "RepoTags": []})
    names = [str(container.body.get("Image")), image["Id"], *image["RepoTags"]]
    names += [name.removesuffix(":latest") for name in image["RepoTags"]]
    behaviour = engine.behaviour(names, container.command)
    former = container.process.output if container.process else []
    process = FakeProcess(container.command, container.config.get("Env") or [], engine.changed)
    process.output = list(former)
    if not container.config.get("OpenStdin"):
        process.end_input()
    container.process, container.status, container.started = process, "running", engine.now()
    container.pid, container.exit_code, container.finished = 1000 + len(engine.containers), 0, ZERO_TIME
    if (container.config.get("Healthcheck") or {}).get("Test", ["NONE"])[0] != "NONE":
        container.health = "healthy"
    call.event(container, "start")

    def ended(code: int) -> None:
        container.status, container.finished, container.pid = "exited", engine.now(), 0
        container.exit_code = code
        container.runs += 1
        call.event(container, "die", exitCode=str(code))
        if container.host_config.get("AutoRemove"):
            _forget(call, container)

    call.launch(process, behaviour, 125, ended)


def _forget(call: RouteContext, container: FakeContainer) -> None:
    call.engine.containers.pop(container.id, None)
    for network in call.engine.networks.values():
        network["Containers"].pop(container.id, None)
    container.status = "removed"
    call.event(container, "destroy")


def _running(call: RouteContext) -> FakeContainer:
    container = call.container
    if not container.is_running:
        raise Refused(409, f"Container {container.id} is not running")
    return container


def _stop(call: RouteContext, container: FakeContainer, signal: str) -> None:
    process = container.process
    if process is not None and process.exit_code is None:
        process.stop(signal)
        call.engine.changed.wait_for(lambda: process.exit_code is not None, 10)


@route("POST", "/containers/{id}/stop")
def stop(call: RouteContext) -> int:
    container = call.container
    if not container.is_running:
        return 304
    _stop(call, container, call.request.param("signal") or "TERM")
    call.event(container, "stop")
    return 204


@route("POST", "/containers/{id}/kill")
def kill(call: RouteContext) -> int:
    container = _running(call)
    signal = call.request.param("signal") or "KILL"
    call.event(container, "kill", signal=signal)
    if signal.removeprefix("SIG").upper() in ("KILL", "9", "TERM", "15", "INT", "2", "QUIT", "3"):
        _stop(call, container, signal)
    return 204


@route("POST", "/containers/{id}/restart")
def restart(call: RouteContext) -> int:
    container = call.container
    _stop(call, container, "TERM")
    _start(call, container)
    call.event(container, "restart")
    return 204


@route("POST", "/containers/{id}/pause")
@route("POST", "/containers/{id}/unpause")
def pause(call: RouteContext) -> int:
    container, action = call.container, call.request.path.rpartition("/")[2]
    expected, status = ("running", "paused") if action == "pause" else ("paused", "running")
    if container.status != expected:
        raise Refused(409, f"Container {container.id} is not {expected}")
    container.status = status
    call.event(container, action)
    return 204


@route("POST", "/containers/{id}/rename")
def rename(call: RouteContext) -> int:
    container, name = call.container, call.request.param("name").lstrip("/")
    if any(other.name == name for other in call.engine.containers.values()):
        raise Refused(409, f'Conflict. The container name "/{name}" is already in use')
    container.name = name
    call.event(container, "rename")
    return 204


@route("POST", "/containers/{id}/wait", sends_response=True)
def wait(call: RouteContext) -> None:
    engine = call.engine
    with engine.lock:
        container = call.container
        condition = call.request.param("condition") or "not-running"
        runs = container.runs
    call.wire.head(200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"})

    def is_met() -> bool:
        if condition == "removed":
            return container.status == "removed"
        if condition == "next-exit":
            return container.runs > runs
        return not container.is_running

    while True:
        with engine.changed:
            if engine.changed.wait_for(is_met, 0.1):
                break
        if call.wire.gone():
            call.wire.keep = False
            return
    data = json.dumps({"StatusCode": container.exit_code}).encode()
    call.wire.send(b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data))


@route("DELETE", "/containers/{id}")
def remove(call: RouteContext) -> int:
    container = call.container
    if container.is_running:
        if not call.request.flag("force"):
            raise Refused(409, f'cannot remove container "/{container.name}": container is running: stop it or force')
        _stop(call, container, "KILL")
    if container.id in call.engine.containers:
        _forget(call, container)
    return 204


@route("GET", "/containers/{id}/logs", sends_response=True)
def container_logs(call: RouteContext) -> None:
    container = call.container
    logs(call, container.process, OutputFormat.of(call, tty=container.tty))


@route("POST", "/containers/{id}/attach", sends_response=True)
def attach(call: RouteContext) -> None:
    container = call.container
    process = container.process
    end = len(process.output) if process else 0
    has_ended = process is not None and process.exit_code is not None

    def new_process() -> FakeProcess | None:  # a client that attaches before the start waits for it
        return None if has_ended and container.process is process else container.process

    position = 0 if call.request.flag("logs") else end
    serve_hijacked(
        call, new_process, OutputFormat.of(call, tty=container.tty), stdin=call.request.flag("stdin"), position=position
    )


@route("POST", "/containers/{id}/resize")
def resize(call: RouteContext) -> int:
    _running(call)
    return 200


@route("POST", "/containers/{id}/update")
def update(call: RouteContext) -> dict[str, Any]:
    container = call.container
    container.body["HostConfig"] = {**container.host_config, **call.body}
    return {"Warnings": []}


@route("GET", "/containers/{id}/top")
def top(call: RouteContext) -> dict[str, Any]:
    container = _running(call)
    process = [str(container.pid), "root", " ".join(container.command)]
    return {"Titles": ["PID", "USER", "COMMAND"], "Processes": [process]}


@route("GET", "/containers/{id}/changes")
def changes(call: RouteContext) -> list[dict[str, Any]] | None:
    return [{"Path": path, "Kind": 1} for path in sorted(call.container.files)] or None


@route("GET", "/containers/{id}/stats", sends_response=True)
def stats(call: RouteContext) -> None:
    container = call.container
    sample = {
        "id": container.id,
        "name": f"/{container.name}",
        "read": call.engine.now(),
        "preread": ZERO_TIME,
        "pids_stats": {"current": 1},
        "cpu_stats": {"cpu_usage": {"total_usage": 2_000_000}, "system_cpu_usage": 200_000_000, "online_cpus": 1},
        "precpu_stats": {"cpu_usage": {"total_usage": 1_000_000}, "system_cpu_usage": 100_000_000, "online_cpus": 1},
        "memory_stats": {"usage": 1_048_576, "limit": 1_073_741_824, "stats": {}},
        "networks": {"eth0": {"rx_bytes": 0, "tx_bytes": 0}},
        "blkio_stats": {"io_service_bytes_recursive": []},
    }
    if not call.request.flag("stream", default=True):
        call.wire.json(sample)
        return
    with call.wire.chunked("application/json") as send:
        while not call.wire.gone() and container.status == "running":
            send(json.dumps({**sample, "read": call.engine.now()}).encode() + b"\n")
            with call.engine.changed:
                call.engine.changed.wait(0.2)


@route("POST", "/containers/prune")
def prune(call: RouteContext) -> dict[str, Any]:
    removed = [
        container
        for container in call.engine.containers.values()
        if container.status in ("created", "exited") and matches_labels(container.labels, call.filters.get("label", []))
    ]
    for container in removed:
        _forget(call, container)
    return {"ContainersDeleted": [container.id for container in removed], "SpaceReclaimed": 0}


@route("POST", "/commit")
def commit(call: RouteContext) -> Reply:
    container = call.engine.container(call.request.param("container"))
    name = call.request.param("repo") or container.id[:12]
    tag = call.request.param("tag") or "latest"
    return Reply(201, {"Id": call.engine.add_image(f"{name}:{tag}", labels=container.labels)})
