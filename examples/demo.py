"""Show what dockerkit does, on the running engine or on a private one that is started for the demo.

Run it with ``make demo``. Everything that it creates has the label ``dockerkit.demo``, and is removed at the end.
"""

from __future__ import annotations

import contextlib
import itertools
import pathlib
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator

from rich.console import Console

import dockerkit
from dockerkit import Container, Healthy
from dockerkit.errors import DockerException, ImageNotFound, NotFound
from dockerkit.streams.readers import Stream

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent / "scripts"
PRIVATE = "trixie"
LABELS = {"dockerkit.demo": "yes"}
IMAGE = "dockerkit-demo:latest"
PAGE = "<h1>Hello from a container</h1>\n"
DOCKERFILE = """\
FROM busybox
COPY index.html /www/
LABEL dockerkit.demo=yes
HEALTHCHECK --interval=1s --timeout=2s --retries=5 CMD wget -q -O /dev/null http://127.0.0.1:8000/
CMD ["httpd", "-f", "-vv", "-p", "8000", "-h", "/www"]
"""

console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    began = time.monotonic()
    console.print("\n[bold]dockerkit[/bold] demo\n")
    try:
        with an_engine() as client:
            show(client)
    except DockerException as error:
        console.print(f"[red]{type(error).__name__}[/red]: {error}", markup=True)
        return 1
    console.print(f"\n[green]Done[/green] in {time.monotonic() - began:.0f} seconds; nothing is left behind.\n")
    return 0


@contextlib.contextmanager
def an_engine() -> Iterator[dockerkit.DockerClient]:
    """Yield the engine that the docker command would use; if none responds, a private one."""
    with dockerkit.from_env() as client:
        try:
            client.ping()
        except DockerException as error:
            step("No engine responds", str(error).splitlines()[0])
        else:
            yield client
            return
    sys.path.insert(0, str(SCRIPTS))
    from engines import private
    from engines.host import EngineUnavailable
    from engines.settings import SPECS

    spec = SPECS[PRIVATE]
    step("Start a private engine", "the first time, this creates a small Debian root, in about a minute")
    try:
        started = private.up(spec)
    except EngineUnavailable as error:
        raise DockerException(f"no engine is running, and a private one can't be started: {error}") from error
    try:
        with dockerkit.DockerClient(spec.host) as client:
            yield client
    finally:
        if started:
            private.down(spec)
            step("Stop the private engine")


def show(client: dockerkit.DockerClient) -> None:
    facts = client.version()
    step(f"Engine {facts['Version']}", f"API {client.api.api_version} at {client.api.endpoint.host}")
    clean(client)
    with events_of(client):
        try:
            build(client)
            serve(client)
        finally:
            clean(client)
            time.sleep(0.3)  # the last events are on their way


def build(client: dockerkit.DockerClient) -> None:
    step("Build an image")
    try:
        client.images.get("busybox")
    except ImageNotFound:
        client.images.pull("busybox", tag="latest")
    image, log = client.images.build(path={"Dockerfile": DOCKERFILE, "index.html": PAGE}, tag=IMAGE)
    for record in log:
        if line := str(record.get("stream", "")).strip():
            console.print(f"    [dim]{line}[/dim]")
    console.print(f"    {image.tags[0]} is {image.short_id.removeprefix('sha256:')}")


def serve(client: dockerkit.DockerClient) -> None:
    step("Run a web server, and wait until it is healthy")
    container = client.containers.run(IMAGE, detach=True, labels=LABELS, mem_limit="64m", ports={"8000/tcp": None})
    console.print(f"    {container.short_id} is called {container.name}")
    waited = time.monotonic()
    container.wait_until(Healthy(), timeout=30)
    console.print(f"    [green]healthy[/green] after {time.monotonic() - waited:.1f} seconds")

    with followed(container):
        step("Fetch its page from inside, and follow its logs")
        code, page = container.exec_run(["wget", "-q", "-O", "-", "http://127.0.0.1:8000/"])
        console.print(f"    exit code {code}: {page.decode().strip()}", markup=False)
        time.sleep(0.3)

    step("Run a command with input")
    text = "the quick brown fox jumps over the lazy dog"
    console.print(f"    wc -w gets {text!r}")
    counted = container.exec(["wc", "-w"], input=text, text=True, check=True)
    console.print(f"    and returns {counted.stdout.strip()}")

    step("Copy a file in, fetch it, and copy it out")
    container.write_file("/www/new.txt", "copied into a running container\n")
    _, served = container.exec_run(["wget", "-q", "-O", "-", "http://127.0.0.1:8000/new.txt"])
    console.print(f"    served: {served.decode().strip()}")
    with tempfile.TemporaryDirectory() as folder:
        container.copy_from("/www/new.txt", folder)
        for path in pathlib.Path(folder).iterdir():
            console.print(f"    copied out: {path.name}, {path.stat().st_size} bytes: {path.read_text().strip()}")

    step("Measure its usage, as docker stats does")
    container.exec_run(["timeout", "4", "sh", "-c", "while :; do :; done"], detach=True)
    with container.watch_usage() as samples:
        for usage in itertools.islice(samples, 1, 4):
            console.print(f"    {usage}", markup=False)

    step("Stop it")
    container.stop(timeout=1)
    container.reload()
    console.print(f"    {container.status}, exit code {container.attrs['State']['ExitCode']}")


@contextlib.contextmanager
def events_of(client: dockerkit.DockerClient) -> Iterator[None]:
    """Show the engine's events meanwhile."""
    stream = client.events(decode=True, filters={"label": list(LABELS)})

    def show_events() -> None:
        for event in stream:
            facts = event["Actor"]["Attributes"]
            if facts.get("image") == IMAGE and not event["Action"].startswith("exec_"):
                console.print(f"      [cyan]event[/cyan] [dim]{event['Type']} {facts['name']} {event['Action']}[/dim]")

    with in_thread(show_events, stream):
        yield


@contextlib.contextmanager
def followed(container: Container) -> Iterator[None]:
    """Show a container's logs as they arrive."""
    stream = container.logs(stream=True, follow=True, tail=0)

    def show_lines() -> None:
        for chunk in stream:
            for line in chunk.decode().splitlines():
                console.print(f"      [magenta]log[/magenta] [dim]{line}[/dim]")

    with in_thread(show_lines, stream):
        yield


@contextlib.contextmanager
def in_thread(work: Callable[[], None], stream: Stream[bytes] | Stream[dict[str, object]]) -> Iterator[None]:
    """Read a stream in a thread meanwhile; closing the stream ends the thread."""
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stream.close()
        thread.join()


def clean(client: dockerkit.DockerClient) -> None:
    """Remove everything created by a demo, this one or an interrupted one."""
    for container in client.containers.list(all=True, filters={"label": list(LABELS)}):
        with contextlib.suppress(NotFound):
            container.remove(force=True, v=True)
    with contextlib.suppress(ImageNotFound):
        client.images.remove(IMAGE, force=True)


def step(title: str, more: str = "") -> None:
    console.print(f"[bold blue]●[/bold blue] [bold]{title}[/bold]{'  ' + more if more else ''}")


if __name__ == "__main__":
    sys.exit(main())
