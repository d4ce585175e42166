"""Registry credentials: config.json, helpers (real programs), precedence, saving, secrecy."""

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
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerkit import errors
from dockerkit.cliconfig.proxies import ProxyConfig, proxies_for
from dockerkit.credentials import CredentialsNotFound, InitializationError, Store, StoreError, StoreTimeout, auth
from dockerkit.credentials.errors import process_store_error

SECRET = "s3cr3t-never-shown"

# A helper like real ones: one verb, standard input, standard output, exit code; it stores credentials in a file.
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
    """A temporary DOCKER_CONFIG."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.delenv("DOCKER_AUTH_CONFIG", raising=False)
    return tmp_path


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Return a function that creates programs docker-credential-NAME on PATH."""
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
    """A helper "box"; the fixture is the file in which it stores credentials."""
    program("box", HELPER.format(python=sys.executable))
    monkeypatch.setenv("HELPER_FILE", str(tmp_path / "kept.json"))
    return tmp_path / "kept.json"


def write(home: Path, content: Mapping[str, Any]) -> None:
    (home / "config.json").write_text(json.dumps(content))


class Client:
    """The parts of an APIClient that credentials use."""

    def __init__(self, config: auth.AuthConfig) -> None:
        self.auth_config = config


# --- reading -----------------------------------------------------------------------------------------------------


def test_reads_credentials_and_other_fields_of_the_file(home: Path) -> None:
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
def test_file_without_credentials(home: Path, text: str) -> None:
    (home / "config.json").write_text(text)
    config = auth.load_config()
    assert config.is_empty
    assert config.resolve_authconfig() is None


def test_missing_file_has_no_credentials(home: Path) -> None:
    assert auth.load_config() == {"auths": {}}
    assert auth.load_config(str(home / "nowhere.json")).is_empty


def test_reads_the_oldest_file_layouts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
        '{"auths": 5}',
        '{"auths": {},}',
    ],
)
def test_unreadable_file_is_an_error_without_its_content(home: Path, text: str) -> None:
    (home / "config.json").write_text(text)
    with pytest.raises(errors.InvalidConfigFile) as caught:
        auth.load_config()
    assert SECRET not in "".join(traceback.format_exception(caught.value))


DAMAGED = [
    f"!{SECRET}", "bm9jb2xvbg==", base64.b64encode(b"user:\xff").decode(), 5, [1], {"a": 1},
]  # fmt: skip


@pytest.mark.parametrize("value", [*DAMAGED, None])
def test_invalid_entry_is_reported_when_its_registry_is_used(home: Path, value: object) -> None:
    write(home, {"auths": {"bad.example": {"auth": value}, "good.example": {"auth": encoded("me", "x")}, "null": None}})
    config = auth.load_config()
    assert config.resolve_authconfig("good.example")["username"] == "me"
    assert config.resolve_authconfig("null") is None
    assert config.get_all_credentials().keys() == {"good.example"}
    if value is None:
        assert config.resolve_authconfig("bad.example") is None
        return
    with pytest.warns(errors.EngineWarning, match=r"bad\.example.*config\.json") as caught:
        assert config.resolve_authconfig("https://bad.example/v2/") is None
    assert SECRET not in str(caught[0].message)


@pytest.mark.parametrize(
    "body",
    ["exit 1", "echo no json", "echo '[]'", "yes", f'echo \'{{"Secret": "{SECRET}"}}\'; exit 1', "kill -9 $$", None],
)
@pytest.mark.parametrize("key", ["credsStore", "credHelpers"])
def test_helper_that_fails_is_a_warning(
    home: Path, program: Callable[[str, str], Path], body: str | None, key: str
) -> None:
    if body is not None:
        program("bad", f"#!/bin/sh\n{body}\n")
    named = "bad" if body is not None else "desktop.exe"
    helpers = named if key == "credsStore" else {"reg.example": named}
    write(home, {key: helpers, "auths": {"other.example": {"auth": encoded("me", "x")}}})
    config = auth.load_config()
    with pytest.warns(UserWarning, match=named) as caught:
        assert config.resolve_authconfig("reg.example") is None
        assert config.resolve_authconfig("other.example")["username"] == "me"
    assert SECRET not in str([one.message for one in caught])


