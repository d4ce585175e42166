"""A real dockerd with --tlsverify: valid certificates work, and each kind of invalid one has its own error."""

from __future__ import annotations

import datetime
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from engines import private
from engines.settings import Spec
from through_asyncio import through_asyncio

from dockerkit import APIClient, DockerClient, errors
from dockerkit.context import ContextAPI
from dockerkit.endpoint.tls import TLSConfig

NAME = "engine.dockerkit.test"
SUITE = "trixie"


class Authority:
    """A certificate authority, and the files of its certificates."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self._ca = trustme.CA()
        self.ca = self._write("ca", self._ca.cert_pem)

    def _write(self, name: str, blob: trustme.Blob) -> str:
        path = self.folder / f"{name}.pem"
        blob.write_to_path(str(path))
        return str(path)

    def issue(self, name: str, *hosts: str, expired: bool = False) -> tuple[str, str]:
        """Issue a certificate; return the paths of the certificate and its key."""
        until = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1) if expired else None
        made = self._ca.issue_cert(*hosts, not_after=until)
        return self._write(name, made.cert_chain_pems[0]), self._write(f"{name}-key", made.private_key_pem)


def engine_with(spec: Spec, certificate: tuple[str, str], ca: str, folder: Path) -> Spec:
    folder.mkdir()
    for source, name in ((ca, "ca.pem"), (certificate[0], "cert.pem"), (certificate[1], "key.pem")):
        shutil.copy(source, folder / name)
    secure = Spec(spec.name, spec.number, spec.suite, certificates=folder)
    private.up(secure)
    return secure


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "ours")


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "others")


@pytest.fixture(scope="module")
def secure(ours: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spec]:
    """An engine that requires client certificates, and has a valid certificate for its address."""
    spec = Spec("tls", 61, SUITE)
    folder = tmp_path_factory.mktemp("server") / "files"
    spec = engine_with(spec, ours.issue("server", spec.address, NAME), ours.ca, folder)
    yield spec
    private.down(spec)


@pytest.fixture(scope="module")
def outdated(ours: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spec]:
    """An engine whose certificate has expired."""
    spec = Spec("tls-old", 62, SUITE)
    folder = tmp_path_factory.mktemp("server") / "files"
    spec = engine_with(spec, ours.issue("old", spec.address, expired=True), ours.ca, folder)
    yield spec
    private.down(spec)


@pytest.fixture(scope="module")
def misnamed(ours: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spec]:
    """An engine whose certificate is for another name."""
    spec = Spec("tls-name", 63, SUITE)
    folder = tmp_path_factory.mktemp("server") / "files"
    spec = engine_with(spec, ours.issue("named", NAME), ours.ca, folder)
    yield spec
    private.down(spec)


@pytest.fixture
def right(ours: Authority) -> TLSConfig:
    return TLSConfig(ours.issue("client", "me"), ours.ca, verify=True)


def failure(host: str, tls: TLSConfig | bool | None) -> str:
    with APIClient(host, tls=tls, timeout=20) as api, pytest.raises(errors.ConnectionFailed) as caught:
        api.ping()
    assert host in str(caught.value)
    return str(caught.value)


def test_connects_with_valid_certificates(secure: Spec, right: TLSConfig) -> None:
    with APIClient(secure.tcp, tls=right) as api:
        assert api.ping() is True
        assert api.version()["ApiVersion"] == api.api_version or api.version()["ApiVersion"]
        assert api.endpoint.tls is right


def test_asynchronous_client_does_not_block_over_tls(secure: Spec, right: TLSConfig) -> None:
    with through_asyncio(secure.tcp, tls=right) as client:
        container = client.containers.run("busybox", ["sh", "-c", "echo out; sleep 600"], detach=True)
        try:
            assert next(iter(container.log_entries(follow=True))).text == "out"
            assert container.exec(["cat"], input=b"x" * 500_000).stdout == b"x" * 500_000
            assert b"".join(container.get_archive("/bin")[0])
        finally:
            container.remove(force=True)


def test_everything_works_over_tls(secure: Spec, right: TLSConfig) -> None:
    """Hijacked streams with half-close, and followed logs that are cancelled, over TLS."""
    with APIClient(secure.tcp, tls=right) as api:
        box = api.create_container("busybox", ["sh", "-c", "echo one; sleep 60"])["Id"]
        try:
            api.start(box)
            exec_id = api.exec_create(box, ["sh", "-c", "echo early; wc -c"], stdin=True)["Id"]
            with api.exec_start(exec_id, socket=True) as stream:
                stream.sendall(b"x" * 300_000)
                time.sleep(0.2)  # "early" has arrived, and was not read yet
                stream.close_write()
                output = b"".join(iter(lambda: stream.recv(4096), b""))
                assert b"early" in output and b"300000" in output
            logs = api.logs(box, stream=True, follow=True)
            assert next(logs) == b"one\n"
            logs.close()
            assert list(logs) == []
        finally:
            api.remove_container(box, force=True)


def test_environment_variables_configure_tls(secure: Spec, right: TLSConfig, tmp_path: Path) -> None:
    cert, key = right.cert or ("", "")
    for source, name in ((right.ca_cert, "ca.pem"), (cert, "cert.pem"), (key, "key.pem")):
        shutil.copy(source or "", tmp_path / name)
    variables = {"DOCKER_HOST": secure.tcp, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}
    with DockerClient.from_env(environment=variables) as client:
        assert client.ping() is True


def test_context_configures_tls(
    secure: Spec, right: TLSConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "config"))
    ContextAPI.create_context("secure", host=secure.tcp, tls_cfg=right)
    with DockerClient.from_context("secure") as client:
        assert client.ping() is True


def test_server_hostname_overrides_the_name(misnamed: Spec, right: TLSConfig) -> None:
    tls = TLSConfig(right.cert, right.ca_cert, server_hostname=NAME)
    with APIClient(misnamed.tcp, tls=tls) as api:
        assert api.ping() is True


def test_without_verifying(outdated: Spec, right: TLSConfig) -> None:
    with APIClient(outdated.tcp, tls=TLSConfig(right.cert, verify=False)) as api:
        assert api.ping() is True


def test_wrong_name(misnamed: Spec, right: TLSConfig) -> None:
    said = failure(misnamed.tcp, right)
    assert "mismatch" in said and "Connect by a name in the certificate" in said


def test_expired(outdated: Spec, right: TLSConfig) -> None:
    assert "The engine's certificate has expired" in failure(outdated.tcp, right)


def test_wrong_authority(secure: Spec, right: TLSConfig, others: Authority) -> None:
    assert "signed by a CA that is not trusted here" in failure(secure.tcp, TLSConfig(right.cert, others.ca))
    assert "signed by a CA that is not trusted here" in failure(secure.tcp, True), "nor do the system's know it"


def test_missing_client_certificate(secure: Spec, ours: Authority) -> None:
    for _ in range(5):
        said = failure(secure.tcp, TLSConfig(ca_cert=ours.ca))
        assert "requires a client certificate: pass TLSConfig(client_cert=" in said


def test_client_certificate_of_an_unknown_authority(secure: Spec, ours: Authority, others: Authority) -> None:
    said = failure(secure.tcp, TLSConfig(others.issue("client", "me"), ours.ca))
    assert "does not trust the CA of the client certificate" in said or "did not accept the client certificate" in said


def test_expired_client_certificate(secure: Spec, ours: Authority) -> None:
    said = failure(secure.tcp, TLSConfig(ours.issue("gone", "me", expired=True), ours.ca))
    assert "client certificate has expired" in said or "did not accept the client certificate" in said


def test_tls_on_a_plain_port(engine: Any, right: TLSConfig) -> None:
    assert "speaks plain HTTP on this port" in failure(engine.tcp, right)


def test_plain_on_a_tls_port(secure: Spec) -> None:
    assert "requires TLS: pass tls=" in failure(secure.tcp, None)


@pytest.mark.parametrize("which", ["ca", "cert", "key"])
def test_invalid_files_are_named(ours: Authority, tmp_path: Path, which: str) -> None:
    cert, key = ours.issue("client", "me")
    files = {"ca": ours.ca, "cert": cert, "key": key, which: str(tmp_path / "junk.pem")}
    Path(files[which]).write_text("junk")
    tls = TLSConfig((files["cert"], files["key"]), files["ca"])
    with APIClient("tcp://127.0.0.1:1", tls=tls) as api, pytest.raises(errors.TLSParameterError, match="junk.pem"):
        api.endpoint.tls.ssl_context()


def test_mismatched_certificate_and_key_are_refused(ours: Authority, right: Callable[..., Any]) -> None:
    cert, _ = ours.issue("one", "me")
    _, key = ours.issue("two", "me")
    with pytest.raises(errors.TLSParameterError, match="don.t match"):
        TLSConfig((cert, key), ours.ca).ssl_context()
