"""Docker contexts in the docker command's store, under docker-py's names."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
import trustme

from dockerkit import errors
from dockerkit.cliconfig import context_store
from dockerkit.compat import context_config as names
from dockerkit.context import Context, ContextAPI
from dockerkit.endpoint.tls import TLSConfig


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    return tmp_path / "docker"


@pytest.fixture
def tls(tmp_path: Path) -> TLSConfig:
    ca = trustme.CA()
    leaf = ca.issue_cert("me")
    ca.cert_pem.write_to_path(str(tmp_path / "authority.crt"))
    leaf.private_key_pem.write_to_path(str(tmp_path / "my.key"))
    leaf.cert_chain_pems[0].write_to_path(str(tmp_path / "my.crt"))
    return TLSConfig((str(tmp_path / "my.crt"), str(tmp_path / "my.key")), str(tmp_path / "authority.crt"))


def test_reading_contexts_creates_nothing(folder: Path) -> None:
    assert [context.name for context in ContextAPI.contexts()] == ["default"]
    assert ContextAPI.get_current_context().name == "default"  # type: ignore[union-attr]
    assert ContextAPI.get_context("gone") is None
    assert ContextAPI.DEFAULT_CONTEXT.Host == "unix:///var/run/docker.sock"
    assert not folder.exists()


def test_create_list_use_inspect_remove(folder: Path, tls: TLSConfig) -> None:
    made = ContextAPI.create_context("build-host", host="tcp://h:2376", tls_cfg=tls, description="the fast one")
    ContextAPI.create_context("a.second", host="ssh://me@h/run/x.sock")
    assert [context.name for context in ContextAPI.contexts()] == ["default", "a.second", "build-host"]

    loaded = ContextAPI.get_context("build-host")
    assert loaded is not None and loaded.inspect() == made.inspect() == {
        "Name": "build-host",
        "Metadata": {"Description": "the fast one"},
        "Endpoints": {"docker": {"Host": "tcp://h:2376", "SkipTLSVerify": False}},
        "TLSMaterial": {"docker": ["ca.pem", "cert.pem", "key.pem"]},
        "Storage": {"MetadataPath": names.get_meta_dir("build-host"), "TLSPath": names.get_tls_dir("build-host")},
    }
    assert json.loads(str(loaded)) == loaded() == ContextAPI.inspect_context("build-host")
    assert (loaded.Name, loaded.Host, loaded.description) == ("build-host", "tcp://h:2376", "the fast one")
    assert loaded.is_docker_host() and repr(loaded) == "<Context: 'build-host'>"
    assert loaded.TLSConfig is not None and loaded.TLSConfig.verifies
    key = Path(names.get_tls_dir("build-host", "docker"), "key.pem")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600 and stat.S_IMODE(key.parent.stat().st_mode) == 0o700

    ContextAPI.set_current_context("build-host")
    assert names.get_current_context_name() == "build-host"
    assert ContextAPI.kwargs_from_context() == {"base_url": "tcp://h:2376", "tls": loaded.TLSConfig}
    assert ContextAPI.kwargs_from_context("a.second") == {"base_url": "ssh://me@h/run/x.sock"}
    chosen = {**os.environ, "DOCKER_CONTEXT": "a.second"}
    assert ContextAPI.kwargs_from_context(environment=chosen) == {"base_url": "ssh://me@h/run/x.sock"}

    ContextAPI.remove_context("build-host")
    assert names.get_current_context_name() == "default"
    assert not os.path.exists(names.get_meta_dir("build-host")) and not os.path.exists(names.get_tls_dir("build-host"))
    assert [context.name for context in ContextAPI.contexts()] == ["default", "a.second"]


def test_use_keeps_the_rest_of_the_file_and_its_mode(folder: Path) -> None:
    folder.mkdir()
    real = folder.parent / "dotfiles.json"
    real.write_text('{"auths": {"r": {"auth": "c2VjcmV0"}}, "unknown": [1, "ü"]}')
    real.chmod(0o640)
    (folder / "config.json").symlink_to(real)
    ContextAPI.create_context("other", host="ssh://h")
    ContextAPI.set_current_context("other")
    assert json.loads(real.read_text()) == {
        "auths": {"r": {"auth": "c2VjcmV0"}},
        "unknown": [1, "ü"],
        "currentContext": "other",
    }
    assert stat.S_IMODE(real.stat().st_mode) == 0o640 and (folder / "config.json").is_symlink()
    ContextAPI.set_current_context("default")
    assert "currentContext" not in json.loads(real.read_text())
    assert sorted(os.listdir(folder)) == ["config.json", "contexts"], "no temporary file is left"


def test_damaged_config_file_is_not_overwritten(folder: Path) -> None:
    ContextAPI.create_context("other", host="ssh://h")
    (folder / "config.json").write_text("{ my passwords")
    with pytest.raises(errors.InvalidConfigFile):
        ContextAPI.set_current_context("other")
    assert isinstance(names.write_context_name_to_docker_config("other"), errors.InvalidConfigFile)
    assert (folder / "config.json").read_text() == "{ my passwords"


@pytest.mark.parametrize("content", ["{", "[]", '{"Name": "x"}', '{"Name": 5, "Endpoints": {}}'])
def test_damaged_context_does_not_affect_others(folder: Path, content: str) -> None:
    ContextAPI.create_context("good", host="ssh://h")
    ContextAPI.create_context("bad", host="ssh://h")
    (Path(context_store.meta_dir(str(folder), "bad")) / "meta.json").write_text(content)
    with pytest.warns(errors.EngineWarning, match=r"meta\.json"):
        assert [context.name for context in ContextAPI.contexts()] == ["default", "good"]
    with pytest.warns(errors.EngineWarning), pytest.raises(errors.ContextNotFound, match="known: default, good"):
        ContextAPI.inspect_context("goood")
    with pytest.warns(errors.EngineWarning):
        ContextAPI.create_context("another", host="ssh://h")
    with pytest.raises(errors.InvalidConfigFile):
        ContextAPI.inspect_context("bad")


def test_names_are_checked() -> None:
    for name in ("x", "-ab", "a/b", "../up", "a b", "ä-b"):
        with pytest.raises(errors.InvalidArgument, match="name: "):
            ContextAPI.create_context(name)
    with pytest.raises(errors.MissingContextParameter):
        ContextAPI.create_context("")
    with pytest.raises(errors.ContextException, match="built-in"):
        ContextAPI.create_context("default")
    with pytest.raises(errors.ContextException, match="built-in"):
        ContextAPI.remove_context("default")
    ContextAPI.create_context("twice")
    with pytest.raises(errors.ContextAlreadyExists):
        ContextAPI.create_context("twice")


def test_unknown_names_are_errors() -> None:
    ContextAPI.create_context("known")
    for call in (ContextAPI.inspect_context, ContextAPI.remove_context, ContextAPI.set_current_context):
        with pytest.raises(errors.ContextNotFound, match="known: default, known"):
            call("gone")
    with pytest.raises(errors.ContextNotFound):
        ContextAPI.kwargs_from_context("gone")


def test_fields_written_by_other_programs_are_kept(folder: Path) -> None:
    made = ContextAPI.create_context("foreign", host="tcp://h:1")
    path = Path(names.get_meta_file("foreign"))
    meta = json.loads(path.read_text())
    meta["Metadata"] = {"Description": "theirs", "Type": "aci", "Future": {"x": 1}}
    meta["Endpoints"]["kubernetes"] = {"DefaultNamespace": "n"}
    path.write_text(json.dumps(meta))
    loaded = Context.load_context("foreign")
    assert loaded is not None and not loaded.is_docker_host()
    loaded.save()
    assert json.loads(path.read_text()) == meta
    assert made.name == "foreign"


def test_new_host_replaces_the_old(tls: TLSConfig) -> None:
    context = ContextAPI.create_context("moved", host="tcp://old:1")
    context.set_endpoint(host="tcp://new", tls_cfg=tls)
    context.save()
    loaded = Context.load_context("moved")
    assert loaded is not None and loaded.Host == "tcp://new:2376" and loaded.TLSConfig is not None


def test_environment_selects_the_current_context(monkeypatch: pytest.MonkeyPatch) -> None:
    ContextAPI.create_context("named", host="ssh://h")
    monkeypatch.setenv("DOCKER_CONTEXT", "named")
    assert ContextAPI.get_current_context().name == "named"  # type: ignore[union-attr]
    monkeypatch.setenv("DOCKER_HOST", "tcp://h:1")
    current = ContextAPI.get_current_context()
    assert current is not None and (current.name, current.Host) == ("default", "tcp://h:1")


def test_docker_pys_functions_return_the_paths_of_the_store(folder: Path) -> None:
    id_ = names.get_context_id("x")
    assert names.get_context_dir() == f"{folder}/contexts"
    assert names.get_meta_dir() == f"{folder}/contexts/meta"
    assert names.get_meta_file("x") == f"{folder}/contexts/meta/{id_}/meta.json"
    assert names.get_tls_dir() == f"{folder}/contexts/tls"
    assert names.get_tls_dir("x", "docker") == f"{folder}/contexts/tls/{id_}/docker"
    assert names.get_context_host() == "unix:///var/run/docker.sock"
    assert names.get_context_host("tcp://h", tls=True) == "tcp://h:2376"
