"""Discovery: precedence and reasons; TLS, proxies and headers by the docker command's rules."""

from __future__ import annotations

import json
import os
import pickle
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from dockerkit import APIClient, DockerClient, errors
from dockerkit.cliconfig import configfile, context_store
from dockerkit.context import ContextAPI
from dockerkit.endpoint import discovery
from dockerkit.endpoint.discovery import Endpoint, resolve
from dockerkit.endpoint.tls import TLSConfig


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A user's environment with an empty home folder, and no default socket."""
    monkeypatch.setattr(discovery, "DEFAULT_SOCKET", f"unix://{tmp_path}/default.sock")
    return {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / "run")}


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[object]:
    """Listen on Unix sockets by path."""
    servers = []

    def listen(path: str | Path) -> None:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        server = socket.socket(socket.AF_UNIX)
        servers.append(server)
        server.bind(str(path))
        server.listen()

    yield listen
    for server in servers:
        server.close()


def context(env: dict[str, str], name: str, host: str, **facts: object) -> None:
    folder = Path(configfile.config_dir(env)) / "contexts" / "meta" / context_store.context_id(name)
    folder.mkdir(parents=True)
    meta = {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host, **facts}}}
    (folder / "meta.json").write_text(json.dumps(meta))


def choose(env: dict[str, str], name: str) -> None:
    context_store.use(configfile.config_dir(env), name)


def test_sources_of_the_endpoint_have_an_order(env: dict[str, str], listening: object) -> None:
    listening(f"{env['XDG_RUNTIME_DIR']}/docker.sock")  # type: ignore[operator]
    found = resolve(environment=env)
    assert (found.source, found.host) == ("probe", f"unix://{env['XDG_RUNTIME_DIR']}/docker.sock")
    assert "rootless" in found.reason and "is missing" in found.reason

    listening(f"{env['HOME']}/default.sock")  # type: ignore[operator]
    found = resolve(environment=env)
    assert (found.source, found.host) == ("default", discovery.DEFAULT_SOCKET)

    context(env, "chosen", "tcp://chosen:1")
    choose(env, "chosen")
    found = resolve(environment=env)
    assert (found.source, found.host, found.context) == ("currentContext", "tcp://chosen:1", "chosen")
    assert "config.json" in found.reason

    context(env, "named", "ssh://named")
    env["DOCKER_CONTEXT"] = "named"
    found = resolve(environment=env)
    assert (found.source, found.host, found.context) == ("DOCKER_CONTEXT", "ssh://named", "named")
    assert resolve(environment=env, use_context=False).source == "default"

    env["DOCKER_HOST"] = "tcp://variable:1"
    found = resolve(environment=env)
    assert (found.source, found.host, found.context) == ("DOCKER_HOST", "tcp://variable:1", None)

    assert resolve(context="chosen", environment=env).host == "tcp://chosen:1"
    found = resolve("tcp://argument:1", environment=env)
    assert (found.source, found.host) == ("argument", "tcp://argument:1")


def test_empty_variables_count_as_unset(env: dict[str, str]) -> None:
    assert (
        resolve(environment={**env, "DOCKER_HOST": "", "DOCKER_CONTEXT": "", "DOCKER_TLS_VERIFY": ""}).source
        == "default"
    )


@pytest.mark.parametrize("how", ["argument", "variable", "config.json"])
def test_unknown_context_is_an_error(env: dict[str, str], how: str) -> None:
    context(env, "known", "tcp://h:1")
    if how == "config.json":
        choose(env, "gone")
    elif how == "variable":
        env["DOCKER_CONTEXT"] = "gone"
    with pytest.raises(errors.ContextNotFound, match="'gone'.*known: default, known"):
        resolve(context="gone" if how == "argument" else None, environment=env)


def test_rejects_two_engines(env: dict[str, str]) -> None:
    with pytest.raises(errors.InvalidArgument, match="base_url, context"):
        resolve("tcp://h:1", context="x", environment=env)


def test_default_context_is_the_default_socket(env: dict[str, str]) -> None:
    context(env, "chosen", "tcp://chosen:1")
    choose(env, "chosen")
    assert resolve(environment={**env, "DOCKER_CONTEXT": "default"}).host == discovery.DEFAULT_SOCKET
    assert resolve(context="default", environment=env).host == discovery.DEFAULT_SOCKET
    assert resolve(context="default", environment={**env, "DOCKER_HOST": "tcp://h:1"}).host == "tcp://h:1"


def test_skips_a_stale_socket_and_reports_what_was_tried(env: dict[str, str], listening: object) -> None:
    stale = Path(env["XDG_RUNTIME_DIR"], "docker.sock")
    stale.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(stale))
    nothing = resolve(environment=env)
    assert (nothing.source, nothing.host) == ("default", discovery.DEFAULT_SOCKET)
    assert "rootless Docker seems to be stopped" in nothing.reason
    with DockerClient(environment=env) as client, pytest.raises(errors.ConnectionFailed) as caught:
        client.ping()
    assert f"One engine seems to be stopped: {stale} (rootless Docker)" in str(caught.value)

    podman = Path(env["XDG_RUNTIME_DIR"], "podman", "podman.sock")
    listening(podman)  # type: ignore[operator]
    found = resolve(environment=env)
    assert found.host == f"unix://{podman}"
    assert found.tried[0] == "DOCKER_HOST: not set"
    assert f"{stale} (rootless Docker): exists, but nothing listens on it" in found.tried
    assert any("colima" in line for line in found.tried)


