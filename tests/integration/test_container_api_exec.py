"""Commands in running containers."""

from __future__ import annotations

import time

import pytest

from dockerkit.errors import APIError, Conflict, InvalidArgument, InvalidVersion, NotFound, NullResource

TALK = ["sh", "-c", "echo out; echo err >&2"]


def run(api, container, cmd, **options):
    return api.exec_start(api.exec_create(container, cmd, **options))


class TestCreate:
    def test_command_as_text_and_list(self, api, box):
        container = box()
        assert run(api, container, "echo 'a b'  c") == b"a b c\n"
        assert run(api, container, ["echo", "a b", "$HOME"]) == b"a b $HOME\n"

    def test_environment_workdir_user(self, api, box):
        container = box()
        show = ["sh", "-c", "echo $A; pwd; id -u"]
        output = run(api, container, show, environment={"A": "x=1"}, workdir="/tmp", user="65534")
        assert output == b"x=1\n/tmp\n65534\n"
        assert run(api, container, ["sh", "-c", "echo $B"], environment=["B=2"]) == b"2\n"

    def test_privileged(self, api, box):
        made = api.exec_create(box(), "true", privileged=True)
        assert api.exec_inspect(made)["ProcessConfig"]["privileged"] is True

    def test_streams(self, api, box):
        container = box()
        assert run(api, container, TALK, stderr=False) == b"out\n"
        assert run(api, container, TALK, stdout=False) == b"err\n"

    def test_not_running(self, api, box):
        with pytest.raises(Conflict):
            api.exec_create(box(start=False), "true")

    def test_missing_container(self, api):
        with pytest.raises(NotFound):
            api.exec_create("dkt-nobody", "true")

    @pytest.mark.parametrize("cmd", [5, None, {"a": 1}])
    def test_bad_command(self, api, box, cmd):
        with pytest.raises(InvalidArgument, match="cmd"):
            api.exec_create(box(), cmd)

    def test_bad_environment(self, api, box):
        with pytest.raises(InvalidArgument, match="environment"):
            api.exec_create(box(), "true", environment=5)

    @pytest.mark.parametrize("container", ["", None])
    def test_empty_container(self, api, container):
        with pytest.raises(NullResource):
            api.exec_create(container, "true")


