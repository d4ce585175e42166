"""Behavior that docker-py's users depend on in both profiles: spellings, exceptions, defaults."""

from __future__ import annotations

import inspect
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from scripted_engine import Answer, ScriptedEngine

from dockerkit import errors, types
from dockerkit.api.client import APIClient
from dockerkit.compat import client as compat
from dockerkit.compat.types import drop_in
from dockerkit.credentials.auth import AuthConfig
from dockerkit.credentials.errors import CredentialsNotFound
from dockerkit.endpoint import discovery
from dockerkit.endpoint.tls import TLSConfig
from dockerkit.errors import EngineWarning
from dockerkit.parsing import shorthands

SWARM = "10.0.0.0/8"


@pytest.fixture
def api(scripted: ScriptedEngine) -> Iterator[APIClient]:
    with APIClient(scripted.host) as api:
        yield api


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, (None, None)),
        ({"default_addr_pool": ["10.1.0.0/16"]}, (["10.1.0.0/16"], 24)),
        ({"subnet_size": 26}, ([SWARM], 26)),
        ({"default_addr_pool": ["10.1.0.0/16"], "subnet_size": 26}, (["10.1.0.0/16"], 26)),
    ],
)
def test_swarm_has_both_address_pool_and_subnet_size(scripted: ScriptedEngine, api: APIClient, given, sent) -> None:
    scripted.on("POST", "/swarm/init", Answer.json("node"))
    api.init_swarm(**given)
    body = scripted.json_bodies()[0]
    assert (body.get("DefaultAddrPool"), body.get("SubnetSize")) == sent


def test_health_check_of_a_service_is_spelled_as_the_engine_spells_it() -> None:
    spec = types.ContainerSpec("image", healthcheck=types.Healthcheck("true"))
    assert spec.to_engine()["Healthcheck"] == {"Test": ["CMD-SHELL", "true"]}


def test_references_accept_the_engines_dicts() -> None:
    for kind, name in ((types.SecretReference, "SecretID"), (types.ConfigReference, "ConfigID")):
        for reference in ("x", {"ID": "x"}, {"Id": "x"}):
            assert kind(reference, "name").to_engine()[name] == "x"


def test_accepts_the_engines_spellings(scripted: ScriptedEngine, api: APIClient) -> None:
    host = api.create_host_config(
        cap_add="X", cap_drop="Y", restart_policy={"name": "on-failure"}, port_bindings={"80": (1,)}
    )
    assert host["CapAdd"] == ["X"] and host["CapDrop"] == ["Y"]
    assert host["RestartPolicy"] == {"Name": "on-failure"}
    assert api.create_container_config("image", ports=[(80,), (81, "udp")])["ExposedPorts"] == {
        "80/tcp": {},
        "81/udp": {},
    }
    scripted.on("POST", "/containers/c/resize", Answer.empty())
    api.resize("c", "10", "20")
    assert scripted.requests[-1].query == {"h": ["10"], "w": ["20"]}
    scripted.on("POST", "/nodes/n/update", Answer.empty(200))
    api.update_node("n", "7")
    assert scripted.requests[-1].query == {"version": ["7"]}