def test_helper_with_a_name_that_is_a_path_is_a_warning(home: Path) -> None:
    write(home, {"credsStore": "../evil"})
    with pytest.warns(errors.EngineWarning, match="evil"):
        assert auth.load_config().resolve_authconfig("reg.example") is None


def test_ignores_a_notice_after_the_credentials(program: Callable[[str, str], Path]) -> None:
    program("chatty", '#!/bin/sh\necho \'{"Username": "u", "Secret": "p"}\'; echo A new release is available\n')
    assert Store("chatty").get("x")["Secret"] == "p"


def test_child_that_holds_the_output_open_is_not_waited_for(program: Callable[[str, str], Path]) -> None:
    program("parent", '#!/bin/sh\nsleep 30 &\necho \'{"Username": "u", "Secret": "p"}\'\n')
    begun = time.monotonic()
    assert Store("parent").get("x")["Secret"] == "p"
    assert time.monotonic() - begun < 20
    assert not [one for one in threading.enumerate() if "credentials" in one.name]


def test_helper_that_never_stops_writing_is_ended(program: Callable[[str, str], Path]) -> None:
    program("endless", "#!/bin/sh\nexec yes\n")
    with pytest.raises(StoreError, match="more than"):
        Store("endless").get("x")
    program("deep", "#!/bin/sh\nhead -c 200000 /dev/zero | tr '\\0' '['\n")
    with pytest.raises(StoreError, match="other than a JSON object"):
        Store("deep").get("x")


@pytest.mark.parametrize("secret", ['qu"ote', "back\\slash", "ümlaut", SECRET])
@pytest.mark.parametrize("stream", [1, 2])
def test_errors_never_contain_the_secret(program: Callable[[str, str], Path], secret: str, stream: int) -> None:
    program("echo", f"#!/bin/sh\ncat >&{stream}; exit 1\n")
    with pytest.raises(StoreError) as caught:
        Store("echo").store("x", "u", secret)
    shown = "".join(traceback.format_exception(caught.value))
    assert secret not in shown
    assert json.dumps(secret)[1:-1] not in shown


def test_login_is_saved_where_auths_is_null(home: Path) -> None:
    write(home, {"auths": None})
    auth.load_config().save("reg.example", {"username": "u", "password": "p"})
    assert auth.load_config().resolve_authconfig("reg.example")["username"] == "u"