def test_docker_config_sets_the_folder(env: dict[str, str], tmp_path: Path) -> None:
    env["DOCKER_CONFIG"] = str(tmp_path / "elsewhere")
    context(env, "chosen", "tcp://chosen:1")
    choose(env, "chosen")
    assert resolve(environment=env).host == "tcp://chosen:1"
    del env["DOCKER_CONFIG"]
    assert resolve(environment=env).source == "default"


@pytest.mark.parametrize("text", ["{", "[]", '{"currentContext": 1}'])
def test_damaged_config_file_is_named(env: dict[str, str], text: str) -> None:
    path = Path(configfile.config_dir(env), "config.json")
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(errors.InvalidConfigFile, match="config.json"):
        resolve(environment=env)
    assert resolve("tcp://h:1", environment=env).host == "tcp://h:1", "not looked at when not needed"


def test_damaged_context_is_named(env: dict[str, str]) -> None:
    context(env, "chosen", "tcp://chosen:1")
    (next(Path(configfile.config_dir(env), "contexts", "meta").iterdir()) / "meta.json").write_text(
        '{"Name": "chosen"}'
    )
    with pytest.raises(errors.InvalidConfigFile, match="meta.json"):
        resolve(context="chosen", environment=env)


def test_invalid_address_names_its_source(env: dict[str, str]) -> None:
    with pytest.raises(errors.InvalidArgument, match="^DOCKER_HOST: "):
        resolve(environment={**env, "DOCKER_HOST": "nonsense"})
    context(env, "odd", "nonsense")
    with pytest.raises(errors.InvalidArgument, match="^docker context 'odd', Host: "):
        resolve(context="odd", environment=env)


# --- TLS


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certs")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    leaf = ca.issue_cert("client")
    leaf.private_key_pem.write_to_path(str(folder / "key.pem"))
    leaf.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
    return folder


def test_docker_tls_verify(env: dict[str, str], certs: Path) -> None:
    env |= {"DOCKER_HOST": "tcp://h", "DOCKER_TLS_VERIFY": "0", "DOCKER_CERT_PATH": str(certs)}
    found = resolve(environment=env)
    assert found.host == "tcp://h:2376"
    assert found.tls == TLSConfig((f"{certs}/cert.pem", f"{certs}/key.pem"), f"{certs}/ca.pem", True)
    context = found.tls.ssl_context()
    assert context.verify_mode == ssl.CERT_REQUIRED and context.check_hostname
    assert len(context.get_ca_certs()) == 1, "only this authority is trusted"


def test_docker_tls_does_not_verify(env: dict[str, str], certs: Path) -> None:
    found = resolve(environment={**env, "DOCKER_HOST": "tcp://h", "DOCKER_TLS": "1", "DOCKER_CERT_PATH": str(certs)})
    assert found.tls is not None and not found.tls.verifies and found.tls.cert is not None
    assert found.tls.ssl_context().verify_mode == ssl.CERT_NONE


def test_docker_cert_path_alone_means_no_tls_as_for_the_docker_command(env: dict[str, str], certs: Path) -> None:
    found = resolve(environment={**env, "DOCKER_HOST": "tcp://h:1", "DOCKER_CERT_PATH": str(certs)})
    assert found.tls is None


def test_docker_tls_verify_without_authority_is_refused(env: dict[str, str], tmp_path: Path) -> None:
    env |= {"DOCKER_HOST": "tcp://h:1", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}
    with pytest.raises(errors.TLSParameterError, match="DOCKER_TLS_VERIFY is set, but .*ca.pem does not exist"):
        resolve(environment=env)


def test_local_sockets_and_ssh_ignore_tls(env: dict[str, str], certs: Path) -> None:
    env |= {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(certs)}
    for host in ("unix:///x", "ssh://h", "npipe:////./pipe/x"):
        assert resolve(environment={**env, "DOCKER_HOST": host}).tls is None
    assert resolve("unix:///x", tls=True, environment=env).tls is None


def test_tls_argument(env: dict[str, str]) -> None:
    own = ssl.create_default_context()
    assert resolve("tcp://h:1", environment=env).tls is None
    assert resolve("tcp://h:1", tls=False, environment=env).tls is None
    assert resolve("https://h:1", environment=env).tls == TLSConfig()
    assert resolve("tcp://h:1", tls=True, environment=env).tls == TLSConfig()
    given = resolve("tcp://h:1", tls=own, environment=env).tls
    assert given is not None and given.ssl_context() is own and given.verifies
    with pytest.raises(errors.InvalidArgument, match="tls: must be a TLSConfig"):
        resolve("tcp://h:1", tls="yes", environment=env)  # type: ignore[arg-type]