def test_commit_takes_pause_where_docker_py_7_has_it(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("POST", "/commit", Answer.json({"Id": "i"}))
    api.commit("c", "r", "t", "m", "a", False, "CMD x", {"User": "u"})
    request = scripted.requests[-1]
    assert (request.query["pause"], request.query["changes"]) == (["false"], ["CMD x"])
    assert json.loads(request.body) == {"User": "u"}


def test_login_without_a_name_is_sent(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("POST", "/auth", Answer.json({"Status": "ok"}))
    assert api.login(None, registry="host:5000") == {"Status": "ok"}


@pytest.mark.parametrize("kind", [io.BytesIO, lambda content: io.StringIO(content.decode())])
def test_dockerfile_is_read_from_its_beginning(scripted: ScriptedEngine, api: APIClient, kind) -> None:
    scripted.on("POST", "/build", Answer.chunked([b'{"stream":"x"}']))
    file = kind(b"FROM scratch")
    file.read()
    list(api.build(fileobj=file))
    assert b"FROM scratch" in scripted.requests[-1].body


def test_missing_dockerfile_is_the_engines_error(tmp_path: Path, api: APIClient) -> None:
    with pytest.raises(errors.APIError, match="Cannot locate specified Dockerfile: Nope") as caught:
        api.build(path=str(tmp_path), dockerfile="Nope")
    assert isinstance(caught.value, OSError) and caught.value.is_client_error()


def test_read_timeout_is_what_requests_raises_for_either_phase() -> None:
    assert issubclass(errors.ReadTimeout, requests.exceptions.ReadTimeout)
    assert issubclass(errors.ReadTimeout, requests.exceptions.ConnectionError)
    assert not issubclass(errors.ConnectTimeout, errors.ReadTimeout)


@pytest.mark.parametrize("broken", ["a folder", "no JSON"])
def test_unreadable_config_file_is_a_warning(tmp_path: Path, scripted: ScriptedEngine, broken: str) -> None:
    file = tmp_path / "config.json"
    if broken == "a folder":
        file.mkdir()
    else:
        file.write_text("{")
    scripted.on("POST", "/containers/create", Answer.json({"Id": "c"}))
    scripted.on("POST", "/images/create", Answer.chunked([]))
    scripted.on("POST", "/build", Answer.chunked([]))
    with pytest.warns(EngineWarning, match="config.json can't be read"):
        api = APIClient(scripted.host, environment={"DOCKER_CONFIG": str(tmp_path)})
    with api:
        with pytest.warns(EngineWarning, match="its proxies are not used"):
            api.create_container("image", use_config_proxy=True)
        with pytest.warns(EngineWarning, match="its credentials are not used"):
            api.pull("image")
        list(api.build({"Dockerfile": "FROM scratch"}))


def test_credentials_listed_under_urls_reach_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"https://host.example/v2/": {"Username": "u", "Secret": "s"}}

    class Store:
        program = "docker-credential-x"

        def list(self) -> Mapping[str, str]:
            return {server: entry["Username"] for server, entry in known.items()}

        def get(self, server: str) -> dict[str, str]:
            if server not in known:
                raise CredentialsNotFound(server)
            return known[server]

    config = AuthConfig({"credsStore": "x"})
    monkeypatch.setattr(config, "_store", lambda helper: Store())
    found = config.get_all_credentials()
    assert found["host.example"].username == found["https://host.example/v2/"].username == "u"


def optional_parameters() -> Iterator[tuple[str, str]]:
    for name, call in inspect.getmembers(APIClient, inspect.isfunction):
        if not name.startswith("_") and name != "dial":  # sends nothing, and returns an open connection
            for parameter in inspect.signature(call).parameters.values():
                if parameter.default is not parameter.empty:
                    yield name, parameter.name


# One of two arguments is required.
NOT_NONE = {("build", "path"), ("import_image", "src")}


REQUIRED: dict[str, Any] = {
    "swarm_spec": {}, "task_template": {"ContainerSpec": {"Image": "i"}}, "version": 1, "data": b"x", "remote_addrs": ["a"],
    "cmd": ["x"], "privileges": [], "node_spec": {}, "options": {}, "config": {"Image": "i"}, "height": 1, "width": 1,
    "private_port": 80, "plugin_data_dir": {"config.json": b"{}", "rootfs/x": b""}, "names": ["a"], "changes": [],
}  # fmt: skip


@pytest.mark.parametrize("name", sorted({name for name, _ in optional_parameters()}))
def test_none_means_unset(name: str, scripted: ScriptedEngine, api: APIClient) -> None:
    """docker-py omits None; refusing it would break wrappers that pass on their own defaults."""
    call = getattr(api, name)
    signature = inspect.signature(call)
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in signature.parameters.values()):
        return  # option schemas, which omit None
    arguments = {
        parameter.name: REQUIRED.get(parameter.name, "x")
        for parameter in signature.parameters.values()
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_POSITIONAL
    }
    refused = []
    for parameter in signature.parameters.values():
        if parameter.default is parameter.empty or (name, parameter.name) in NOT_NONE:
            continue
        try:
            call(**{**arguments, parameter.name: None})
        except errors.InvalidArgument as error:
            if parameter.name in str(error).partition(":")[0]:
                refused.append(f"{parameter.name}: {error}")
        except Exception:  # noqa: S110 - only what is refused matters here: nothing is scripted
            pass
    scripted.unexpected.clear()
    assert refused == []