def test_file_that_all_may_read_is_closed_with_the_first_secret(home: Path) -> None:
    write(home, {})
    (home / "config.json").chmod(0o644)
    auth.load_config().save("reg.example", {"username": "u", "password": "p"})
    assert stat.S_IMODE((home / "config.json").stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can give files away")
def test_file_keeps_its_owner(home: Path) -> None:
    write(home, {})
    os.chown(home / "config.json", 4321, 4322)
    auth.load_config().save("reg.example", {"username": "u", "password": "p"})
    found = (home / "config.json").stat()
    assert (found.st_uid, found.st_gid) == (4321, 4322)


def test_logins_saved_at_the_same_time_are_all_kept(home: Path) -> None:
    program = f"""
import sys
sys.path[:] = {sys.path!r}
from dockerkit.credentials import auth
auth.load_config().save(sys.argv[1], {{'username': 'u', 'password': 'p'}})
"""
    names = [f"r{number}.example" for number in range(8)]
    running = [subprocess.Popen([sys.executable, "-c", program, name]) for name in names]
    assert [one.wait(30) for one in running] == [0] * len(names)
    assert auth.load_config().auths.keys() >= set(names)


def test_without_a_home_folder_nothing_is_written_beside_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "DOCKER_CONFIG", "DOCKER_AUTH_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    config = auth.load_config()
    assert config.resolve_authconfig("reg.example") is None
    with pytest.raises(errors.InvalidConfigFile, match="set HOME or DOCKER_CONFIG"):
        config.save("reg.example", {"username": "u", "password": "p"})
    assert not list(tmp_path.iterdir())


def test_parse_auth_skips_invalid_entries_by_default(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert auth.parse_auth({"bad": {"auth": f"!{SECRET}"}, "good": {"identitytoken": "t"}}) == {
            "good": {"IdentityToken": "t"}
        }
    assert "bad" in caplog.text
    assert SECRET not in caplog.text


def test_environment_overrides_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, {"auths": {"reg.example": {"auth": encoded("file", "x")}, "b.example": {"auth": encoded("b", "x")}}})
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps({"auths": {"reg.example": {"auth": encoded("env", "x")}}}))
    config = auth.load_config()
    assert config.resolve_authconfig("reg.example")["username"] == "env"
    assert config.resolve_authconfig("b.example")["username"] == "b"
    assert auth.load_config(config_dict={"auths": {}}).resolve_authconfig("reg.example") is None


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"auths": 1}', f'{{"auths": {{"r": {{"auth": "{SECRET}"}}}}}}'])
def test_invalid_environment_variable_is_named(home: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", text)
    write(home, {"auths": {"r": {"auth": encoded("file", "x")}}})
    with pytest.warns(errors.EngineWarning, match="DOCKER_AUTH_CONFIG") as caught:
        config = auth.load_config()
        assert config.resolve_authconfig("r")["username"] == "file"
        write(home, {})
        assert auth.load_config().resolve_authconfig("r") is None
    assert SECRET not in str([one.message for one in caught])


def test_reads_a_passed_environment(home: Path, tmp_path: Path) -> None:
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
def test_splits_repository_names(name: str, index: str, rest: str) -> None:
    assert auth.resolve_repository_name(name) == (index, rest)


@pytest.mark.parametrize("name", ["https://reg.example/a", "-reg.example/a", "reg.example-/a"])
def test_rejects_invalid_repository_names(name: str) -> None:
    with pytest.raises(errors.InvalidRepository):
        auth.resolve_repository_name(name)


def test_header_is_base64url() -> None:
    header = auth.encode_header({"username": "u", "password": "???>>>~~~ÿ"})
    assert not set(header) & set(b"+/")
    assert decoded(header) == {"username": "u", "password": "???>>>~~~ÿ"}


# --- helpers -----------------------------------------------------------------------------------------------------


def test_helper_stores_lists_and_erases_credentials(helper: Path) -> None:
    store = Store("box")
    with pytest.raises(CredentialsNotFound, match="docker-credential-box"):
        store.get("reg.example")
    store.store("reg.example", "u", SECRET)
    assert store.get(b"reg.example") == {"ServerURL": "reg.example", "Username": "u", "Secret": SECRET}
    assert store.list() == {"reg.example": "u"}
    store.erase("reg.example")
    assert store.list() == {}
    assert Path(f"{helper}.calls").read_text().split() == ["get", "store", "get", "list", "erase", "list"]


def test_helper_arguments_are_not_run_by_a_shell(helper: Path, tmp_path: Path) -> None:
    Store("box").store(f"x; touch {tmp_path}/hacked", f"$(touch {tmp_path}/hacked)", "`id`")
    assert not (tmp_path / "hacked").exists()
    for name in ("../box", "a/b", "", "a\\b", "a\0b"):
        with pytest.raises(errors.InvalidArgument, match="program"):
            Store(name)


def test_missing_helper_warns_and_then_raises(home: Path) -> None:
    with pytest.warns(UserWarning, match="docker-credential-nowhere"):
        store = Store("nowhere")
    with pytest.raises(StoreError, match="not available in PATH; install it"):
        store.get("x")


def test_slow_helper_is_ended(program: Callable[[str, str], Path], tmp_path: Path) -> None:
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
        ("exit 1", StoreError, "no output"),
        ("echo 'pass not initialized: run pass init'; exit 1", InitializationError, "pass init"),
        ("echo not json", StoreError, "other than a JSON object"),
        ("echo '[]'", StoreError, "other than a JSON object"),
        ("echo '{}'", CredentialsNotFound, "no credentials"),
        ('echo \'{"Username": 1, "Secret": 2}\'', StoreError, "invalid credential"),
        ("cat; exit 1", StoreError, "code 1"),
    ],
)
def test_failing_helpers(program: Callable[[str, str], Path], body: str, kind: type[Exception], text: str) -> None:
    program("bad", f"#!/bin/sh\n{body}\n")
    with pytest.raises(StoreError, match=text) as caught:
        Store("bad").get("x")
    assert type(caught.value) is kind
    assert isinstance(caught.value, (errors.CredentialsError, RuntimeError))


