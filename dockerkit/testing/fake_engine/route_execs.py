"""The fake engine's execs."""

from __future__ import annotations

from typing import Any

from dockerkit.testing.fake_engine.fakes import FakeExec
from dockerkit.testing.fake_engine.output import OutputFormat, serve_hijacked
from dockerkit.testing.fake_engine.processes import FakeProcess
from dockerkit.testing.fake_engine.routes import Refused, Reply, RouteContext, route


def _exec(call: RouteContext) -> FakeExec:
    try:
        return call.engine.execs[call.id]
    except KeyError:
        raise Refused(404, f"No such exec instance: {call.id}") from None


@route("POST", "/containers/{id}/exec")
def create(call: RouteContext) -> Reply:
    container = call.container
    if container.status != "running":
        raise Refused(409, f"Container {container.id} is not running")
    if not call.body.get("Cmd"):
        raise Refused(400, "No exec command specified")
    exec_id = call.engine.new_id()
    call.engine.execs[exec_id] = FakeExec(exec_id, container, call.body)
    call.event(container, f"exec_create: {' '.join(call.body['Cmd'])}")
    return Reply(201, {"Id": exec_id})


@route("POST", "/exec/{id}/start", sends_response=True)
def start(call: RouteContext) -> None:
    engine = call.engine
    with engine.lock:
        instance = _exec(call)
        if instance.process is not None:
            raise Refused(409, f"exec {call.id} has been started already")
        body, container = instance.body, instance.container
        command = list(body["Cmd"])
        image = engine.images.get(container.image, {"RepoTags": []})
        names = [str(container.body.get("Image")), *image["RepoTags"]]
        behaviour = engine.behaviour(names, command, of_exec=True)
        environment = [*(container.config.get("Env") or []), *(body.get("Env") or [])]
        process = instance.process = FakeProcess(command, environment, engine.changed)
        stdin = bool(body.get("AttachStdin")) and not call.body.get("Detach")
        if not stdin:
            process.end_input()
        call.event(container, f"exec_start: {' '.join(command)}")

    def ended(code: int) -> None:
        call.event(container, "exec_die", execID=instance.id, exitCode=str(code))

    call.launch(process, behaviour, 126, ended)
    if call.body.get("Detach"):
        call.wire.respond(200)
        return
    output_format = OutputFormat(bool(body.get("Tty")), bool(body.get("AttachStdout")), bool(body.get("AttachStderr")))
    serve_hijacked(call, lambda: process, output_format, stdin=stdin)


@route("GET", "/exec/{id}/json")
def inspect(call: RouteContext) -> dict[str, Any]:
    return _exec(call).inspect()


@route("POST", "/exec/{id}/resize")
def resize(call: RouteContext) -> int:
    _exec(call)
    return 200
