"""Output, statistics, terminals and files of containers."""

from __future__ import annotations

import datetime
import io
import tarfile
import threading
import time

import pytest

from dockerkit.errors import APIError, InvalidArgument, NotFound

LINES = [f"line {number}" for number in range(5)]
TALK = ["sh", "-c", "echo out; echo err >&2; sleep 0.2; echo out2"]


def sh(script):
    return ["sh", "-c", script]


def tar_of(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def read_tar(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {one.name: tar.extractfile(one).read() for one in tar if one.isfile()}


class TestLogs:
    @pytest.fixture
    def done(self, api, box):
        container = box(TALK)
        api.wait(container)
        return container

    def test_everything(self, api, done):
        assert sorted(api.logs(done).splitlines()) == [b"err", b"out", b"out2"]

    def test_one_stream(self, api, done):
        assert api.logs(done, stderr=False) == b"out\nout2\n"
        assert api.logs(done, stdout=False) == b"err\n"

    def test_logs_requires_stdout_or_stderr(self, api, done):
        with pytest.raises((APIError, InvalidArgument)):
            api.logs(done, stdout=False, stderr=False)

    def test_demux(self, api, done):
        assert api.logs(done, demux=True) == (b"out\nout2\n", b"err\n")
        pairs = list(api.logs(done, demux=True, stream=True))
        assert b"".join(out or b"" for out, _ in pairs) == b"out\nout2\n"
        assert b"".join(err or b"" for _, err in pairs) == b"err\n"

    def test_timestamps(self, api, done):
        for line in api.logs(done, timestamps=True).splitlines():
            stamp, text = line.split(b" ", 1)
            datetime.datetime.fromisoformat(stamp[:19].decode())
            assert text in (b"out", b"err", b"out2")

    @pytest.mark.parametrize(("tail", "count"), [("all", 5), (2, 2), ("3", 3), (0, 0), (99, 5)])
    def test_tail(self, api, box, tail, count):
        container = box(sh("for n in 0 1 2 3 4; do echo line $n; done"))
        api.wait(container)
        assert api.logs(container, tail=tail).decode().splitlines() == LINES[5 - count :]

    def test_since_and_until(self, api, box):
        container = box(sh("echo first; sleep 2.2; echo second"))
        api.wait(container)
        stamps = [line.split()[0].decode() for line in api.logs(container, timestamps=True).splitlines()]
        first = datetime.datetime.fromisoformat(stamps[0][:19] + "+00:00")
        between = first + datetime.timedelta(seconds=2)
        for moment in (between, between.timestamp(), int(between.timestamp())):
            assert api.logs(container, since=moment) == b"second\n"
            assert api.logs(container, until=moment) == b"first\n"

    def test_stream_follows(self, api, box):
        container = box(sh("for n in 0 1 2 3 4; do echo line $n; sleep 0.1; done"))
        with api.logs(container, stream=True) as output:
            assert b"".join(output).decode().splitlines() == LINES

    def test_follow_without_stream_waits_for_the_end(self, api, box):
        container = box(sh("sleep 0.5; echo late"))
        assert api.logs(container, follow=True) == b"late\n"

    def test_stream_without_follow_ends(self, api, box):
        container = box(sh("echo now; sleep 600"))
        time.sleep(0.5)
        assert b"".join(api.logs(container, stream=True, follow=False)) == b"now\n"

    def test_close_from_another_thread_ends_the_loop(self, api, box):
        container = box(sh("echo now; sleep 600"))
        output = api.logs(container, stream=True)
        assert next(output) == b"now\n"
        threading.Timer(0.3, output.close).start()
        before = time.monotonic()
        assert list(output) == []
        assert time.monotonic() - before < 10

    def test_terminal_is_raw(self, api, box):
        container = box(TALK, tty=True)
        api.wait(container)
        assert api.logs(container) == b"out\r\nerr\r\nout2\r\n"

    def test_a_lot_of_output(self, api, box):
        container = box(sh("yes 0123456789abcde | head -c 5000000"))
        total = sum(len(chunk) for chunk in api.logs(container, stream=True))
        assert total == 5_000_000

    @pytest.mark.parametrize("tail", ["some", -2, 1.5, True, [1], ""])
    def test_bad_tail(self, api, tail):
        with pytest.raises(InvalidArgument, match="tail"):
            api.logs("never-asked", tail=tail)

    @pytest.mark.parametrize("option", ["since", "until"])
    @pytest.mark.parametrize("moment", [[], {}, "", True, object()])
    def test_bad_moment(self, api, option, moment):
        with pytest.raises(InvalidArgument, match=option):
            api.logs("never-asked", **{option: moment})

    def test_missing_container(self, api):
        with pytest.raises(NotFound):
            api.logs("dkt-nobody")


class TestAttach:
    def test_attach_before_start_returns_all_output(self, api, box):
        container = box(TALK, start=False)
        output = api.attach(container, stream=True)
        api.start(container)
        assert sorted(b"".join(output).splitlines()) == [b"err", b"out", b"out2"]

    def test_without_stream_waits_for_the_end(self, api, box):
        container = box(sh("sleep 0.7; echo bye"))
        assert api.attach(container) == b"bye\n"

    def test_attach_to_a_stopped_container_returns_immediately(self, api, box):
        container = box(["echo", "hi"])
        api.wait(container, timeout=20)
        assert api.attach(container) == b""
        assert api.attach(container, demux=True) == (None, None)

    def test_logs_without_stream_are_what_was_written_so_far(self, api, box):
        container = box(sh("echo out; echo err >&2"), start=False)
        api.start(container)
        assert api.wait(container) == 0
        assert api.attach(container, logs=True, demux=True) == (b"out\n", b"err\n")

    def test_binary_output_is_kept(self, api, box):
        container = box(sh(r"printf '\000\001\002\377\r\n\376'"), start=False)
        output = api.attach(container, stream=True)
        api.start(container)
        assert b"".join(output) == b"\x00\x01\x02\xff\r\n\xfe"

    def test_attach_with_logs_includes_earlier_output(self, api, box):
        container = box(sh("echo past; sleep 600"))
        time.sleep(0.5)
        with api.attach(container, stream=True, logs=True) as output:
            assert next(output) == b"past\n"

    def test_one_stream(self, api, box):
        container = box(TALK, start=False)
        output = api.attach(container, stdout=False, stream=True)
        api.start(container)
        assert b"".join(output) == b"err\n"

    def test_demux(self, api, box):
        container = box(TALK, start=False)
        output = api.attach(container, stream=True, demux=True)
        api.start(container)
        pairs = list(output)
        assert b"".join(out or b"" for out, _ in pairs) == b"out\nout2\n"
        assert b"".join(err or b"" for _, err in pairs) == b"err\n"

    def test_terminal_is_raw(self, api, box):
        container = box(TALK, start=False, tty=True)
        output = api.attach(container, stream=True)
        api.start(container)
        assert b"".join(output) == b"out\r\nerr\r\nout2\r\n"

    def test_stopped_container_does_not_hang(self, api, box):
        with pytest.raises(NotFound):
            api.attach("dkt-nobody")


class TestAttachSocket:
    def test_input_with_half_close(self, api, box):
        container = box(["cat"], start=False, stdin_open=True, host_config=None)
        with api.attach_socket(container, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}) as sock:
            api.start(container)
            sock.sendall(b"hello\n")
            seen = b""
            while b"hello\n" not in seen:
                seen += sock.recv(4096)
            assert seen == b"\x01\0\0\0\0\0\0\x06hello\n"

    def test_terminal_is_raw(self, api, box):
        container = box(["cat"], start=False, stdin_open=True, tty=True)
        with api.attach_socket(container, params={"stdin": 1, "stdout": 1, "stream": 1}) as sock:
            api.start(container)
            sock.sendall(b"hi\n")
            seen = b""
            while seen.count(b"hi") < 2:
                seen += sock.recv(4096)
            assert seen == b"hi\r\nhi\r\n"

    def test_default_params(self, api, box):
        container = box(sh("sleep 0.5; echo out"))
        with api.attach_socket(container) as sock:
            assert sock.recv(4096) == b"\x01\0\0\0\0\0\0\x04out\n"

    def test_closing_stdin_ends_the_program(self, api, busybox, unique, labels, box):
        config = api.create_container_config(busybox, ["cat"], stdin_open=True, labels=labels)
        container = api.create_container_from_config({**config, "StdinOnce": True, "AttachStdin": True}, unique())
        with api.attach_socket(container, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}) as sock:
            api.start(container)
            sock.sendall(b"all of it")
            sock.close_write()
            seen = b""
            while chunk := sock.recv(4096):
                seen += chunk
        assert seen == b"\x01\0\0\0\0\0\0\x09all of it"
        assert api.wait(container, timeout=20) == 0
        api.remove_container(container)

    def test_websocket(self, api, box):
        container = box(["cat"], start=False, stdin_open=True, tty=True)
        api.start(container)
        sock = api.attach_socket(container, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}, ws=True)
        try:
            sock.send("hi\n")
            seen = b""
            while seen.count(b"hi") < 2:
                data = sock.recv()
                seen += data.encode() if isinstance(data, str) else data
        finally:
            sock.close()

    def test_unknown_parameter(self, api, box):
        with pytest.raises((InvalidArgument, TypeError)):
            api.attach_socket(box(), {"nonsense": 1})


