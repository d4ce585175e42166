"""Logins to a real registry, and pulls with old, fresh and passed credentials."""

from __future__ import annotations

import base64
import io
import json
import os
import pickle
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dockerkit import DockerClient, errors

WRONG = "wrong-" + "password"  # not in one piece, because a traceback quotes the lines of this file


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.delenv("DOCKER_AUTH_CONFIG", raising=False)
    return tmp_path


@pytest.fixture
def private_image(
    home: Path, client: DockerClient, busybox: str, auth_registry: Any, unique: Callable[..., str]
) -> Iterator[str]:
    """An image in the registry with a password, which is not on the engine."""
    name = f"{auth_registry.host}/{unique('private')}"
    client.api.tag(busybox, name, "1")
    account = {"username": auth_registry.user, "password": auth_registry.password}
    client.images.push(name, tag="1", auth_config=account)
    client.api.remove_image(f"{name}:1")
    yield f"{name}:1"
    try:
        client.api.remove_image(f"{name}:1")
    except errors.NotFound:
        pass


def encoded(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def test_login_applies_to_this_client_only(
    home: Path, client: DockerClient, auth_registry: Any, private_image: str
) -> None:
    with pytest.raises(errors.APIError) as caught:
        client.login(auth_registry.user, WRONG, registry=auth_registry.host)
    assert WRONG not in "".join(traceback.format_exception(caught.value))
    with pytest.raises((errors.APIError, errors.PullError)):
        client.images.pull(private_image)
    answer = client.login(auth_registry.user, auth_registry.password, registry=auth_registry.host)
    assert "Succeeded" in str(answer.get("Status"))
    assert client.images.pull(private_image).tags
    assert not (home / "config.json").exists()
    assert auth_registry.password not in repr(client.api.auth_config)
    twin = pickle.loads(pickle.dumps(client))
    assert auth_registry.password.encode() not in pickle.dumps(client)
    twin.close()


def test_login_saves_on_request_and_logout_erases(
    home: Path, client: DockerClient, engine: Any, auth_registry: Any, private_image: str
) -> None:
    client.login(auth_registry.user, auth_registry.password, registry=auth_registry.host, save=True)
    kept = json.loads((home / "config.json").read_text())
    assert kept == {"auths": {auth_registry.host: {"auth": encoded(auth_registry.user, auth_registry.password)}}}
    with DockerClient(engine.host) as other:
        assert other.images.pull(private_image).tags
        assert other.logout(auth_registry.host)
        assert not other.logout(auth_registry.host)
    assert json.loads((home / "config.json").read_text()) == {"auths": {}}
    client.api.remove_image(private_image)
    with DockerClient(engine.host) as another, pytest.raises((errors.APIError, errors.PullError)):
        another.images.pull(private_image)


def test_environment(
    home: Path, client: DockerClient, auth_registry: Any, private_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    auths = {auth_registry.host: {"auth": encoded(auth_registry.user, auth_registry.password)}}
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps({"auths": auths}))
    client.api.reload_config()
    assert client.images.pull(private_image).tags


def test_pull_retries_with_a_renewed_secret(
    home: Path, client: DockerClient, auth_registry: Any, private_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper = home / "docker-credential-renewing"
    state = home / "asked"
    helper.write_text(
        f"#!{sys.executable}\n"
        "import json, os, sys\n"
        "server = sys.stdin.read()\n"
        f"first = not os.path.exists({str(state)!r})\n"
        f"open({str(state)!r}, 'a').write(server + '\\n')\n"
        f"secret = 'expired' if first else {auth_registry.password!r}\n"
        f"print(json.dumps({{'ServerURL': server, 'Username': {auth_registry.user!r}, 'Secret': secret}}))\n"
    )
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{home}{os.pathsep}{os.environ['PATH']}")
    (home / "config.json").write_text(json.dumps({"credHelpers": {auth_registry.host: "renewing"}}))
    client.api.reload_config()
    assert client.images.pull(private_image).tags
    assert state.read_text().split() == [auth_registry.host] * 2


def test_credentials_of_one_call(home: Path, client: DockerClient, auth_registry: Any, private_image: str) -> None:
    account = {"username": auth_registry.user, "password": auth_registry.password}
    assert client.images.pull(private_image, auth_config=account).tags
    assert client.api.auth_config.is_empty
    with pytest.raises((errors.APIError, errors.PullError)) as caught:
        client.images.pull(private_image, auth_config={"username": "x", "password": WRONG})
    assert WRONG not in "".join(traceback.format_exception(caught.value))


def test_helper_that_is_missing_says_what_to_do(home: Path, client: DockerClient, auth_registry: Any) -> None:
    (home / "config.json").write_text(json.dumps({"credsStore": "nowhere"}))
    client.api.reload_config()
    with pytest.warns(UserWarning, match=r"docker-credential-nowhere.*install it, or remove it from"):
        with pytest.raises(errors.APIError, match="no basic auth credentials|unauthorized"):
            client.images.pull(f"{auth_registry.host}/nothing:1")


@pytest.mark.parametrize("builder", ["classic", "buildkit"])
def test_build_pulls_with_the_credentials(
    home: Path, client: DockerClient, auth_registry: Any, private_image: str, unique: Callable[..., str], builder: Any
) -> None:
    dockerfile = f"FROM {private_image}\nLABEL built={builder}\n".encode()
    tag = f"{unique('built')}:1"
    with pytest.raises(errors.DockerException):
        client.images.build(fileobj=io.BytesIO(dockerfile), tag=tag, builder=builder, pull=True)
    client.login(auth_registry.user, auth_registry.password, registry=auth_registry.host)
    image, _ = client.images.build(fileobj=io.BytesIO(dockerfile), tag=tag, builder=builder, pull=True, rm=True)
    assert image.labels["built"] == builder
    client.images.remove(tag)