def test_context_provides_tls_files(env: dict[str, str], certs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", configfile.config_dir(env))
    full = TLSConfig((f"{certs}/cert.pem", f"{certs}/key.pem"), f"{certs}/ca.pem")
    ContextAPI.create_context("full", host="tcp://h:1", tls_cfg=full)
    ContextAPI.create_context("only-ca", host="tcp://h:1", tls_cfg=TLSConfig(ca_cert=f"{certs}/ca.pem"))
    ContextAPI.create_context("skip", host="tcp://h:1", skip_tls_verify=True)
    ContextAPI.create_context("plain", host="tcp://h:1")
    for name, verifies, has_ca, has_cert in [
        ("full", True, True, True),
        ("only-ca", True, True, False),
        ("skip", False, False, False),
    ]:
        tls = resolve(context=name).tls
        assert tls is not None
        assert (tls.verifies, tls.ca_cert is not None, tls.cert is not None) == (verifies, has_ca, has_cert), name
        tls.ssl_context()
    assert resolve(context="plain").tls is None


# --- proxies, versions, headers


@pytest.mark.parametrize(
    ("host", "no_proxy", "direct"),
    [
        ("tcp://far:1", "", False),
        ("tcp://localhost:1", "", True),
        ("tcp://127.8.8.8:1", "", True),
        ("tcp://[::1]:1", "", True),
        ("tcp://far:1", "*", True),
        ("tcp://far:1", "other, far", True),
        ("tcp://far:1", "far:1", True),
        ("tcp://far:1", "far:2", False),
        ("tcp://a.corp:1", "corp", True),
        ("tcp://a.corp:1", ".corp", True),
        ("tcp://a.corp:1", "*.corp", True),
        ("tcp://acorp:1", "corp", False),
        ("tcp://10.1.2.3:1", "10.0.0.0/8", True),
        ("tcp://11.1.2.3:1", "10.0.0.0/8", False),
        ("tcp://[fd00::1]:1", "fd00::/8", True),
        ("tcp://[fd00::1]:7", "[fd00::1]:7", True),
        ("unix:///x", "", True),
        ("ssh://far", "", True),
    ],
)
def test_proxies(env: dict[str, str], host: str, no_proxy: str, direct: bool) -> None:
    found = resolve(host, environment={**env, "HTTP_PROXY": "proxy:3128", "no_proxy": no_proxy})
    assert found.proxy == (None if direct else "http://proxy:3128")


def test_tls_uses_the_https_proxy_and_a_password_in_it_stays_unseen(env: dict[str, str]) -> None:
    found = resolve(
        "https://far:1", environment={**env, "HTTP_PROXY": "http://no", "https_proxy": "http://u:secret@p:1"}
    )
    assert found.proxy == "http://u:secret@p:1"
    assert "secret" not in repr(found)


def test_http_proxy_is_ignored_in_cgi_programs(env: dict[str, str]) -> None:
    assert (
        resolve("tcp://far:1", environment={**env, "HTTP_PROXY": "http://evil", "REQUEST_METHOD": "GET"}).proxy is None
    )


def test_api_version() -> None:
    assert discovery.api_version({"DOCKER_API_VERSION": "1.41"}) == "1.41"
    assert discovery.api_version({"DOCKER_API_VERSION": "v1.41"}) == "1.41"
    assert discovery.api_version({"DOCKER_API_VERSION": ""}) is None


def test_http_headers(env: dict[str, str]) -> None:
    assert configfile.http_headers(env) == {}
    path = Path(configfile.config_dir(env), "config.json")
    path.parent.mkdir()
    path.write_text('{"HttpHeaders": {"X-Team": "blue", "User-Agent": "no"}}')
    assert configfile.http_headers(env) == {"X-Team": "blue"}
    path.write_text('{"HttpHeaders": ["X-Team"]}')
    with pytest.raises(errors.InvalidConfigFile, match="HttpHeaders"):
        configfile.http_headers(env)


def test_explicit_engine_ignores_a_damaged_file(env: dict[str, str]) -> None:
    path = Path(configfile.config_dir(env), "config.json")
    path.parent.mkdir()
    path.write_text("{")
    with pytest.warns(errors.EngineWarning, match="config.json can't be read.*HttpHeaders are not sent"):
        APIClient("unix:///x", environment=env).close()
    with pytest.raises(errors.InvalidConfigFile):
        APIClient(environment=env)


def test_endpoint_can_be_pickled(certs: Path) -> None:
    tls = TLSConfig(ca_cert=f"{certs}/ca.pem")
    tls.ssl_context()
    endpoint = Endpoint("tcp://h:1", "argument", "given", tls)
    assert pickle.loads(pickle.dumps(endpoint)) == endpoint


def test_importing_config_is_cheap() -> None:
    heavy = "import sys, dockerkit.endpoint.discovery; print(*{'requests', 'urllib3', 'pydantic', 'http.client'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", heavy], text=True).strip() == ""


def test_tls_accepts_a_ca_created_by_dockers_instructions() -> None:
    """They lack a key usage, which the strict checks of Python 3.13's default contexts require."""
    assert not TLSConfig().ssl_context().verify_flags & ssl.VERIFY_X509_STRICT
