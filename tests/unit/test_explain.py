"""Explanations of engine errors. The texts are those of Engine 20.10, 26.1, 28.5 and 29.7, and of Podman."""

from __future__ import annotations

import json
import pickle

import pytest

from dockerkit import errors
from dockerkit.api.refs import action_of, subject_of
from dockerkit.errors.api import ErrorResponse
from dockerkit.errors.explain import api_error, explain
from dockerkit.models.containers import Container

ID = "01778f9cb05034f44e9b1f711ac777fedbb9abfe3b5e8c316d28e0c809e140bd"
TASK = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: "
)
START = TASK + "unable to start container process: "

TEXTS = [
    (
        f'Conflict. The container name "/web" is already in use by container "{ID}". You have to remove (or rename) '
        "that container to be able to reuse that name.",
        errors.NameTaken,
        "the name 'web' is already used by container 01778f9cb050.",
    ),
    (
        f"driver failed programming external connectivity on endpoint kalam ({ID}): Bind for 0.0.0.0:18999 failed: port "
        "is already allocated",
        errors.PortTaken,
        "port 18999 is already in use on the engine's host.",
    ),
    (START + 'exec: "nosuch": executable file not found in $PATH: unknown', errors.ProgramNotFound, "'nosuch'"),
    (START + 'error during container init: exec: "nosuch": executable file not found in $PATH', errors.ProgramNotFound, ""),
    (START + 'exec: "/no/such": stat /no/such: no such file or directory: unknown', errors.ProgramNotFound, "'/no/such'"),
    (START + 'exec: "/etc": is a directory: unknown: permission denied', errors.ProgramNotFound, "'/etc' can't be executed"),
    ("unable to find user nosuch: no matching entries in passwd file", None, "the user 'nosuch' does not exist in IT"),
    (
        f"You cannot remove a running container {ID}. Stop the container before attempting removal or force remove",
        None,
        "IT is running. Call stop() first, or remove(force=True)",
    ),
    (
        f'cannot remove container "{ID}": container is running: stop the container before removing or force remove',
        None,
        "IT is running.",
    ),
    ('cannot remove container "/web": container is running: stop the container before removing', None, "IT is running."),
    (f"Container {ID} is not running", errors.NotRunning, "IT is not running. Call start() first"),
    (f"cannot kill container: {ID}: container {ID} is not running", errors.NotRunning, "IT is not running."),
    (f"Container {ID} is paused, unpause the container before exec", None, "IT is paused. Call unpause() first"),
    (f"Container {ID} is already paused", None, "IT is already paused"),
    (f"Could not find the file /nosuch in container {ID}", errors.PathNotFound, "'/nosuch' does not exist in IT"),
    (f"No such container: {ID}", errors.ContainerNotFound, "IT does not exist"),
    ("No such container: nosuch", errors.ContainerNotFound, "container 'nosuch' does not exist"),
    ('no container with name or ID "nosuch" found: no such container', errors.ContainerNotFound, "IT does not exist"),
    ("no such image: nosuch:1: No such image: nosuch:1", errors.ImageNotFound, "image 'nosuch:1' is not on the engine."),
    ('Head "http://h:5/v2/b/manifests/1": no basic auth credentials', errors.Unauthorized, "the registry requires a login."),
    (
        'failed to resolve reference "h:5/b:1": pull access denied, repository does not exist or may require authorization: '
        "authorization failed: no basic auth credentials",
        errors.Unauthorized,
        "the registry requires a login.",
    ),
    (
        'failed to resolve reference "localhost:1/x:latest": failed to do request: Head '
        '"https://localhost:1/v2/x/manifests/latest": dial tcp 127.0.0.1:1: connect: connection refused',
        None,
        "the engine can't reach the registry localhost:1: connection refused.",
    ),
    ("No such image: nosuch:1", errors.ImageNotFound, "image 'nosuch:1' is not on the engine."),
    (
        "manifest for 127.0.0.1:15000/nosuch:latest not found: manifest unknown: manifest unknown",
        errors.ImageNotFound,
        "image '127.0.0.1:15000/nosuch:latest' is not in its registry",
    ),
    (
        "pull access denied for nosuch, repository does not exist or may require 'docker login'",
        errors.ImageNotFound,
        "image 'nosuch' is not in its registry",
    ),
    (
        "image with reference busybox was found but does not match the specified platform: wanted linux/arm64, actual: "
        "linux/amd64",
        errors.ImageNotFound,
        "image 'busybox' is on the engine, but not for the requested platform.",
    ),
    (
        "image with reference busybox was found but its platform (linux/amd64) does not match the specified platform "
        "(linux/arm64)",
        errors.ImageNotFound,
        "image 'busybox' is on the engine, but not for the requested platform.",
    ),
    (
        'Get "http://127.0.0.1:9/v2/": dial tcp 127.0.0.1:9: connect: connection refused',
        None,
        "the engine can't reach the registry 127.0.0.1:9: connection refused.",
    ),
    ("network nosuch not found", errors.NetworkNotFound, "network 'nosuch' does not exist."),
    ("failed to set up container networking: network nosuch not found", errors.NetworkNotFound, "network 'nosuch'"),
    ("unable to find network with name or ID nosuch: network not found", errors.NetworkNotFound, "IT does not exist"),
    ("get nosuch: no such volume", errors.VolumeNotFound, "volume 'nosuch' does not exist"),
    ('plugin "nosuch" not found', errors.PluginNotFound, "plugin 'nosuch' is not installed"),
    (
        f"error while removing network: network web id {ID} has active endpoints",
        None,
        "network 'web' is in use. Disconnect or remove its containers first",
    ),
    (
        'error while removing network: network web has active endpoints (name:"web" id:"f6c9f9336209")',
        None,
        "network 'web' is in use.",
    ),
    (f"remove data: volume is in use - [{ID}]", None, "IT is used by container 01778f9cb050."),
    (
        'conflict: unable to remove repository reference "busybox" (must force) - container 01778f9cb050 is using its '
        "referenced image 6d16df013999",
        None,
        "image 'busybox' is used by container 01778f9cb050.",
    ),
    (
        'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm.',
        None,
        "this engine is not a swarm manager. Call client.swarm.init()",
    ),
    (f"cannot kill container: {ID}: invalid signal: SIGFOO", None, "'SIGFOO' is not a signal that the engine knows"),
    ("invalid pool request: Pool overlaps with other one on this address space", None, "the subnet overlaps"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "cls", "news"), TEXTS, ids=[text[:40] for text, _, _ in TEXTS])
