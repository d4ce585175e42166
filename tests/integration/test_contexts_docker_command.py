"""The docker command reads contexts written by dockerkit, and the reverse."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import trustme

from dockerkit import errors
from dockerkit.context import ContextAPI
from dockerkit.endpoint.discovery import resolve
from dockerkit.endpoint.tls import TLSConfig


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if shutil.which("docker") is None:
        pytest.fail("these tests compare with the docker command: install it (Debian: docker.io or docker-cli)")
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "config"))
    return tmp_path / "config"


@pytest.fixture
def tls(tmp_path: Path) -> TLSConfig:
    ca = trustme.CA()
    leaf = ca.issue_cert("me")
    ca.cert_pem.write_to_path(str(tmp_path / "authority.crt"))
    leaf.private_key_pem.write_to_path(str(tmp_path / "my.key"))
    leaf.cert_chain_pems[0].write_to_path(str(tmp_path / "my.crt"))
    return TLSConfig((str(tmp_path / "my.crt"), str(tmp_path / "my.key")), str(tmp_path / "authority.crt"))


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", "context", *arguments], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_docker_command_reads_our_contexts(store: Path, tls: TLSConfig) -> None:
    ContextAPI.create_context("with-tls", host="tcp://h:2376", tls_cfg=tls, description="the fast one")
    ContextAPI.create_context("over-ssh", host="ssh://me@h:2222")
    ContextAPI.set_current_context("over-ssh")
    assert docker("ls", "-q").split() == ["default", "over-ssh", "with-tls"]
    assert docker("show") == "over-ssh"
    for name in ("with-tls", "over-ssh"):
        theirs, ours = json.loads(docker("inspect", name))[0], ContextAPI.inspect_context(name)
        assert theirs == ours
    docker("rm", "with-tls")
    assert [context.name for context in ContextAPI.contexts()] == ["default", "over-ssh"]


def test_dockerkit_reads_contexts_of_the_docker_command(store: Path, tls: TLSConfig) -> None:
    cert, key = tls.cert or ("", "")
    docker(
        "create",
        "with-tls",
        "--description",
        "d",
        "--docker",
        f"host=tcp://h:2376,ca={tls.ca_cert},cert={cert},key={key}",
    )
    docker("create", "skips", "--docker", "host=tcp://h:2376,skip-tls-verify=true")
    docker("create", "over-ssh", "--docker", "host=ssh://me@h:2222/run/x.sock")
    docker("use", "over-ssh")
    assert [context.name for context in ContextAPI.contexts()] == ["default", "over-ssh", "skips", "with-tls"]
    for name in ("with-tls", "skips", "over-ssh"):
        assert ContextAPI.inspect_context(name) == json.loads(docker("inspect", name))[0]

    found = resolve()
    assert (found.source, found.host, found.context) == ("currentContext", "ssh://me@h:2222/run/x.sock", "over-ssh")
    secure = resolve(context="with-tls").tls
    assert secure is not None and secure.verifies and secure.cert is not None
    assert Path(secure.ca_cert or "").read_bytes() == Path(tls.ca_cert or "").read_bytes()
    open_ = resolve(context="skips").tls
    assert open_ is not None and not open_.verifies

    ContextAPI.remove_context("over-ssh")
    assert docker("show") == "default"
    ContextAPI.set_current_context("skips")
    docker("use", "default")
    assert resolve(use_context=True).source in ("default", "probe")


def test_both_refuse_the_same_names(store: Path) -> None:
    for name in ("x", "-ab", "a/b", "a b", "default"):
        done = subprocess.run(
            ["docker", "context", "create", "--docker", "host=ssh://h", "--", name], capture_output=True, check=False
        )
        assert done.returncode != 0, name
        with pytest.raises((errors.InvalidArgument, errors.ContextException)):
            ContextAPI.create_context(name, host="ssh://h")


def test_dockerkit_reads_exported_and_imported_contexts(store: Path, tls: TLSConfig) -> None:
    cert, key = tls.cert or ("", "")
    hosts = {
        "tcp": "host=tcp://h:2375",
        "unix": "host=unix:///run/somewhere.sock",
        "ssh": "host=ssh://Me@MyBox:2222",
        "tls": f"host=tcp://[::1]:2376,ca={tls.ca_cert},cert={cert},key={key}",
    }
    for name, options in hosts.items():
        docker("create", name, "--docker", options)
        docker("export", name, str(store / f"{name}.tar"))
        docker("import", f"{name}-again", str(store / f"{name}.tar"))
        for known in (name, f"{name}-again"):
            assert ContextAPI.inspect_context(known) == json.loads(docker("inspect", known))[0]
            assert resolve(context=known).host == options.partition("=")[2].partition(",")[0]
    secure = resolve(context="tls-again").tls
    assert secure is not None and secure.verifies and secure.cert is not None
    assert Path(secure.ca_cert or "").read_bytes() == Path(tls.ca_cert or "").read_bytes()
