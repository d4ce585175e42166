"""Sandboxes without an engine: the create request, how code runs and is killed, its files, and its shell."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from scripted_engine import Answer, ScriptedEngine

from dockerkit import DockerClient, errors
from dockerkit.models.containers.process import KeptOutput, ProcessOutput
from dockerkit.models.sandbox import _KILL_ALL, _OOM_COUNT, Sandbox, _read_until
from dockerkit.testing import FakeEngine
from dockerkit.testing.fake_engine.processes import FakeProcess

CID = "5" * 64


@pytest.fixture
def client(scripted: ScriptedEngine) -> Iterator[DockerClient]:
    with DockerClient(scripted.host, version="1.51") as client:
        yield client


def test_container_is_hardened(scripted: ScriptedEngine, client: DockerClient) -> None:
    scripted.on("GET", "/images/app/json", Answer.json({"Id": "sha256:1", "Config": {"Volumes": {"/data": {}}}}))
    scripted.on("POST", "/containers/create", Answer.json({"Id": CID, "Warnings": []}, 201))
    scripted.on("POST", f"/containers/{CID}/start", Answer.empty())
    scripted.on("PUT", f"/containers/{CID}/archive", Answer.empty(200))
    scripted.on("DELETE", f"/containers/{CID}", Answer.empty())
    with client.sandbox("app", files={"a/b": "x"}, disk="1m", memory="64m", pids=9, cpus=0.5, runtime="runsc"):
        pass
    body = next(request for request in scripted.requests if request.path == "/containers/create").json()
    host = body["HostConfig"]
    scratch = "size=1048576,mode=1777,nosuid,nodev"
    assert {name: host[name] for name in ("CapDrop", "SecurityOpt", "ReadonlyRootfs", "NetworkMode", "LogConfig")} == {
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "ReadonlyRootfs": True,
        "NetworkMode": "none",
        "LogConfig": {"Type": "none"},
    }
    assert (host["Memory"], host["MemorySwap"], host["PidsLimit"], host["NanoCpus"]) == (2**26, 2**26, 9, 5 * 10**8)
    assert host["Tmpfs"] == {"/tmp": scratch, "/data": scratch}
    assert host["Mounts"][0]["VolumeOptions"]["DriverConfig"]["Options"]["o"] == scratch
    assert host["Runtime"] == "runsc"
    assert body["Healthcheck"] == {"Test": ["NONE"]}
    assert scripted.requests[-1].query == {"v": ["true"], "force": ["true"]}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("user", "root"), ("user", "0:0"), ("user", "0:1"), ("workdir", "here"), ("workdir", "/."), ("timeout", 0),
        ("max_output", "lots"), ("disk", "big"), ("files", {"../x": ""}), ("files", {"/etc/x": ""}),
    ],
)  # fmt: skip
def test_rejects_options_that_weaken_the_sandbox(
    scripted: ScriptedEngine, client: DockerClient, option: str, value: Any
) -> None:
    with pytest.raises(errors.InvalidArgument, match="path" if option == "files" else option):
        client.sandbox("app", **{option: value})
    assert not scripted.requests


class Pieces:
    def __init__(self, *pieces: tuple[str, bytes]) -> None:
        self._pieces = [ProcessOutput(stream, data) for stream, data in pieces]  # type: ignore[arg-type]

    def read_piece(self, timeout: float | None = None) -> ProcessOutput | None:
        return self._pieces.pop(0) if self._pieces else None


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_output_ends_at_the_mark_in_any_chunking(size: int) -> None:
    texts = {"stdout": b"out MAR MARK 12\n", "stderr": b"err\nMARK \n"}
    pieces = [
        (stream, text[start : start + size]) for stream, text in texts.items() for start in range(0, len(text), size)
    ]
    out = KeptOutput()
    assert _read_until(Pieces(*pieces), b"MARK ", out, None) == 12  # type: ignore[arg-type]
    assert out.read() == (b"out MAR ", b"err\n")


def test_shell_that_ends_loses_no_output() -> None:
    out = KeptOutput()
    assert _read_until(Pieces(("stdout", b"bye MAR"), ("stderr", b"MARK")), b"MARK ", out, None) is None  # type: ignore[arg-type]
    assert out.read() == (b"bye MAR", b"MARK")


# --- against the fake engine, whose processes run in a shell of this machine ---


def run_here(process: FakeProcess) -> int:
    """Run the command of an exec on this machine, as an engine would in a container."""
    environment = {"PATH": os.environ["PATH"], **process.environment}
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(process.command, env=environment, **pipes) as local:
        assert local.stdin and local.stdout and local.stderr
        feeder = threading.Thread(target=feed, args=(process, local.stdin), daemon=True)  # ends with the connection
        feeder.start()
        readers = [
            threading.Thread(target=forward, args=(process, local.stdout, False)),
            threading.Thread(target=forward, args=(process, local.stderr, True)),
        ]
        for reader in readers:
            reader.start()
        code = local.wait()
        for reader in readers:
            reader.join()
        return code if code >= 0 else 128 - code


def feed(process: FakeProcess, stdin: IO[bytes]) -> None:
    with contextlib.suppress(BrokenPipeError, ValueError):
        while data := process.stdin.read1(65536):  # type: ignore[attr-defined]
            stdin.write(data)
            stdin.flush()
        stdin.close()


def forward(process: FakeProcess, stream: IO[bytes], stderr: bool) -> None:
    while data := stream.read1(65536):  # type: ignore[attr-defined]
        process.write(data, stderr=stderr)


def until_killed(process: FakeProcess) -> int:
    process.write("begun")
    process.sleep(None)
    return 137


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    with FakeEngine() as engine:
        engine.add_image("app")
        engine.when(seconds=None)
        engine.when_exec(program=run_here)
        engine.when_exec(_KILL_ALL, exit_code=0)
        yield engine


@pytest.fixture
def sandbox(engine: FakeEngine) -> Iterator[Sandbox]:
    with DockerClient(engine.host) as client, client.sandbox("app", files={"data/in.txt": "given"}) as sandbox:
        yield sandbox


def test_code_runs_in_the_interpreter_and_a_list_runs_directly(sandbox: Sandbox) -> None:
    run = sandbox.run("echo out; echo err >&2; exit 3")
    assert (run.returncode, run.stdout, run.stderr, run.ok) == (3, "out\n", "err\n", False)
    run = sandbox.run(["printf", "%s", "a b"], timeout=20)
    assert (run.returncode, run.stdout, run.ok, run.oom_killed, run.truncated) == (0, "a b", True, False, False)
    assert run.duration > 0


def test_run_sends_input_and_environment(sandbox: Sandbox) -> None:
    run = sandbox.run(["sh", "-c", "cat; printf %s $A >&2"], input="in", environment={"A": "b"}, timeout=20)
    assert (run.stdout, run.stderr) == ("in", "b")


def test_run_with_check_raises_for_a_failed_command(sandbox: Sandbox) -> None:
    with pytest.raises(errors.ContainerError) as caught:
        sandbox.run("echo why >&2; exit 4", check=True)
    assert caught.value.exit_status == 4
    assert caught.value.stderr == "why\n"
    assert sandbox.run("exit 0", check=True).ok


def test_run_rejects_code_that_is_too_long_for_an_argument(sandbox: Sandbox) -> None:
    with pytest.raises(errors.InvalidArgument, match="shorter than 128 KiB"):
        sandbox.run("#" * 131072)


@pytest.mark.parametrize(("limit", "kept"), [(3, "xxx"), ("1k", "x" * 1000), (None, "x" * 1000)])
def test_run_keeps_at_most_max_output(sandbox: Sandbox, limit: Any, kept: str) -> None:
    run = sandbox.run("printf '%01000d' 0 | tr 0 x", max_output=limit)
    assert run.stdout == kept
    assert run.truncated is (limit == 3)


def test_run_rejects_a_negative_max_output(sandbox: Sandbox) -> None:
    with pytest.raises(errors.InvalidArgument, match="max_output: must be a size such as '1m'"):
        sandbox.run("true", max_output=-1)


def test_sandbox_without_limits_of_time_and_output_runs_code(engine: FakeEngine) -> None:
    with DockerClient(engine.host) as client:
        with client.sandbox("app", timeout=None, max_output=None) as sandbox:
            assert sandbox.run("echo done").stdout == "done\n"
            with sandbox.shell() as shell:
                assert shell.run("echo in the shell").stdout == "in the shell\n"


def test_program_that_does_not_exist_is_reported_as_such(engine: FakeEngine, sandbox: Sandbox) -> None:
    text = 'OCI runtime exec failed: exec: "nosuch": executable file not found in $PATH: unknown'
    engine.fail("POST", f"/containers/{sandbox.container.id}/exec", 400, text)
    with pytest.raises(errors.ExecStartError, match="the program 'nosuch' does not exist"):
        sandbox.run(["nosuch"])
    assert sandbox.run("echo next").stdout == "next\n"


def test_timeout_kills_all_processes_and_keeps_the_output(engine: FakeEngine, sandbox: Sandbox) -> None:
    engine.when_exec(["sh", "-c", "endless"], program=until_killed)
    with pytest.raises(errors.ExecTimeout) as caught:
        sandbox.run("endless", timeout=1)
    assert (caught.value.stdout, caught.value.timeout, caught.value.still_running) == (b"begun", 1, False)
    assert not hasattr(caught.value, "__notes__")
    kills = [item for item in engine.execs.values() if item.body["Cmd"] == _KILL_ALL]
    assert [item.body["User"] for item in kills] == ["65534:65534"]
    assert sandbox.read_text("data/in.txt") == "given"


def test_sandbox_whose_processes_cannot_be_killed_is_restarted_with_its_files(
    engine: FakeEngine, sandbox: Sandbox
) -> None:
    engine.when_exec(["sh", "-c", "endless"], seconds=None)
    engine.fail("GET", f"/containers/{sandbox.container.id}/top", 500, "fork/exec: resource temporarily unavailable")
    with pytest.raises(errors.ExecTimeout) as caught:
        sandbox.run("endless", timeout=0.2)
    assert caught.value.__notes__ == [
        "The sandbox was restarted with its initial files, since the processes could not be killed otherwise."
    ]
    assert ("POST", f"/containers/{sandbox.container.id}/kill") in engine.requests
    sandbox.container.reload()
    assert sandbox.container.status == "exited"
    engine.containers[sandbox.container.id or ""].files.clear()  # as a tmpfs volume
    assert sandbox.run("echo again").stdout == "again\n"
    assert sandbox.read("data/in.txt") == b"given"


def test_processes_that_survive_the_kill_end_with_the_container(scripted: ScriptedEngine, client: DockerClient) -> None:
    scripted.on("GET", "/images/app/json", Answer.json({"Id": "sha256:1", "Config": {}}))
    scripted.on("POST", "/containers/create", Answer.json({"Id": CID, "Warnings": []}, 201))
    scripted.on("POST", f"/containers/{CID}/start", Answer.empty())
    scripted.on("POST", f"/containers/{CID}/exec", Answer.json({"Id": "e1"}, 201))
    scripted.on("POST", "/exec/e1/start", Answer.upgraded([]))
    scripted.on("GET", f"/containers/{CID}/top", Answer.json({"Titles": ["PID"], "Processes": [["1"], ["2"], ["3"]]}))
    scripted.on("POST", f"/containers/{CID}/kill", Answer.empty())
    scripted.on("DELETE", f"/containers/{CID}", Answer.empty())
    with client.sandbox("app") as sandbox:
        sandbox.kill()
    assert [request.path for request in scripted.requests][-2:] == [f"/containers/{CID}/kill", f"/containers/{CID}"]


def test_kill_keeps_the_container_if_its_processes_end(engine: FakeEngine, sandbox: Sandbox) -> None:
    sandbox.kill()
    assert ("POST", f"/containers/{sandbox.container.id}/kill") not in engine.requests
    sandbox.container.reload()
    assert sandbox.container.status == "running"


def test_interrupted_run_kills_the_processes_and_passes_the_error_on(engine: FakeEngine, sandbox: Sandbox) -> None:
    def broken_input() -> Iterator[bytes]:
        yield b"first"
        raise RuntimeError("the disk of the input is lost")

    with pytest.raises(RuntimeError, match="the input is lost"):
        sandbox.run(["cat"], input=broken_input(), timeout=None)
    assert _KILL_ALL in [item.body["Cmd"] for item in engine.execs.values()]


@pytest.mark.parametrize(
    ("counts", "killed"),
    [("low 0\noom 1\noom_kill 2\n", [True, False]), ("oom_kill_disable 0\nunder_oom 0\n", [False, False])],
)
def test_code_137_is_out_of_memory_only_if_the_kernel_counted_a_kill(
    engine: FakeEngine, sandbox: Sandbox, counts: str, killed: list[bool]
) -> None:
    engine.when_exec(["sh", "-c", _OOM_COUNT], stdout=counts)
    runs = [sandbox.run("exit 137"), sandbox.run("exit 137")]
    assert [run.oom_killed for run in runs] == killed


def test_container_that_died_with_the_code_ran_out_of_memory(engine: FakeEngine, sandbox: Sandbox) -> None:
    def take_everything(process: FakeProcess) -> int:
        sandbox_container = engine.container(sandbox.container.id or "")
        assert sandbox_container.process is not None
        sandbox_container.process.stop("KILL")
        with engine.changed:
            engine.changed.wait_for(lambda: sandbox_container.status == "exited", 10)
        return 137

    engine.when_exec(["sh", "-c", "take"], program=take_everything)
    assert sandbox.run("take").oom_killed
    assert sandbox.run("echo restarted").stdout == "restarted\n"


def test_files_are_written_below_the_folder_and_owned_by_its_user(engine: FakeEngine, sandbox: Sandbox) -> None:
    sandbox.write("deep/er/code.py", "print(1)")
    sandbox.write("/sandbox/raw", b"\xff")
    files = engine.containers[sandbox.container.id or ""].files
    assert files == {
        "/sandbox/data/in.txt": b"given",
        "/sandbox/deep/er/code.py": b"print(1)",
        "/sandbox/raw": b"\xff",
    }
    assert sandbox.read("deep/../raw") == b"\xff"
    assert sandbox.read_text("raw") == "\ufffd"
    with pytest.raises(errors.UnsafeArchive, match="more than max_bytes=2"):
        sandbox.read("data/in.txt", max_bytes=2)


def test_files_are_listed_and_copied_in_and_out(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.copy_to({"a.txt": "a"})
    (tmp_path / "local").write_text("from here")
    sandbox.copy_to(tmp_path / "local", "data")
    assert [file.path for file in sandbox.list_files("data")] == ["/sandbox/data/in.txt", "/sandbox/data/local"]
    assert [file.name for file in sandbox.list_files(recursive=True)] == ["a.txt", "in.txt", "local"]
    assert sandbox.copy_from("data/local", tmp_path / "back", max_bytes=100) == len("from here")
    assert (tmp_path / "back").read_text() == "from here"


@pytest.mark.parametrize("path", ["/etc/passwd", "../etc/passwd", "/sandboxes", "a/../../b", "/"])
def test_paths_outside_of_the_folder_are_refused(sandbox: Sandbox, tmp_path: Path, path: str) -> None:
    calls = [
        lambda: sandbox.read(path), lambda: sandbox.read_text(path), lambda: sandbox.write(path, ""),
        lambda: sandbox.list_files(path), lambda: sandbox.copy_to({}, path), lambda: sandbox.copy_from(path, tmp_path),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(errors.InvalidArgument, match="must be below /sandbox"):
            call()


def test_network_of_a_sandbox_is_none_a_named_one_or_the_default(engine: FakeEngine) -> None:
    with DockerClient(engine.host) as client:
        client.networks.create("inner")
        found = {}
        for network in (False, "inner", True):
            with client.sandbox("app", network=network) as sandbox:
                found[network] = sandbox.container.attrs["HostConfig"]["NetworkMode"]
                assert repr(sandbox) == f"<Sandbox 'app' {sandbox.container.short_id}>"
    assert found == {False: "none", "inner": "inner", True: "bridge"}


@pytest.mark.parametrize(("pull", "pulled"), [("always", True), ("missing", False), ("never", False)])
def test_existing_image_is_pulled_only_on_request(engine: FakeEngine, pull: Any, pulled: bool) -> None:
    with DockerClient(engine.host) as client, client.sandbox("app", pull=pull):
        pass
    assert (("POST", "/images/create") in engine.requests) is pulled


def test_missing_image_is_pulled_unless_never(engine: FakeEngine) -> None:
    with DockerClient(engine.host) as client:
        with pytest.raises(errors.ImageNotFound):
            client.sandbox("other:1", pull="never")
        with client.sandbox("other:1") as sandbox:
            image = client.images.get("other:1")
            assert sandbox.container.attrs["Image"] == image.id
        with client.sandbox(image) as sandbox:
            assert repr(sandbox).startswith("<Sandbox 'sha256:")


def test_container_is_removed_if_its_files_cannot_be_written(scripted: ScriptedEngine, client: DockerClient) -> None:
    scripted.on("GET", "/images/app/json", Answer.json({"Id": "sha256:1", "Config": None}))
    scripted.on("POST", "/containers/create", Answer.json({"Id": CID, "Warnings": []}, 201))
    scripted.on("POST", f"/containers/{CID}/start", Answer.empty())
    scripted.on("PUT", f"/containers/{CID}/archive", Answer.error(500, "no space left on device"))
    scripted.on("DELETE", f"/containers/{CID}", Answer.empty())
    with pytest.raises(errors.APIError, match="no space left"):
        client.sandbox("app", files={"a": "b"})
    assert scripted.requests[-1].method == "DELETE"


def test_shell_keeps_its_state_between_commands(sandbox: Sandbox) -> None:
    with sandbox.shell() as shell:
        assert repr(shell).startswith("<SandboxShell of <Sandbox 'app' ")
        assert shell.run("cd /tmp; A='it''s'; f() { echo \"f $1\"; }").ok
        assert shell.run('pwd; echo "$A"; f x; printf end').stdout == "/tmp\nits\nf x\nend"
        failed = shell.run("echo oh >&2; (exit 7)")
        assert (failed.returncode, failed.stdout, failed.stderr) == (7, "", "oh\n")
        assert shell.run("echo 'unfinished").returncode != 0
        assert shell.run("cat; echo $?\necho second line").stdout == "0\nsecond line\n"
        cut = shell.run("printf '%0100d' 0", max_output=5)
        assert (cut.stdout, cut.truncated) == ("00000", True)


def test_command_that_ends_the_shell_gets_its_code_and_the_next_a_new_shell(sandbox: Sandbox) -> None:
    with sandbox.shell() as shell:
        shell.run("A=old")
        ended = shell.run("echo bye; exit 5")
        assert (ended.returncode, ended.stdout) == (5, "bye\n")
        assert shell.run("echo ${A:-new}").stdout == "new\n"
    shell.close()  # again, which does nothing


def test_shell_command_that_times_out_is_killed_and_the_next_gets_a_new_shell(
    engine: FakeEngine, sandbox: Sandbox
) -> None:
    engine.when_exec(["sh"], program=until_killed)
    with sandbox.shell() as shell:
        with pytest.raises(errors.ExecTimeout) as caught:
            shell.run("endless", timeout=1)
        assert caught.value.stdout == b"begun"
        engine.when_exec(["sh"], program=run_here)
        assert shell.run("echo new", timeout=20).stdout == "new\n"


def test_closed_sandbox_leaves_nothing(engine: FakeEngine) -> None:
    with DockerClient(engine.host) as client:
        with client.sandbox("app") as sandbox:
            assert list(engine.containers) == [sandbox.container.id]
        assert not engine.containers
        sandbox = client.sandbox("app")
        del sandbox  # collected without close()
        with engine.changed:
            assert engine.changed.wait_for(lambda: not engine.containers, 20)