class TestStats:
    def test_stream_of_dicts(self, api, box):
        container = box()
        with api.stats(container, decode=True) as records:
            first, second = next(records), next(records)
        assert first["read"] < second["read"]
        assert second["memory_stats"]
        assert second["cpu_stats"]["cpu_usage"]["total_usage"] > 0

    def test_stream_of_bytes(self, api, box):
        with api.stats(box()) as records:
            assert next(records).lstrip().startswith(b"{")

    def test_one(self, api, box):
        found = api.stats(box(), stream=False)
        assert found["precpu_stats"]["cpu_usage"]
        assert "cpu_stats" in found

    def test_one_shot(self, api, box):
        before = time.monotonic()
        found = api.stats(box(), stream=False, one_shot=True)
        assert time.monotonic() - before < 5
        assert "cpu_stats" in found

    def test_one_shot_returns_a_single_record(self, api, box):
        with pytest.raises(InvalidArgument, match="one_shot"):
            api.stats(box(), one_shot=True)


class TestArchives:
    def test_export_is_a_tar_stream(self, api, box):
        container = box(sh("echo content > /tmp/file"))
        api.wait(container)
        chunks = list(api.export(container, chunk_size=65536))
        assert max(map(len, chunks)) <= 65536
        assert read_tar(b"".join(chunks))["tmp/file"] == b"content\n"

    def test_export_can_be_left_early(self, api, box):
        with api.export(box(start=False)) as stream:
            assert next(stream)
        assert api.ping()

    def test_get_archive(self, api, box):
        container = box(sh("echo -n content > /tmp/file; chmod 640 /tmp/file"))
        api.wait(container)
        stream, stat = api.get_archive(container, "/tmp/file")
        assert read_tar(b"".join(stream)) == {"file": b"content"}
        assert stat["name"] == "file"
        assert stat["size"] == 7
        assert stat["mode"] & 0o777 == 0o640
        assert set(stat) >= {"mtime", "linkTarget"}

    @pytest.mark.parametrize("encode_stream", [False, True])
    def test_get_archive_in_blocks(self, api, box, encode_stream):
        container = box(start=False)
        content = bytes(range(256)) * 4096
        assert api.put_archive(container, "/tmp", tar_of(blob=content))
        stream, _ = api.get_archive(container, "/tmp/blob", chunk_size=10_000, encode_stream=encode_stream)
        with stream:
            blocks = list(stream)
        assert max(map(len, blocks)) <= 10_000
        assert read_tar(b"".join(blocks)) == {"blob": content}

    def test_stat_archive(self, api, box):
        container = box(start=False)
        assert api.stat_archive(container, "/etc/passwd")["name"] == "passwd"
        with pytest.raises(NotFound):
            api.stat_archive(container, "/nothing")

    def test_get_archive_of_nothing(self, api, box):
        with pytest.raises(NotFound):
            api.get_archive(box(start=False), "/nothing/here")

    def test_put_bytes_file_and_iterator(self, api, box, tmp_path):
        container = box(start=False)
        assert api.put_archive(container, "/tmp", tar_of(a=b"bytes")) is True
        (tmp_path / "x.tar").write_bytes(tar_of(b=b"file"))
        with (tmp_path / "x.tar").open("rb") as handle:
            assert api.put_archive(container, "/tmp", handle) is True
        data = tar_of(c=b"blocks")
        assert api.put_archive(container, "/tmp", (data[at : at + 100] for at in range(0, len(data), 100))) is True
        for name, content in (("a", b"bytes"), ("b", b"file"), ("c", b"blocks")):
            assert read_tar(b"".join(api.get_archive(container, f"/tmp/{name}")[0])) == {name: content}

    def test_put_into_nothing(self, api, box):
        with pytest.raises(NotFound):
            api.put_archive(box(start=False), "/no/such/folder", tar_of(a=b""))

    def test_put_archive_rejects_other_data(self, api, box):
        with pytest.raises(APIError):
            api.put_archive(box(start=False), "/tmp", b"this is not an archive" * 100)

    @pytest.mark.parametrize("data", [None, "text", 5])
    def test_bad_data(self, api, box, data):
        with pytest.raises(InvalidArgument, match="data"):
            api.put_archive(box(start=False), "/tmp", data)

    @pytest.mark.parametrize("path", ["", None, 5])
    def test_bad_path(self, api, box, path):
        container = box(start=False)
        with pytest.raises(InvalidArgument, match="path"):
            api.get_archive(container, path)
        with pytest.raises(InvalidArgument, match="path"):
            api.put_archive(container, path, tar_of(a=b""))

    def test_copy_is_the_old_name(self, api, box):
        container = box(start=False)
        with pytest.warns(DeprecationWarning, match="get_archive"):
            stream = api.copy(container, "/etc/passwd")
        assert b"root:x:0:0" in read_tar(b"".join(stream))["passwd"]