def test_failing_store_does_not_repeat_the_secret(program: Callable[[str, str], Path]) -> None:
    program("bad", "#!/bin/sh\ncat; exit 1\n")
    with pytest.raises(StoreError) as caught:
        Store("bad").store("x", "u", SECRET)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_process_store_error_accepts_a_called_process_error() -> None:
    failed = subprocess.CalledProcessError(1, "x", output=b"credentials not found in native keychain")
    assert isinstance(process_store_error(failed, "docker-credential-x"), CredentialsNotFound)


def test_helper_precedes_store_and_store_precedes_file(home: Path, helper: Path, program: Any) -> None:
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


def test_only_the_helper_of_the_used_registry_runs(home: Path, helper: Path) -> None:
    helper.write_text(json.dumps({"a.example": ["a", "p"]}))
    write(home, {"credHelpers": {"a.example": "box", "b.example": "gone"}})
    assert auth.load_config().resolve_authconfig("a.example").username == "a"
    assert Path(f"{helper}.calls").read_text().split() == ["get"]


def test_get_all_credentials_skips_failing_helpers(
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


def test_helper_receives_the_passed_environment(helper: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.json").write_text(json.dumps({"r": ["u", "p"]}))
    config = auth.AuthConfig({"credsStore": "box"}, {"HELPER_FILE": str(tmp_path / "elsewhere.json")})
    assert config.resolve_authconfig("r").password == "p"


# --- saving and erasing ---------------------------------------------------------------------------------------


def test_save_keeps_the_rest_of_the_file(home: Path) -> None:
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


def test_save_creates_a_private_file_and_follows_links(home: Path, tmp_path: Path) -> None:
    target = tmp_path / "deep" / "real.json"
    (home / "config.json").symlink_to(target)
    auth.AuthConfig({}).save(None, {"username": "u", "IdentityToken": "t"})
    assert (home / "config.json").is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert json.loads(target.read_text()) == {
        "auths": {"https://index.docker.io/v1/": {"auth": encoded("u", ""), "identitytoken": "t"}}
    }
    assert auth.load_config().resolve_authconfig() == {"IdentityToken": "t"}


def test_save_does_not_change_an_invalid_file(home: Path) -> None:
    (home / "config.json").write_text("{ broken")
    with pytest.raises(errors.InvalidConfigFile):
        auth.AuthConfig({}).save("r", {"username": "u", "password": "p"})
    assert (home / "config.json").read_text() == "{ broken"


def test_save_uses_the_helper(home: Path, helper: Path) -> None:
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


def test_erase_removes_from_client_helper_and_file(home: Path) -> None:
    write(home, {"auths": {"https://reg.example/v1/": {"auth": encoded("u", "p")}, "b": {"auth": encoded("b", "p")}}})
    config = auth.load_config()
    config.add_auth("reg.example", {"username": "u"})
    assert config.erase("reg.example")
    assert config.resolve_authconfig("reg.example") is None
    assert auth.load_config().resolve_authconfig("reg.example") is None
    assert auth.load_config().resolve_authconfig("b") is not None
    assert not config.erase("reg.example")


# --- headers and retries ----------------------------------------------------------------------------------


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
    """A call that refuses all users but one."""

    def __init__(self, wanted: str, error: Exception) -> None:
        self.wanted, self.error, self.seen = wanted, error, []  # type: ignore[var-annotated]

    def __call__(self, headers: Mapping[str, str]) -> str:
        given = auth.Credential(decoded(headers["X-Registry-Auth"]) if headers else {})
        self.seen.append(given.username)
        if given.username != self.wanted:
            raise self.error
        return "done"


REFUSAL = errors.PullError("Head https://reg.example/v2/x: unauthorized: authentication required")


def test_retries_with_a_fresh_secret_of_the_helper(home: Path, helper: Path) -> None:
    write(home, {"credsStore": "box"})
    helper.write_text(json.dumps({"reg.example": ["old", "p"]}))
    client, call = Client(auth.load_config()), Refusing("new", REFUSAL)

    def renewing(headers: Mapping[str, str]) -> str:
        helper.write_text(json.dumps({"reg.example": ["new", "p"]}))
        return call(headers)

    assert auth.call_with_credentials(client, "reg.example", renewing) == "done"
    assert call.seen == ["old", "new"]


def test_retry_reads_the_file_again(home: Path) -> None:
    write(home, {"auths": {"reg.example": {"auth": encoded("file", "p")}}})
    client, call = Client(auth.load_config()), Refusing("file", REFUSAL)
    client.auth_config.add_auth("reg.example", {"username": "stale", "password": "p"})
    assert auth.call_with_credentials(client, "reg.example", call) == "done"
    assert call.seen == ["stale", "file"]


def test_retry_calls_the_passed_function_again() -> None:
    users = iter(["old", "new"])
    call = Refusing("new", REFUSAL)
    assert auth.call_with_credentials(Client(auth.AuthConfig({})), "r", call, lambda host: {"username": next(users)})
    assert call.seen == ["old", "new"]


def test_retries_once_and_only_with_other_credentials() -> None:
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


def test_other_errors_are_not_retried() -> None:
    call = Refusing("new", errors.PullError("no space left on device"))
    with pytest.raises(errors.PullError, match="space"):
        auth.call_with_credentials(Client(auth.AuthConfig({})), "r", call, lambda host: {"username": "old"})
    assert call.seen == ["old"]


# --- what is never shown -----------------------------------------------------------------------------------------


def test_reprs_do_not_show_secrets() -> None:
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
        with pytest.raises(TypeError, match="can't be pickled"):
            pickle.dumps(holder)


def test_auth_loads_neither_requests_nor_pydantic() -> None:
    code = "import sys, dockerkit.credentials.auth, dockerkit.cliconfig.proxies; print({'requests', 'pydantic', 'urllib3'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


# --- proxies -----------------------------------------------------------------------------------------------------


def test_proxies_are_selected_by_engine_and_injected() -> None:
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


# --- arbitrary input ---------------------------------------------------------------------------------------------

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
def test_any_file_content_is_read_or_rejected(content: Any) -> None:
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
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", errors.EngineWarning)  # of an entry that is damaged
                    config.resolve_authconfig("x")
                config.get_all_credentials()


@given(st.text(max_size=20) | st.binary(max_size=20))
def test_decode_auth_decodes_or_rejects_any_string(text: Any) -> None:
    try:
        user, _ = auth.decode_auth(text)
    except errors.InvalidArgument:
        return
    assert ":" not in user


@pytest.mark.parametrize(
    "entry",
    [{"AUTH": encoded("me", SECRET)}, {"auth": encoded("me", SECRET)[:5] + "\r\n" + encoded("me", SECRET)[5:] + "\n"}],
)
def test_entries_are_spelled_as_the_docker_command_reads_them(entry: dict[str, str]) -> None:
    found = auth.parse_auth({"r.example": entry})["r.example"]
    assert (found.username, found.password) == ("me", SECRET)
