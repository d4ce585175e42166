"""Registry credentials: config.json, helpers that are real programs, precedence, saving, and what is never shown."""

from __future__ import annotations

import base64
import copy
import json
import logging
import os
import pickle
import stat
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerkit import auth, errors
from dockerkit.credentials import CredentialsNotFound, InitializationError, Store, StoreError, StoreTimeout
from dockerkit.credentials.errors import process_store_error
from dockerkit.proxies import ProxyConfig, proxies_for

SECRET = "s3cr3t-never-shown"

# A helper as those in the wild are: one verb, standard input, standard output, exit code; it keeps its things in a file.
HELPER = """#!{python}
import json, os, sys
path = os.environ["HELPER_FILE"]
kept = json.load(open(path)) if os.path.exists(path) else {{}}
with open(path + ".calls", "a") as calls:
    calls.write(" ".join(sys.argv[1:]) + "\\n")
verb, text = sys.argv[1], sys.stdin.read()
if verb == "get":
    if text not in kept:
        print("credentials not found in native keychain")
        sys.exit(1)
    print(json.dumps({{"ServerURL": text, "Username": kept[text][0], "Secret": kept[text][1]}}))
elif verb == "store":
    record = json.loads(text)
    kept[record["ServerURL"]] = [record["Username"], record["Secret"]]
elif verb == "erase":
    kept.pop(text)
elif verb == "list":
    print(json.dumps({{server: pair[0] for server, pair in kept.items()}}))
json.dump(kept, open(path, "w"))
"""


