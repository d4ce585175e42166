"""``python -m dockerkit.compat``: run other programs on dockerkit."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest
import requests
from scripted_engine import Answer, ScriptedEngine

from dockerkit import errors
from dockerkit.compat import alias
from dockerkit.compat import client as compat
from dockerkit.compat.transport import UnixHTTPAdapter
from dockerkit.errors import DockerException

PROGRAM = """
import importlib.metadata, sys
import docker, docker.errors
from docker.types import Mount
client = docker.from_env()
print(importlib.metadata.version("docker"), type(client).__module__, isinstance(Mount("/t", "v"), dict), sys.argv[1:])
try:
    client.containers.get("none")
except docker.errors.NotFound:
    sys.exit(7)
"""
PRINTED = "7.2.0 dockerkit.compat.client True ['a', '-b']\n"


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def test_run_gives_a_program_and_its_children_the_alias(scripted: ScriptedEngine) -> None:
    scripted.on("GET", "/containers/none/json", Answer.error(404, "no"))
    runner = ("-m", "dockerkit.compat", "run", "--")
    done = python(*runner, sys.executable, "-c", PROGRAM, "a", "-b", DOCKER_HOST=scripted.host)
    assert (done.stdout, done.returncode) == (PRINTED, 7), done.stderr
    child = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, *sys.argv[1:]]))"
    done = python(*runner, sys.executable, "-c", child, "-c", PROGRAM, "a", "-b", DOCKER_HOST=scripted.host)
    assert (done.stdout, done.returncode) == (PRINTED, 7), done.stderr


def test_run_returns_how_the_program_ended() -> None:
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"
    assert alias.run([sys.executable, "-c", killed]) == 128 + 15
    done = python("-m", "dockerkit.compat", "run", "--", "/no/such/program")
    assert done.returncode == 1 and "/no/such/program" in done.stderr
    assert python("-m", "dockerkit.compat", "run").returncode == 2


def test_install_writes_a_distribution_that_pip_can_remove(tmp_path: Path, scripted: ScriptedEngine) -> None:
    scripted.on("GET", "/containers/none/json", Answer.error(404, "no"))
    files = alias.install(tmp_path)
    path = os.pathsep.join([str(tmp_path), str(Path(alias.__file__).parents[2])])
    done = python("-c", PROGRAM, "a", "-b", DOCKER_HOST=scripted.host, PYTHONPATH=path)
    assert (done.stdout, done.returncode) == (PRINTED, 7), done.stderr
    record = next(tmp_path.glob("docker-*.dist-info/RECORD")).read_text()
    assert {line.partition(",")[0] for line in record.splitlines()} == {
        str(file.relative_to(tmp_path)) for file in files
    }
    with pytest.raises(DockerException, match=r"docker 7\.2\.0 is installed"):
        alias.install(tmp_path)


def test_requests_sessions_reach_the_engine(scripted: ScriptedEngine) -> None:
    scripted.on("POST", "/v1.51/containers/c/start", Answer.error(404, "no"))
    scripted.on("POST", "/containers/c/start", Answer.error(404, "No such container"))
    scripted.on("GET", "/events", Answer.chunked([b'{"a":1}\n', b'{"a":2}\n']))
    with compat.DockerClient(scripted.host) as client, requests.Session() as session:
        for adapter in (client.api.get_adapter(client.api.base_url), UnixHTTPAdapter(f"http+{scripted.host}")):
            assert isinstance(adapter, UnixHTTPAdapter)
            assert adapter.socket_path == scripted.host.removeprefix("unix://")
            session.mount("http+docker://", adapter)
            assert session.post("http+docker://localhost/v1.51/containers/c/start", json={"a": 1}).status_code == 404
            assert scripted.requests[-1].body == b'{"a": 1}'
            with session.get("http+docker://localhost/v1.51/events", stream=True, params={"x": "y"}) as response:
                assert list(response.iter_lines()) == [b'{"a":1}', b'{"a":2}']
            assert scripted.requests[-1].query == {"x": ["y"]}
        assert pickle.loads(pickle.dumps(client.api)).get_adapter("") is not None


def test_private_attributes_of_a_client_can_be_replaced(scripted: ScriptedEngine, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"detachKeys": "ctrl-x"}')
    scripted.on("POST", "/containers/create", Answer.json({"Id": "c"}))
    scripted.on("POST", "/images/create", Answer.chunked([]))
    with compat.APIClient(scripted.host, environment={"DOCKER_CONFIG": str(tmp_path)}) as api:
        assert api._general_configs == {"detachKeys": "ctrl-x"}
        scripted.on("POST", "/containers/c/exec", Answer.json({"Id": "e"}))
        scripted.on("POST", "/containers/c/attach", Answer.upgraded([]))
        api.exec_create("c", "cmd")
        assert scripted.requests[-1].json()["DetachKeys"] == "ctrl-x"
        api.exec_create("c", "cmd", detach_keys="ctrl-y")
        assert scripted.requests[-1].json()["DetachKeys"] == "ctrl-y"
        api.attach_socket("c").close()
        assert scripted.requests[-1].query["detachKeys"] == ["ctrl-x"]
        api._proxy_configs = {"http": "proxy:1"}
        api.create_container("image")
        assert "http_proxy=proxy:1" in json.loads(scripted.requests[-1].body)["Env"]
        api._auth_configs = {"auths": {"host:5000": {"username": "u", "password": "p"}}}
        api.pull("host:5000/image")
        assert api._auth_configs.resolve_authconfig("host:5000").username == "u"
        sent = base64.urlsafe_b64decode(scripted.requests[-1].headers["X-Registry-Auth"])
        assert json.loads(sent)["username"] == "u"


def test_docker_transport_has_the_modules_of_docker_py() -> None:
    done = python("-m", "dockerkit.compat", "run", "--", sys.executable, "-c", """if True:
        import docker, docker.transport.sshconn
        from docker.transport import UnixHTTPAdapter
        from docker.transport.npipeconn import NpipeHTTPAdapter
        assert docker.transport.unixconn.UnixHTTPAdapter is UnixHTTPAdapter
    """)  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_clients_version_is_set_and_deleted(scripted: ScriptedEngine) -> None:
    scripted.on("GET", "/info", Answer.json({"ID": "x"}))
    with compat.APIClient(scripted.host) as api:
        assert api._version == "1.51"
        api._version = "1.40"
        api.info()
        assert (scripted.requests[-1].version, api._version) == ("1.40", "1.40")
        del api._version
        assert api._version == "1.51"


def test_requests_go_through_a_mounted_adapter(scripted: ScriptedEngine) -> None:
    class Counting(UnixHTTPAdapter):
        urls: ClassVar[list[str]] = []

        def send(self, request, *args: Any, **options: Any) -> requests.Response:
            self.urls.append(request.url)
            return super().send(request, *args, **options)

    scripted.on("GET", "/containers/json", Answer.json([]))
    scripted.on("GET", "/containers/c/json", Answer.error(404, "No such container: c"))
    scripted.on("GET", "/events", Answer.chunked([b'{"Action":"a"}\n', b'{"Action":"b"}\n']))
    scripted.on("GET", "/containers/c/export", Answer.length(b"x" * 100_000, cut_after=10))
    with compat.DockerClient(scripted.host) as client:
        api = client.api
        adapter = Counting(scripted.host)
        api.mount("http://", adapter)
        assert client.containers.list() == [] and adapter.urls == []
        api.mount("http+docker://", adapter)
        assert api.get_adapter(api.base_url) is adapter
        assert client.containers.list(all=True) == []
        with pytest.raises(errors.NotFound, match="No such container"):
            client.containers.get("c")
        with client.events(decode=True) as events:
            assert next(events)["Action"] == "a"
        with pytest.raises(errors.StreamTruncated):
            list(api.export("c"))
        assert [urlsplit(url).path for url in adapter.urls] == [
            f"/v1.51/{path}" for path in ("containers/json", "containers/c/json", "events", "containers/c/export")
        ]


def test_client_changes_its_engine_and_timeout(scripted: ScriptedEngine) -> None:
    scripted.on("GET", "/info", Answer.json({"ID": "x"}))
    other = ScriptedEngine(api_version="1.44")
    with contextlib.closing(other), compat.APIClient(other.host) as api:
        other.on("GET", "/info", Answer.hang())
        api.base_url = api.base_url  # noqa: PLW0127 - what programs restore
        api.timeout = 0.05
        with pytest.raises(errors.ReadTimeout):
            api.info()
        api.base_url = f"http+{scripted.host}"
        assert api.info()["ID"] == "x"
        assert (api.api_version, api.timeout) == ("1.51", 0.05)


def test_archives_can_be_passed_as_strings(scripted: ScriptedEngine) -> None:
    scripted.on("PUT", "/containers/c/archive", Answer.empty(200))
    scripted.on("POST", "/images/load", Answer.error(400, "invalid tar"))
    with compat.DockerClient(scripted.host) as client:
        client.api.put_archive("c", b"/tmp", "tar")
        assert scripted.requests[-1].body == b"tar" and scripted.requests[-1].query == {"path": ["/tmp"]}
        with pytest.raises(errors.APIError, match="invalid tar"):
            client.images.load("text")


def test_patched_requests_adapters_do_not_receive_engine_requests(
    scripted: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send(*args: object, **options: object) -> None:
        raise AssertionError("a mock of HTTP was asked")

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    scripted.on("GET", "/containers/json", Answer.json([]))
    with compat.DockerClient(scripted.host) as client:
        assert client.containers.list() == []
        scripted.on("GET", "/_ping", Answer.text("OK"))
        assert client.api.get("/_ping").text == "OK"


def test_private_helpers_of_docker_py_can_be_imported(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM x")
    done = python("-m", "dockerkit.compat", "run", "--", sys.executable, "-c", """if True:
        import os, sys
        from docker.api.build import process_dockerfile
        from docker.api.image import is_file
        from docker.models.containers import Container, _create_container_args

        folder = sys.argv[1]
        file = os.path.join(folder, "Dockerfile")
        assert is_file(file) and not is_file(folder) and not is_file(b"data")
        assert process_dockerfile(None, folder) == (None, None)
        assert process_dockerfile("Dockerfile", folder) == ("Dockerfile", None) == process_dockerfile(file, folder)
        os.mkdir(os.path.join(folder, "sub"))
        name, content = process_dockerfile("../Dockerfile", os.path.join(folder, "sub"))
        assert name.startswith(".dockerfile.") and content == "FROM x"

        args = _create_container_args({
            "image": "i", "command": "c", "ports": {"80/tcp": 81}, "volumes": {"/a": {"bind": "/b"}}, "network": "n",
            "mem_limit": "1m", "environment": {"A": "1"},
        })
        host = args.pop("host_config")
        assert args == {
            "image": "i", "command": "c", "ports": [("80", "tcp")], "volumes": ["/b"], "environment": {"A": "1"},
            "networking_config": {"EndpointsConfig": {"n": None}},
        }, args
        assert (host["Memory"], host["NetworkMode"], host["Binds"]) == (2**20, "n", ["/a:/b:rw"]), host
        try:
            _create_container_args({"image": "i", "nope": 1})
        except TypeError as error:
            assert "nope" in str(error)
        else:
            raise AssertionError
    """, str(tmp_path))  # fmt: skip
    assert done.returncode == 0, done.stderr
