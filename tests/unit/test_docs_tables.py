"""Tables that the documentation generates from the code."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from scripted_engine import Answer, ScriptedEngine

import dockerkit

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "docs" / "_tools"))
import run_options

TYPES = ("DeviceRequest", "EndpointConfig", "Healthcheck", "LogConfig", "Mount")
NEEDS_NETWORK = ("ip", "ip6", "network_aliases", "networking_config")


def test_every_option_of_run_is_in_one_group():
    grouped = [name for options in run_options.GROUPS.values() for name in options]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == set(run_options.described()) - run_options.LEFT_OUT


def test_every_option_of_run_is_described():
    assert [name for name, (_, text) in run_options.described().items() if not text] == []


@pytest.mark.parametrize("option", [name for options in run_options.GROUPS.values() for name in options])
def test_every_option_of_run_has_an_example_that_is_accepted(
    scripted: ScriptedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labels.txt").write_text("a=b\n")
    (tmp_path / "web.env").write_text("A=b\n")
    scripted.on("POST", "/images/create", Answer.text("{}\n"))
    scripted.on("POST", "/containers/create", Answer.json({"Id": "a" * 64}, 201))
    since = run_options.versions()[option]
    version = since.split()[0] if since.endswith("only") else since.rpartition("to ")[2] if "to " in since else "1.51"
    value = eval(run_options.EXAMPLES[option], {name: getattr(dockerkit.types, name) for name in TYPES})
    with dockerkit.DockerClient(scripted.host, version=version) as client:
        client.containers.create(
            "busybox", **{option: value}, **({"network": "backend"} if option in NEEDS_NETWORK else {})
        )


def test_descriptions_of_options_name_the_version_of_the_table() -> None:
    for option, since in run_options.versions().items():
        stated = re.search(r"\((?:up )?(?:to )?API ([^)]*)\)", run_options.described()[option][1])
        if option not in run_options.LEFT_OUT and stated:
            assert stated[1] in (since, since.removeprefix("to ")), option
