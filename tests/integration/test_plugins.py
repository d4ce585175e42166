"""Plugins: create from a folder, push, install and upgrade."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from dockerkit.errors import APIError, DockerException, InvalidArgument, NotFound

# All that a plugin has to do is listen. In Perl, which every engine's root contains.
LISTEN = (
    'socket(S,1,1,0);unlink $p="/run/docker/plugins/t.sock";bind(S,pack("Sa*",1,$p))or die;listen(S,5);'
    "while(accept(C,S)){close C}"
)
CONFIG = {
    "description": "a plugin of the tests",
    "interface": {"types": ["dockerkit.test/1.0"], "socket": "t.sock"},
    "entrypoint": ["/usr/bin/perl", "-e", LISTEN],
    "network": {"type": "host"},
    "linux": {"capabilities": ["CAP_SYS_ADMIN"]},
    "env": [{"name": "WORD", "description": "a word", "settable": ["value"], "value": "one"}],
}


@pytest.fixture(scope="module")
def folder(engine, tmp_path_factory):
    """Folder of a plugin: its configuration, and a root with perl."""
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "config.json").write_text(json.dumps(CONFIG))
    root = engine.spec.root
    listed = subprocess.run(["chroot", root, "ldd", "/usr/bin/perl"], capture_output=True, text=True, check=True).stdout
    for name in ["/usr/bin/perl", *re.findall(r"(/\S+) \(0x", listed)]:
        target = folder / "rootfs" / name.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy((root / name.lstrip("/")).resolve(), target)
    for name in ("run/docker/plugins", "proc", "sys", "dev", "etc"):
        (folder / "rootfs" / name).mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def make(client, folder, unique):
    made = []

    def plugin(name=None, **options):
        made.append(name or f"{unique('plugin')}:1")
        return client.plugins.create(made[-1], folder, **options)

    yield plugin
    for name in made:
        try:
            client.api.remove_plugin(name, force=True)
        except NotFound:
            continue


def test_life_cycle(client, make):
    plugin = make(gzip=True)
    assert client.plugins.get(plugin.name) == plugin
    assert plugin in client.plugins.list()
    assert (plugin.enabled, plugin.settings["Env"]) == (False, ["WORD=one"])
    assert repr(plugin) == f"<Plugin {plugin.name!r} {plugin.short_id}>"
    plugin.configure({"WORD": "two"})
    assert plugin.settings["Env"] == ["WORD=two"]
    plugin.configure(["WORD=three"])
    assert plugin.settings["Env"] == ["WORD=three"]
    plugin.enable(timeout=10)
    assert plugin.enabled is True
    assert plugin in client.plugins.list({"enabled": True, "capability": "test"})
    assert plugin not in client.plugins.list({"enabled": False})
    with pytest.raises(APIError):
        plugin.remove()
    with pytest.raises(DockerException, match="disable"):
        plugin.upgrade()
    plugin.disable()
    assert plugin.enabled is False
    assert plugin.remove() is True
    with pytest.raises(NotFound):
        plugin.reload()


def test_push_install_upgrade(client, make, registry, unique):
    name = f"{registry}/{unique('plugin')}:1"
    records = list(make(name).push())
    assert records
    client.plugins.get(name).remove()
    wants = client.api.plugin_privileges(name)
    assert {"capabilities", "network"} <= {one["Name"] for one in wants}
    with pytest.raises(DockerException, match="CAP_SYS_ADMIN"):
        client.plugins.install(name, grant=lambda privileges: False)
    with pytest.raises(NotFound):
        client.plugins.get(name)
    asked, seen = [], []
    local = f"{unique('plugin')}:1"
    plugin = client.plugins.install(
        name,
        local,
        grant=lambda privileges: asked.append(privileges) or True,
        settings={"WORD": "set"},
        enable=True,
        on_record=seen.append,
    )
    try:
        assert asked == [wants]
        assert seen
        assert (plugin.name, plugin.enabled, plugin.settings["Env"]) == (local, True, ["WORD=set"])
        plugin.disable(force=True)
        assert plugin.upgrade(name)
        assert plugin.enabled is False
    finally:
        plugin.remove(force=True)


def test_progress_of_a_pull_is_a_stream(client, make, registry, unique):
    name = f"{registry}/{unique('plugin')}:1"
    pushed = make(name).push()
    assert all(isinstance(record, dict) for record in pushed)
    assert (pushed.digest or "").startswith("sha256:")
    client.plugins.get(name).remove()
    with client.api.pull_plugin(name, client.api.plugin_privileges(name), decode=False) as pulling:
        assert all(isinstance(record, bytes) for record in pulling)
    assert client.plugins.get(name).name == name


def test_errors(client, api, folder, tmp_path, registry, unique):
    with pytest.raises(NotFound):
        client.plugins.get("nothing")
    with pytest.raises(InvalidArgument, match=r"config\.json"):
        api.create_plugin("x", tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InvalidArgument, match="rootfs"):
        api.create_plugin("x", tmp_path)
    with pytest.raises(InvalidArgument, match="options"):
        api.configure_plugin("x", "A=b")
    with pytest.raises(InvalidArgument, match="privileges"):
        api.pull_plugin("x", None)
    with pytest.raises(InvalidArgument, match="grant"):
        client.plugins.install(f"{registry}/x", grant=True)
    with pytest.raises(APIError):
        client.plugins.install(f"{registry}/{unique('nothing')}")