def test_binds_may_be_bytes() -> None:
    assert shorthands.binds({b"/a": {"bind": b"/\xc3\xa9", "mode": "ro"}}) == ["/a:/é:ro"]


def test_error_without_a_body_becomes_an_api_error() -> None:
    response = requests.Response()
    response.status_code, response._content = 500, None
    with pytest.raises(errors.APIError, match="500"):
        errors.create_api_error_from_http_exception(requests.HTTPError(response=response))


def test_error_for_an_unknown_keyword_reads_as_pythons() -> None:
    error = errors.create_unexpected_kwargs_error("f", {"foo": 1})
    assert str(error) == "f() got an unexpected keyword argument 'foo'"


def test_a_service_mode_has_its_arguments_as_attributes() -> None:
    mode = drop_in(types.ServiceMode)("replicated", 3)
    assert (mode.mode, mode.replicas, dict(mode)) == ("replicated", 3, {"Replicated": {"Replicas": 3}})


def test_networking_config_is_ignored_without_a_network(scripted: ScriptedEngine) -> None:
    scripted.on("POST", "/containers/create", Answer.json({"Id": "c"}))
    with compat.DockerClient(scripted.host) as client:
        client.containers.create("image", network_mode="none", networking_config={"aliases": ["a"]})
    assert "NetworkingConfig" not in scripted.json_bodies()[0]


def test_client_has_the_verification_of_a_session() -> None:
    for tls, expected in ((None, True), (TLSConfig(verify=False), False), (TLSConfig(verify=True), True)):
        api = compat.APIClient.__new__(compat.APIClient)
        api.endpoint = discovery.resolve("tcp://127.0.0.1:1", tls=tls)
        assert (api.verify, api.cert) == (expected, None)


def test_booleans_in_the_environment_are_written_as_in_python(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("POST", "/containers/create", Answer.json({"Id": "c"}))
    api.create_container("image", environment={"A": True, "B": 1})
    assert scripted.json_bodies()[0]["Env"] == ["A=True", "B=1"]


@pytest.mark.parametrize("tail", [-1, "-1"])
def test_tail_minus_one_returns_all_lines(scripted: ScriptedEngine, api: APIClient, tail: Any) -> None:
    scripted.on("GET", "/containers/c/logs", Answer.until_close(b"x"))
    scripted.on("GET", "/containers/c/json", Answer.json({"Config": {"Tty": True}}))
    assert api.logs("c", tail=tail) == b"x"
    assert next(one for one in scripted.requests if one.path.endswith("/logs")).query["tail"] == ["all"]


def test_response_in_lower_case_or_an_object_for_a_list_is_accepted(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("POST", "/containers/create", Answer.json({"id": "c"}))
    assert api.create_container("image")["Id"] == "c"
    scripted.on("GET", "/images/json", Answer.json({}), Answer.json({"Id": "i"}), Answer.json({"message": "hello"}))
    assert api.images() == []
    assert api.images() == [{"Id": "i"}]
    with pytest.raises(errors.StreamParseError, match="not a list of objects"):
        api.images()