def test_engine_texts_are_explained(text, cls, news):
    found, message = explain(text, "IT")
    assert found is cls
    assert news in message
    assert ID not in message


def test_unknown_text_is_quoted_with_short_ids():
    assert explain(f"something odd about {ID}") == (None, "something odd about 01778f9cb050")


def answer(status, text):
    content = json.dumps({"message": text}).encode()
    return ErrorResponse(
        status, "Conflict", {}, content, "POST", f"unix:///x.sock/v1.45/containers/{ID}/start?t=secret"
    )


def test_first_line_explains_and_second_line_has_the_request():
    error = api_error(
        answer(409, f"Container {ID} is not running"), route="/containers/{id}/kill", subject="container 'web'"
    )
    assert str(error).splitlines() == [
        "container 'web' is not running. Call start() first",
        "  POST unix:///x.sock/v1.45/containers/01778f9cb050/start returned 409 Conflict: "
        "Container 01778f9cb050 is not running",
    ]
    assert error.explanation == f"Container {ID} is not running"
    assert (error.status_code, error.response.status_code) == (409, 409)
    assert "secret" not in str(error)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.explanation, type(again)) == (str(error), error.explanation, errors.NotRunning)


def test_class_never_contradicts_the_status():
    assert type(api_error(answer(500, "No such container: x"))) is errors.ServerError
    refused = api_error(
        answer(500, "login attempt to http://h:5/v2/ failed with status: 401 Unauthorized"), route="/auth"
    )
    assert type(refused) is errors.Unauthorized
    assert str(refused).startswith("the registry refused the user name or the password\n")
    assert type(api_error(answer(404, "oh no"), route="/networks/{id}")) is errors.NetworkNotFound
    assert type(api_error(answer(404, "oh no"), route="/containers/{id}/json")) is errors.NotFound


def test_program_that_an_image_lacks_is_the_same_error_from_podman():
    text = (
        'preparing container x for attach: runc: runc create failed: exec: "nosuch": executable file not found in $PATH'
    )
    error = api_error(answer(500, text), subject="container 'web'", image="nginx:1.27")
    assert isinstance(error, errors.ProgramNotFound)
    assert str(error).startswith("the program 'nosuch' does not exist in image 'nginx:1.27'.")


def test_failed_pulls_name_the_image():
    text = 'Get "https://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused'
    action = action_of("/images/create", {}, {"fromImage": "127.0.0.1:1/app", "tag": "2"})
    news, _ = str(api_error(answer(500, text), route="/images/create", action=action)).splitlines()
    assert news.startswith(
        "pulling image '127.0.0.1:1/app:2' failed: the engine can't reach the registry 127.0.0.1:1: "
    )
    missing = api_error(answer(404, "manifest for app:2 not found"), route="/images/create", action=action)
    assert str(missing).startswith("image 'app:2' is not in its registry")


@pytest.mark.parametrize(
    ("path", "ids", "query", "action"),
    [
        ("/images/create", {}, {"fromImage": "app", "tag": "sha256:12"}, "pulling image 'app@sha256:12'"),
        ("/images/create", {}, {"fromImage": "app"}, "pulling image 'app'"),
        ("/images/create", {}, {"fromSrc": "-", "repo": "app"}, ""),
        ("/images/{name}/push", {"name": "app"}, {"tag": "1"}, "pushing image 'app:1'"),
        ("/images/{name}/json", {"name": "app"}, None, ""),
    ],
)
def test_actions_name_their_image(path, ids, query, action):
    assert action_of(path, ids, query) == action


def test_web_page_is_not_an_engine():
    page = ErrorResponse(404, "Not Found", {}, b"<!doctype html><HTML>", "GET", "tcp://web:80/v1.45/version")
    for content in (page, ErrorResponse(404, "Not Found", {}, b"", "GET", "tcp://web:80/v1.45/version")):
        assert "Is this address a Docker Engine, or is a proxy in between?" in str(api_error(content)).splitlines()[0]


def test_subject_names_objects_without_a_request():
    container = Container({"Id": ID, "Names": ["/other/alias", "/web"]}, partial=True)
    assert subject_of("/containers/{id}/start", {"id": container}) == "container 'web'"
    assert subject_of("/containers/{id}/start", {"id": ID}) == "container 01778f9cb050"
    assert subject_of("/networks/{id}", {"id": "net"}) == "network 'net'"
    assert subject_of("/info", {}) == ""