def encoded(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def decoded(header: str | bytes) -> Any:
    return json.loads(base64.urlsafe_b64decode(header))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A DOCKER_CONFIG of its own."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.delenv("DOCKER_AUTH_CONFIG", raising=False)
    return tmp_path


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Makes programs docker-credential-NAME on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def make(name: str, text: str) -> Path:
        path = folder / f"docker-credential-{name}"
        path.write_text(text)
        path.chmod(0o755)
        return path

    return make


@pytest.fixture
def helper(tmp_path: Path, program: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A helper "box"; answers the file in which it keeps things."""
    program("box", HELPER.format(python=sys.executable))
    monkeypatch.setenv("HELPER_FILE", str(tmp_path / "kept.json"))
    return tmp_path / "kept.json"


def write(home: Path, content: Mapping[str, Any]) -> None:
    (home / "config.json").write_text(json.dumps(content))


class Client:
    """As much of an APIClient as credentials need."""

    def __init__(self, config: auth.AuthConfig) -> None:
        self._auth = config


# --- reading -----------------------------------------------------------------------------------------------------


def test_auths_identity_tokens_and_the_rest_of_the_file(home: Path) -> None:
    write(
        home,
        {
            "auths": {
                "https://index.docker.io/v1/": {"auth": encoded("hub", "a:b")},
                "reg.example:5000": {"auth": encoded("u", "p"), "email": "e@x"},
                "token.example": {"auth": encoded("t", ""), "identitytoken": "idt"},
                "bearer.example": {"registrytoken": "rt"},
                "empty.example": {},
            },
            "HttpHeaders": {"X-Meta": "1"},
            "proxies": {"default": {"httpProxy": "http://p:1"}},
        },
    )
    config = auth.load_config()
    assert config.resolve_authconfig() == {
        "username": "hub",
        "password": "a:b",
        "email": None,
        "serveraddress": "https://index.docker.io/v1/",
    }
    assert config.resolve_authconfig("docker.io") == config.resolve_authconfig("index.docker.io")
    assert config.resolve_authconfig("https://reg.example:5000/v2/")["username"] == "u"
    assert config.resolve_authconfig("token.example") == {"IdentityToken": "idt"}
    assert config.resolve_authconfig("bearer.example") == {"RegistryToken": "rt"}
    assert config.resolve_authconfig("empty.example") is None
    assert config.resolve_authconfig("other.example") is None
    assert config.http_headers == {"X-Meta": "1"}
    assert config.proxies == {"default": {"httpProxy": "http://p:1"}}


@pytest.mark.parametrize("text", ["", "{}", '{"currentContext": "x"}', '{"auths": {}}', '{"auths": null}'])
def test_a_file_without_credentials(home: Path, text: str) -> None:
    (home / "config.json").write_text(text)
    config = auth.load_config()
    assert config.is_empty
    assert config.resolve_authconfig() is None


def test_no_file_at_all(home: Path) -> None:
    assert auth.load_config() == {"auths": {}}
    assert auth.load_config(str(home / "nowhere.json")).is_empty


def test_the_oldest_layouts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    old = tmp_path / ".dockercfg"
    old.write_text(json.dumps({"reg.example": {"auth": encoded("u", "p"), "email": "e"}}))
    assert auth.load_config().resolve_authconfig("reg.example")["password"] == "p"
    old.write_text(f"auth = {encoded('u', 'p')}\nemail = e@x\n")
    assert auth.load_config().resolve_authconfig()["email"] == "e@x"
    old.write_text("nonsense")
    with pytest.raises(errors.InvalidConfigFile, match="dockercfg"):
        auth.load_config()
    assert auth.load_config(config_dict={"a": {"auth": encoded("u", "p")}}).auths["a"]["username"] == "u"


@pytest.mark.parametrize(
    "text",
    [
        '{"auths": {"r": {"auth": "' + SECRET,
        f'["{SECRET}"]',
        f'"{SECRET}"',
        json.dumps({"auths": {"r": {"auth": "bm9jb2xvbg=="}}}),
        '{"auths": {"r": 5}}',
    ],
)
def test_an_unreadable_file_is_an_error_without_its_content(home: Path, text: str) -> None:
    (home / "config.json").write_text(text)
    with pytest.raises(errors.InvalidConfigFile) as caught:
        auth.load_config()
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_bad_entry_is_left_out_on_request(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert auth.parse_auth({"bad": {"auth": f"!{SECRET}"}, "good": {"identitytoken": "t"}}) == {
            "good": {"IdentityToken": "t"}
        }
    assert "bad" in caplog.text
    assert SECRET not in caplog.text


def test_environment_wins_over_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, {"auths": {"reg.example": {"auth": encoded("file", "x")}, "b.example": {"auth": encoded("b", "x")}}})
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps({"auths": {"reg.example": {"auth": encoded("env", "x")}}}))
    config = auth.load_config()
    assert config.resolve_authconfig("reg.example")["username"] == "env"
    assert config.resolve_authconfig("b.example")["username"] == "b"
    assert auth.load_config(config_dict={"auths": {}}).resolve_authconfig("reg.example") is None


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"auths": 1}', f'{{"auths": {{"r": {{"auth": "{SECRET}"}}}}}}'])
def test_a_bad_environment_is_named(home: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", text)
    with pytest.raises(errors.InvalidConfigFile, match="DOCKER_AUTH_CONFIG") as caught:
        auth.load_config()
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_an_environment_of_ones_own(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    write(other, {"auths": {"reg.example": {"auth": encoded("other", "p")}}})
    text = json.dumps({"auths": {"env.example": {"auth": encoded("env", "p")}}})
    config = auth.AuthConfig.load_config(
        None, None, environment={"DOCKER_CONFIG": str(other), "DOCKER_AUTH_CONFIG": text}
    )
    assert config.resolve_authconfig("reg.example").username == "other"
    assert config.resolve_authconfig("env.example").username == "env"
    assert config.fresh("env.example").username == "env"
    empty = auth.AuthConfig.load_config(None, None, environment={"DOCKER_CONFIG": str(tmp_path / "new")})
    assert empty.save("r", {"username": "u", "password": "p"}) == str(tmp_path / "new" / "config.json")


# --- names -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "index", "rest"),
    [
        ("alpine", "docker.io", "alpine"),
        ("library/alpine:3", "docker.io", "library/alpine:3"),
        ("localhost/a", "localhost", "a"),
        ("localhost:5000/a/b", "localhost:5000", "a/b"),
        ("reg.example/a:1", "reg.example", "a:1"),
        ("index.docker.io/a", "docker.io", "a"),
    ],
)
def test_repository_names(name: str, index: str, rest: str) -> None:
    assert auth.resolve_repository_name(name) == (index, rest)


@pytest.mark.parametrize("name", ["https://reg.example/a", "-reg.example/a", "reg.example-/a"])
def test_bad_repository_names(name: str) -> None:
    with pytest.raises(errors.InvalidRepository):
        auth.resolve_repository_name(name)


def test_header_is_base64url() -> None:
    header = auth.encode_header({"username": "u", "password": "???>>>~~~ÿ"})
    assert not set(header) & set(b"+/")
    assert decoded(header) == {"username": "u", "password": "???>>>~~~ÿ"}


# --- helpers -----------------------------------------------------------------------------------------------------


def test_a_helper_keeps_and_forgets(helper: Path) -> None:
    store = Store("box")
    with pytest.raises(CredentialsNotFound, match="docker-credential-box"):
        store.get("reg.example")
    store.store("reg.example", "u", SECRET)
    assert store.get(b"reg.example") == {"ServerURL": "reg.example", "Username": "u", "Secret": SECRET}
    assert store.list() == {"reg.example": "u"}
    store.erase("reg.example")
    assert store.list() == {}
    assert Path(f"{helper}.calls").read_text().split() == ["get", "store", "get", "list", "erase", "list"]


def test_nothing_of_a_helper_goes_through_a_shell(helper: Path, tmp_path: Path) -> None:
    Store("box").store(f"x; touch {tmp_path}/hacked", f"$(touch {tmp_path}/hacked)", "`id`")
    assert not (tmp_path / "hacked").exists()
    for name in ("../box", "a/b", "", "a\\b", "a\0b"):
        with pytest.raises(errors.InvalidArgument, match="program"):
            Store(name)


def test_a_missing_helper_warns_and_then_raises(home: Path) -> None:
    with pytest.warns(UserWarning, match="docker-credential-nowhere"):
        store = Store("nowhere")
    with pytest.raises(StoreError, match="not available in PATH; install it"):
        store.get("x")


def test_a_slow_helper_is_ended(program: Callable[[str, str], Path], tmp_path: Path) -> None:
    program(
        "slow",
        f"#!/bin/sh\necho $$ > '{tmp_path}/pid'\nexec sleep 60\n",
    )
    with pytest.raises(StoreTimeout, match=r"within 0.2 s") as caught:
        Store("slow", timeout=0.2).store("x", "u", SECRET)
    assert isinstance(caught.value, TimeoutError)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("echo 'No stored credential for x'; exit 1", CredentialsNotFound, "no credentials"),
        ("echo 'vault is sealed'; exit 3", StoreError, "code 3: vault is sealed"),
        ("echo oops >&2; exit 2", StoreError, "code 2: oops"),
        ("exit 1", StoreError, "said nothing"),
        ("echo 'pass not initialized: run pass init'; exit 1", InitializationError, "pass init"),
        ("echo not json", StoreError, "no JSON object"),
        ("echo '[]'", StoreError, "no JSON object"),
        ("echo '{}'", CredentialsNotFound, "no credentials"),
        ('echo \'{"Username": 1, "Secret": 2}\'', StoreError, "no credential"),
        ("cat; exit 1", StoreError, "code 1"),
    ],
)
def test_failing_helpers(program: Callable[[str, str], Path], body: str, kind: type[Exception], text: str) -> None:
    program("bad", f"#!/bin/sh\n{body}\n")
    with pytest.raises(StoreError, match=text) as caught:
        Store("bad").get("x")
    assert type(caught.value) is kind
    assert isinstance(caught.value, (errors.CredentialsError, RuntimeError))


def test_a_failing_store_does_not_repeat_the_secret(program: Callable[[str, str], Path]) -> None:
    program("bad", "#!/bin/sh\ncat; exit 1\n")
    with pytest.raises(StoreError) as caught:
        Store("bad").store("x", "u", SECRET)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_process_store_error_takes_what_docker_py_gives() -> None:
    failed = subprocess.CalledProcessError(1, "x", output=b"credentials not found in native keychain")
    assert isinstance(process_store_error(failed, "docker-credential-x"), CredentialsNotFound)


def test_helper_for_a_registry_store_for_the_rest_file_last(home: Path, helper: Path, program: Any) -> None:
    program("other", f'#!/bin/sh\ncat >/dev/null\necho \'{{"Username": "<token>", "Secret": "{SECRET}"}}\'\n')
    helper.write_text(json.dumps({"https://index.docker.io/v1/": ["hub", "p"], "reg.example": ["boxed", "p"]}))
    write(
        home,
        {
            "auths": {"filed.example": {"auth": encoded("filed", "p")}, "reg.example": {"auth": encoded("filed", "p")}},
            "credsStore": "box",
            "credHelpers": {"other.example": "other"},
        },
    )
    config = auth.load_config()
    assert config.get_credential_store("https://other.example") == "other"
    assert config.resolve_authconfig() == {
        "ServerAddress": "https://index.docker.io/v1/",
        "Username": "hub",
        "Password": "p",
    }
    assert config.resolve_authconfig("other.example")["IdentityToken"] == SECRET
    assert config.resolve_authconfig("reg.example").username == "boxed"
    assert config.resolve_authconfig("filed.example").username == "filed"
    config.add_auth("reg.example", {"username": "session", "password": "p"})
    assert config.resolve_authconfig("reg.example").username == "session"


def test_only_the_registry_in_use_is_asked(home: Path, helper: Path) -> None:
    helper.write_text(json.dumps({"a.example": ["a", "p"]}))
    write(home, {"credHelpers": {"a.example": "box", "b.example": "gone"}})
    assert auth.load_config().resolve_authconfig("a.example").username == "a"
    assert Path(f"{helper}.calls").read_text().split() == ["get"]


def test_all_credentials_pass_over_a_helper_that_fails(
    home: Path, helper: Path, program: Any, caplog: pytest.LogCaptureFixture
) -> None:
    program("bad", "#!/bin/sh\nexit 1\n")
    helper.write_text(json.dumps({"a.example": ["a", SECRET]}))
    write(
        home,
        {
            "auths": {"c.example": {"auth": encoded("c", "p")}, "a.example": {}},
            "credsStore": "box",
            "credHelpers": {"b.example": "bad"},
        },
    )
    config = auth.load_config()
    config.add_auth("d.example", {"username": "d"})
    every = config.get_all_credentials()
    assert {server: entry.username for server, entry in every.items()} == {
        "a.example": "a",
        "c.example": "c",
        "d.example": "d",
    }
    assert "docker-credential-bad" in caplog.text
    assert SECRET not in caplog.text


def test_environment_of_a_helper(helper: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.json").write_text(json.dumps({"r": ["u", "p"]}))
    config = auth.AuthConfig({"credsStore": "box"}, {"HELPER_FILE": str(tmp_path / "elsewhere.json")})
    assert config.resolve_authconfig("r").password == "p"


# --- saving and forgetting ---------------------------------------------------------------------------------------


def test_saved_in_the_file_which_keeps_all_else(home: Path) -> None:
    write(home, {"auths": {"b.example": {"auth": "x"}}, "currentContext": "c", "unknown": [1]})
    (home / "config.json").chmod(0o640)
    config = auth.AuthConfig({})
    assert config.save("https://reg.example/v2/", {"username": "u", "password": "p"}) == str(home / "config.json")
    content = json.loads((home / "config.json").read_text())
    assert content == {
        "auths": {"b.example": {"auth": "x"}, "reg.example": {"auth": encoded("u", "p")}},
        "currentContext": "c",
        "unknown": [1],
    }
    assert stat.S_IMODE((home / "config.json").stat().st_mode) == 0o640
    assert [path.name for path in home.glob("config.json*")] == ["config.json"]


def test_a_new_file_is_private_and_a_link_is_followed(home: Path, tmp_path: Path) -> None:
    target = tmp_path / "deep" / "real.json"
    (home / "config.json").symlink_to(target)
    auth.AuthConfig({}).save(None, {"username": "u", "IdentityToken": "t"})
    assert (home / "config.json").is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert json.loads(target.read_text()) == {
        "auths": {"https://index.docker.io/v1/": {"auth": encoded("u", ""), "identitytoken": "t"}}
    }
    assert auth.load_config().resolve_authconfig() == {"IdentityToken": "t"}


def test_a_broken_file_is_left_alone(home: Path) -> None:
    (home / "config.json").write_text("{ broken")
    with pytest.raises(errors.InvalidConfigFile):
        auth.AuthConfig({}).save("r", {"username": "u", "password": "p"})
    assert (home / "config.json").read_text() == "{ broken"


def test_saved_in_the_helper(home: Path, helper: Path) -> None:
    write(home, {"credsStore": "box"})
    config = auth.load_config()
    assert config.save("reg.example", {"username": "u", "password": SECRET}) == "docker-credential-box"
    assert config.save(None, {"username": "u", "IdentityToken": "t"}) == "docker-credential-box"
    assert json.loads(helper.read_text()) == {
        "reg.example": ["u", SECRET],
        "https://index.docker.io/v1/": ["<token>", "t"],
    }
    assert SECRET not in (home / "config.json").read_text()
    assert config.erase("reg.example")
    assert not config.erase("reg.example")
    assert list(json.loads(helper.read_text())) == ["https://index.docker.io/v1/"]
    assert list(json.loads((home / "config.json").read_text())["auths"]) == ["https://index.docker.io/v1/"]


def test_erase_forgets_everywhere(home: Path) -> None:
    write(home, {"auths": {"https://reg.example/v1/": {"auth": encoded("u", "p")}, "b": {"auth": encoded("b", "p")}}})
    config = auth.load_config()
    config.add_auth("reg.example", {"username": "u"})
    assert config.erase("reg.example")
    assert config.resolve_authconfig("reg.example") is None
    assert auth.load_config().resolve_authconfig("reg.example") is None
    assert auth.load_config().resolve_authconfig("b") is not None
    assert not config.erase("reg.example")


# --- headers and the second try ----------------------------------------------------------------------------------


def test_headers() -> None:
    client = Client(auth.AuthConfig({"auths": {"r": {"username": "u", "password": "p"}}}))
    assert decoded(auth.registry_headers(client, "r")["X-Registry-Auth"]) == {"username": "u", "password": "p"}
    assert auth.registry_headers(client, "other") == {}
    assert decoded(auth.registry_headers(client, "other", always=True)["X-Registry-Auth"]) == {}
    assert auth.registry_headers(client, "r", {}) == {}
    assert decoded(auth.registry_headers(client, "r", {"username": "x"})["X-Registry-Auth"]) == {"username": "x"}
    assert decoded(auth.registry_headers(client, None, lambda host: {"username": host})["X-Registry-Auth"]) == {
        "username": "docker.io"
    }
    assert decoded(auth.get_config_header(client, "r") or b"") == {"username": "u", "password": "p"}
    assert auth.get_config_header(client, "other") is None


class Refusing:
    """Refuses all but one user."""

    def __init__(self, wanted: str, error: Exception) -> None:
        self.wanted, self.error, self.seen = wanted, error, []  # type: ignore[var-annotated]

    def __call__(self, headers: Mapping[str, str]) -> str:
        given = auth.Credential(decoded(headers["X-Registry-Auth"]) if headers else {})
        self.seen.append(given.username)
        if given.username != self.wanted:
            raise self.error
        return "done"


REFUSAL = errors.PullError("Head https://reg.example/v2/x: unauthorized: authentication required")


def test_second_try_after_the_helper_has_something_new(home: Path, helper: Path) -> None:
    write(home, {"credsStore": "box"})
    helper.write_text(json.dumps({"reg.example": ["old", "p"]}))
    client, call = Client(auth.load_config()), Refusing("new", REFUSAL)

    def renewing(headers: Mapping[str, str]) -> str:
        helper.write_text(json.dumps({"reg.example": ["new", "p"]}))
        return call(headers)

    assert auth.call_with_credentials(client, "reg.example", renewing) == "done"
    assert call.seen == ["old", "new"]


def test_second_try_reads_the_file_again(home: Path) -> None:
    write(home, {"auths": {"reg.example": {"auth": encoded("file", "p")}}})
    client, call = Client(auth.load_config()), Refusing("file", REFUSAL)
    client._auth.add_auth("reg.example", {"username": "stale", "password": "p"})
    assert auth.call_with_credentials(client, "reg.example", call) == "done"
    assert call.seen == ["stale", "file"]


def test_second_try_asks_the_given_function_again() -> None:
    users = iter(["old", "new"])
    call = Refusing("new", REFUSAL)
    assert auth.call_with_credentials(Client(auth.AuthConfig({})), "r", call, lambda host: {"username": next(users)})
    assert call.seen == ["old", "new"]


def test_never_a_third_try_and_no_second_with_the_same() -> None:
    numbers = iter(range(10))
    call = Refusing("nobody", REFUSAL)
    with pytest.raises(errors.PullError):
        auth.call_with_credentials(
            Client(auth.AuthConfig({})), "r", call, lambda host: {"username": str(next(numbers))}
        )
    assert call.seen == ["0", "1"]
    for source in ({"username": "same"}, lambda host: {"username": "same"}, None):
        call = Refusing("nobody", REFUSAL)
        with pytest.raises(errors.PullError):
            auth.call_with_credentials(Client(auth.AuthConfig({})), "r", call, source)
        assert len(call.seen) == 1


def test_other_errors_are_not_tried_again() -> None:
    call = Refusing("new", errors.PullError("no space left on device"))
    with pytest.raises(errors.PullError, match="space"):
        auth.call_with_credentials(Client(auth.AuthConfig({})), "r", call, lambda host: {"username": "old"})
    assert call.seen == ["old"]


# --- what is never shown -----------------------------------------------------------------------------------------


def test_secrets_hide() -> None:
    config = auth.load_config(
        config_dict={"auths": {"r": {"auth": encoded("u", SECRET)}, "t": {"identitytoken": SECRET}}}
    )
    entry = config.resolve_authconfig("r")
    shown = [repr(config), str(config), f"{config}", repr(entry), f"{entry}", str(entry), repr(config.auths)]
    shown += [
        repr(copy.copy(entry)),
        repr(copy.deepcopy(config)),
        repr(config.copy()),
        repr(config.get_all_credentials()),
    ]
    assert not [text for text in shown if SECRET in text]
    assert "'username': 'u'" in repr(entry)
    assert copy.deepcopy(config).resolve_authconfig("r") == entry
    for holder in (config, entry):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(holder)


def test_auth_loads_neither_requests_nor_pydantic() -> None:
    code = (
        "import sys, dockerkit.auth, dockerkit.proxies; print({'requests', 'pydantic', 'urllib3'} & set(sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


# --- proxies -----------------------------------------------------------------------------------------------------


def test_proxies() -> None:
    entry = {"httpProxy": f"http://u:{SECRET}@p:3128", "httpsProxy": "s", "ftpProxy": "f", "noProxy": "n", "other": "x"}
    proxies = proxies_for({"default": {"httpProxy": "d"}, "tcp://h:2375": entry}, "tcp://h:2375")
    assert (proxies.https, proxies.ftp, proxies.no_proxy) == ("s", "f", "n")
    assert proxies.get_environment()["HTTP_PROXY"] == proxies.http
    injected = proxies.inject_proxy_environment(["HTTP_PROXY=mine", "A=b"])
    assert injected is not None
    assert injected[-2:] == ["HTTP_PROXY=mine", "A=b"]
    assert "no_proxy=n" in injected
    assert SECRET not in f"{proxies}{proxies!r}"
    assert proxies_for({"default": {"httpProxy": "d"}}, "unix:///x").http == "d"
    assert ProxyConfig().inject_proxy_environment(None) is None
    assert ProxyConfig().inject_proxy_environment(["a=b"]) == ["a=b"]


# --- anything at all ---------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["auths", "credsStore", "credHelpers", "auth", "identitytoken", "username", "HttpHeaders", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_a_file_with_anything_in_it_is_read_or_refused(content: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "config.json")
        path.write_text(json.dumps(content))
        try:
            config = auth.AuthConfig.load_config(str(path), None, environment={})
        except errors.InvalidConfigFile as error:
            assert str(path) in str(error) or "registry" in str(error)
        else:
            assert "AuthConfig" in repr(config)
            if not (config.creds_store or config.cred_helpers):
                config.resolve_authconfig("x")
                config.get_all_credentials()


@given(st.text(max_size=20) | st.binary(max_size=20))
def test_decode_auth_answers_or_refuses(text: Any) -> None:
    try:
        user, _ = auth.decode_auth(text)
    except errors.InvalidArgument:
        return
    assert ":" not in user
