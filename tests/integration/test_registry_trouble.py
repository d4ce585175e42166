"""Registries with faults, and abandoned pulls."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from scripted_registry import PASSWORD, REFRESH_TOKEN, USER, eventually, scripted_registry

from dockerkit.errors import APIError, PullError

if TYPE_CHECKING:
    from conftest import Engine

    from dockerkit import DockerClient


def test_scripted_registry_serves_an_image(client: DockerClient, engine: Engine) -> None:
    with scripted_registry(engine.gateway) as registry:
        image = client.images.pull(f"{registry.host}/app")
        try:
            assert image.attrs["Config"]["Cmd"] == ["/file"]
            assert client.images.get_registry_data(f"{registry.host}/app").id in image.digests[0]
        finally:
            image.remove(force=True)


def test_search_in_a_registry(client: DockerClient, engine: Engine) -> None:
    with scripted_registry(engine.gateway) as registry:
        (hit,) = client.images.search(f"{registry.host}/app", limit=5, filters={"stars": 2, "is-official": True})
        assert (hit["name"].rpartition("/")[2], hit["star_count"], hit["is_official"]) == ("app", 3, True)
        assert client.images.search(f"{registry.host}/app", filters={"stars": 4}) == []


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("loop401", r"(?i)unauthorized|authentication required|no basic auth|access denied"),
        ("limited", r"(?i)rate limit|toomanyrequests|too many requests"),
        ("cut", r"(?i)unexpected EOF|verification failed|short read|EOF"),
        ("wrong", r"(?i)verification failed|mismatch|does not match|digest"),
    ],
)
def test_registry_failures_raise_in_time(client: DockerClient, engine: Engine, mode: str, words: str) -> None:
    with scripted_registry(engine.gateway, mode) as registry:
        name = f"{registry.host}/{mode}"
        begun = time.monotonic()
        with pytest.raises((PullError, APIError), match=words):
            client.images.pull(name)
        assert time.monotonic() - begun < 60
        assert not client.images.exists(name)
        assert len(registry.requests) < 60
        if mode in ("loop401", "limited"):
            with pytest.raises(APIError, match=words):
                client.images.get_registry_data(name)


def test_fresh_credentials_are_requested_once(client: DockerClient, engine: Engine) -> None:
    asked: list[str] = []

    def credentials(host: str) -> dict[str, str]:
        asked.append(host)
        return {"username": USER, "password": f"{PASSWORD}{len(asked)}"}

    with scripted_registry(engine.gateway, "loop401") as registry:
        with pytest.raises((PullError, APIError)) as caught:
            client.images.pull(f"{registry.host}/x", auth_config=credentials)
        assert len(asked) == 2  # retried once with fresh ones
        assert PASSWORD not in f"{caught.value}{caught.value!r}"


def test_token_service(client: DockerClient, engine: Engine) -> None:
    with scripted_registry(engine.gateway, "token") as registry:
        name = f"{registry.host}/app"
        for given in ({"username": USER, "password": PASSWORD}, {"identitytoken": REFRESH_TOKEN}):
            assert client.images.get_registry_data(name, auth_config=given).id
            image = client.images.pull(name, auth_config=given)
            image.remove(force=True)
        for given in ({}, {"username": USER, "password": "wrong"}, {"identitytoken": "wrong"}):
            with pytest.raises((PullError, APIError)):
                client.images.pull(name, auth_config=given)
        assert any(request.startswith("POST /token") for request in registry.requests)


def test_abandoned_pull_ends_on_the_engine(client: DockerClient, engine: Engine) -> None:
    with scripted_registry(engine.gateway, "endless") as registry:
        with client.api.pull(f"{registry.host}/app", stream=True, decode=True) as records:  # type: ignore[union-attr]
            for record in records:
                if record.get("status") == "Pulling fs layer":
                    break
            assert eventually(lambda: any(registry.layer in line for line in registry.requests))
        assert eventually(registry.aborted.is_set, 20)


def test_pull_is_cancelled_from_another_thread(client: DockerClient, engine: Engine) -> None:
    with scripted_registry(engine.gateway, "endless") as registry:
        records = client.api.pull(f"{registry.host}/app", stream=True, decode=True)
        timer = threading.Timer(1.0, records.close)  # type: ignore[union-attr]
        timer.start()
        assert len(list(records)) >= 0  # the loop ends instead of raising
        timer.join()
        assert eventually(registry.aborted.is_set, 20)