class TestStart:
    def test_output(self, api, box):
        assert sorted(run(api, box(), TALK).splitlines()) == [b"err", b"out"]

    def test_demux(self, api, box):
        container = box()
        assert api.exec_start(api.exec_create(container, TALK), demux=True) == (b"out\n", b"err\n")
        pairs = list(api.exec_start(api.exec_create(container, TALK), demux=True, stream=True))
        assert sorted(pairs, key=str) == [(None, b"err\n"), (b"out\n", None)]
        assert api.exec_start(api.exec_create(container, "true"), demux=True) == (None, None)

    def test_stream(self, api, box):
        made = api.exec_create(box(), ["sh", "-c", "echo one; sleep 0.3; echo two"])
        with api.exec_start(made, stream=True) as output:
            assert next(output) == b"one\n"
            assert list(output) == [b"two\n"]

    def test_terminal(self, api, box):
        made = api.exec_create(box(), ["sh", "-c", "tty >/dev/null && echo yes"], tty=True)
        assert api.exec_start(made, tty=True) == b"yes\r\n"

    def test_detach(self, api, box):
        container = box()
        made = api.exec_create(container, ["sh", "-c", "echo done > /made"])
        assert not api.exec_start(made, detach=True)
        deadline = time.monotonic() + 10
        while api.exec_inspect(made)["Running"]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert run(api, container, "cat /made") == b"done\n"

    def test_input_with_half_close(self, api, box):
        made = api.exec_create(box(), ["sh", "-c", "cat; echo end"], stdin=True)
        with api.exec_start(made, socket=True) as sock:
            sock.sendall(b"some input")
            sock.close_write()
            seen = b""
            while chunk := sock.recv(4096):
                seen += chunk
        payload = b""
        while seen:  # frames: stream number, three zeros, length, payload
            size = int.from_bytes(seen[4:8], "big")
            payload, seen = payload + seen[8 : 8 + size], seen[8 + size :]
        assert payload == b"some inputend\n"
        assert api.exec_inspect(made)["ExitCode"] == 0

    def test_echoes_a_megabyte(self, api, box):
        made = api.exec_create(box(), ["wc", "-c"], stdin=True)
        with api.exec_start(made, socket=True) as sock:
            for _ in range(64):
                sock.sendall(bytes(16384))
            sock.close_write()
            seen = b""
            while chunk := sock.recv(4096):
                seen += chunk
        assert seen[8:] == b"1048576\n"

    def test_program_that_is_not_there(self, api, box):
        made = api.exec_create(box(), ["/no/such"])
        try:
            output = api.exec_start(made)
        except APIError as error:
            assert "no/such" in error.explanation
        else:
            assert b"no/such" in output
            assert api.exec_inspect(made)["ExitCode"] in (126, 127)

    @pytest.mark.parametrize("tty", [False, True])
    def test_second_start_is_refused(self, api, box, tty):
        made = api.exec_create(box(), ["sh", "-c", "echo once; read line"], tty=tty, stdin=True)
        with api.exec_start(made, tty=tty, socket=True) as sock:
            assert b"once" in sock.recv(100)
            with pytest.raises(Conflict, match="already running"):
                api.exec_start(made, tty=tty)
            sock.sendall(b"\n")
            while sock.recv(100):
                pass
        with pytest.raises(Conflict, match="already run") as caught:
            api.exec_start(made, tty=tty, demux=True)
        assert caught.value.status_code == 409
        with pytest.raises(Conflict, match="already run"), api.exec_start(made, tty=tty, stream=True) as output:
            list(output)
        with pytest.raises(Conflict, match="already run"):
            api.exec_start(made, tty=tty, detach=True)

    def test_missing(self, api):
        with pytest.raises(NotFound):
            api.exec_start("0" * 64)

    def test_detached_has_no_output(self, api, box):
        made = api.exec_create(box(), "true")
        with pytest.raises(InvalidArgument, match="detach"):
            api.exec_start(made, detach=True, stream=True)

    @pytest.mark.parametrize("empty", ["", None, {}])
    def test_empty_id(self, api, empty):
        for call in (api.exec_start, api.exec_inspect, api.exec_resize):
            with pytest.raises(NullResource):
                call(empty)


class TestInspect:
    def test_inspect_returns_exit_code_and_state(self, api, box):
        container = box()
        made = api.exec_create(container, ["sh", "-c", "exit 5"])
        assert api.exec_inspect(made)["ExitCode"] is None
        api.exec_start(made)
        found = api.exec_inspect(made["Id"])
        assert found["ExitCode"] == 5
        assert found["Running"] is False
        assert found["ContainerID"] == container
        assert found["ProcessConfig"]["entrypoint"] == "sh"

    def test_missing(self, api):
        with pytest.raises(NotFound):
            api.exec_inspect("0" * 64)


class TestResize:
    def test_resize_sends_the_terminal_size(self, api, box):
        made = api.exec_create(
            box(), ["sh", "-c", "trap 'stty size' WINCH; echo ready; while :; do sleep 0.1; done"], tty=True
        )
        with api.exec_start(made, tty=True, stream=True) as output:
            seen = next(output)
            api.exec_resize(made, height=31, width=99)
            while b"31 99" not in seen:
                seen += next(output)

    def test_console_size_from_the_start(self, api, box):
        container = box()
        if tuple(map(int, api.api_version.split("."))) < (1, 42):
            with pytest.raises(InvalidVersion, match="ConsoleSize"):
                api.exec_create(container, "stty size", tty=True, console_size=(30, 90))
        else:
            made = api.exec_create(container, "stty size", tty=True, console_size=(30, 90))
            assert api.exec_start(made, tty=True) == b"30 90\r\n"
