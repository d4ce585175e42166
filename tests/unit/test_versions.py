"""The version table and its gate."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dockerkit import DockerClient
from dockerkit.api import _version_table, versions
from dockerkit.errors import InvalidVersion
from dockerkit.testing import FakeEngine
from dockerkit.types.filters import FILTERS

ROOT = Path(__file__).resolve().parents[2]
FACTS = json.loads((ROOT / "scripts/data/operations.json").read_text())

CREATE = "POST /containers/create"


def test_table_matches_the_script() -> None:
    result = subprocess.run([sys.executable, "scripts/make_version_table.py", "--check"], cwd=ROOT, capture_output=True)
    assert result.returncode == 0, result.stderr.decode()


def test_floor_and_ceiling_match_the_documents() -> None:
    assert (versions.FLOOR, versions.CEILING) == (FACTS["oldest"], FACTS["newest"])
    assert (versions.FLOOR, versions.CEILING) == (_version_table.OLDEST, _version_table.NEWEST)


def test_table_loads_with_the_first_check_only() -> None:
    code = (
        "import sys; from dockerkit.api import versions; gate = versions.gate('1.41');"
        "assert 'dockerkit.api._version_table' not in sys.modules;"
        "gate.check('GET /info'); assert 'dockerkit.api._version_table' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize("text", ["", "1", "1.", ".41", "v1.41", "1.4x", "1.41.0", None, 1, 1.41])
def test_rejects_invalid_versions(text: str) -> None:
    with pytest.raises(InvalidVersion, match="not an API version"):
        versions.as_tuple(text)


def test_versions_compare_as_numbers_not_as_text() -> None:
    assert versions.as_tuple("1.9") < versions.as_tuple("1.24") < versions.as_tuple("1.100")


def test_negotiation_chooses_the_newest_common_version() -> None:
    assert versions.negotiate("1.41") == "1.41"
    assert versions.negotiate("1.99", "1.44") == versions.CEILING
    with pytest.raises(InvalidVersion, match="upgrade the engine"):
        versions.negotiate("1.23")
    with pytest.raises(InvalidVersion, match="upgrade dockerkit"):
        versions.negotiate("1.99", "1.90")


def test_version_below_the_floor_is_refused_and_one_above_the_ceiling_is_not() -> None:
    assert versions.checked("1.24") == "1.24"
    assert versions.checked("1.99") == "1.99"
    with pytest.raises(InvalidVersion, match=r"1\.24"):
        versions.checked("1.12")


def test_gates_are_shared_by_version() -> None:
    assert versions.gate("1.41") is versions.gate("1.41")


def refusal(version: str, operation: str, **arguments: object) -> InvalidVersion:
    with pytest.raises(InvalidVersion) as caught:
        versions.gate(version).check(operation, **arguments)  # type: ignore[arg-type]
    return caught.value


def test_operation_is_refused_below_its_first_version() -> None:
    error = refusal("1.41", "PUT /volumes/{name}")
    assert (error.parameter, error.needed, error.spoken) == ("PUT /volumes/{name}", "1.42", "1.41")
    versions.gate("1.42").check("PUT /volumes/{name}")


@pytest.mark.parametrize("value", [0, False, "", [], "linux"])
def test_query_parameter_is_sent_unless_it_is_none(value: object) -> None:
    error = refusal("1.40", CREATE, query={"platform": value})
    assert (error.parameter, error.needed, error.spoken) == ("platform", "1.41", "1.40")
    versions.gate("1.40").check(CREATE, query={"platform": None, "name": "x"})
    versions.gate("1.41").check(CREATE, query={"platform": value})


def test_filters_are_gated_by_name() -> None:
    error = refusal("1.27", "GET /containers/json", query={"filters": {"publish": ["80"]}})
    assert (error.parameter, error.needed) == ("filters.publish", "1.28")
    versions.gate("1.27").check("GET /containers/json", query={"filters": {"label": ["a"], "publish": None}})


def test_body_fields_are_found_in_lists_and_maps() -> None:
    body = {"HostConfig": {"Mounts": [{"Target": "/a"}, {"VolumeOptions": {"Subpath": "x"}}]}}
    error = refusal("1.44", CREATE, body=body)
    assert error.parameter == "HostConfig.Mounts[1].VolumeOptions.Subpath"
    assert error.needed == "1.45"
    versions.gate("1.45").check(CREATE, body=body)
    ends = {"NetworkingConfig": {"EndpointsConfig": {"a.b": {"Aliases": []}, "c": {"GwPriority": 0}}}}
    assert refusal("1.47", CREATE, body=ends).parameter == "NetworkingConfig.EndpointsConfig.c.GwPriority"
    versions.gate("1.48").check(CREATE, body=ends)


def test_null_fields_and_odd_shapes_are_not_checked() -> None:
    gate = versions.gate("1.24")
    for body in ({"HostConfig": {"Init": None}}, {"HostConfig": None}, {"HostConfig": "x"}, [], "text", None, {}):
        gate.check(CREATE, body=body)


def test_removed_fields_are_refused_with_the_last_version_that_had_them() -> None:
    error = refusal("1.52", CREATE, body={"MacAddress": "02:42:ac:11:00:02"})
    assert error.needed == "1.51"
    assert "removed after API version 1.51: set mac_address of the network's endpoint" in str(error)
    versions.gate("1.51").check(CREATE, body={"MacAddress": "02:42:ac:11:00:02"})


def removed_names() -> list[tuple[str, str, str]]:
    """Return the removed parameters and fields: operation, name, and last version."""
    return [
        (operation, name, span.partition("-")[2])
        for operation, groups in _version_table.OPERATIONS.items()
        for group in groups[1:]
        for name, span in group.items()
        if span.partition("-")[2]
    ]


def test_each_refusal_of_a_removed_name_tells_what_to_use_instead() -> None:
    known = dict.fromkeys(versions._REPLACEMENTS, False)
    for operation, name, last in removed_names():
        with pytest.raises(InvalidVersion) as caught:
            versions.gate(versions.CEILING)._raise_unsupported(operation, name, f"1.24-{last}")
        assert re.search(rf"after API version {last}: (use|set|pass|omit) ", str(caught.value)), (operation, name)
        known[name.rpartition(".")[2]] = True
    assert all(known.values()), f"hints for what was not removed: {known}"


def test_headers_match_in_any_case() -> None:
    gated = [
        (operation, name, span.partition("-")[0])
        for operation, (_, _, headers, _, _) in _version_table.OPERATIONS.items()
        for name, span in headers.items()
    ]
    for operation, name, first in gated:
        older = f"1.{int(first.partition('.')[2]) - 1}"
        assert refusal(older, operation, headers={name.upper(): "x"}).needed == first


def test_supports_accepts_operations_parameters_and_nested_fields() -> None:
    gate = versions.gate("1.41")
    assert gate.supports("GET /containers/json")
    assert not gate.supports("PUT /volumes/{name}")
    assert not gate.supports("PUT /volumes/{name}", "version")
    assert gate.supports(CREATE, "platform")
    assert not gate.supports(CREATE, "HostConfig.Annotations")
    assert not gate.supports(CREATE, "HostConfig.Mounts[].ImageOptions.Subpath")
    assert gate.supports(CREATE, "HostConfig.Mounts[].Target")
    assert not versions.gate("1.27").supports("GET /containers/json", "filters.publish")
    assert gate.supports("GET /containers/json", "filters.publish")


@pytest.mark.parametrize("version", FACTS["versions"])
def test_gate_agrees_with_each_fact_at_each_version(version: str) -> None:
    """Check every documented parameter and field one by one."""
    gate = versions.gate(version)
    spoken = versions.as_tuple(version)

    def known(fact: dict[str, str | None]) -> bool:
        first, last = fact["first"], fact["last"]
        return versions.as_tuple(str(first)) <= spoken and (last is None or spoken <= versions.as_tuple(last))

    for operation in FACTS["operations"]:
        name = f"{operation['method']} {operation['path']}"
        assert gate.supports(name) == known(operation), name
        groups = [("", operation["query"], "name"), ("filters.", operation.get("filters", []), "name")]
        groups.append(("", (operation["body"] or {}).get("fields") or [], "path"))
        for prefix, facts, key in groups:
            for fact in facts:
                if not fact.get("ignored") and not fact.get("output_only"):
                    expected = known(fact) and known(operation)
                    assert gate.supports(name, prefix + fact[key]) == expected, (name, fact[key])


def test_filters_are_those_of_the_facts() -> None:
    facts = {
        f"{one['method']} {one['path']}": {fact["name"] for fact in one["filters"]}
        for one in FACTS["operations"]
        if one.get("filters")
    }
    assert facts == FILTERS


# Comparisons of versions elsewhere. docker-py's own names for them are in compat/, and the fake engine
# refuses versions as the real one does.
COMPARISON = re.compile(
    r"(as_tuple|version_lt|version_gte|compare_version)\("
    r"|api_version\s*[<>]=?|[<>]=?\s*\(?[\"']1\.\d\d[\"']|[<>]=?\s*\(1, ?\d\d\)|packaging\.version"
)


def test_versions_are_compared_nowhere_else() -> None:
    package = ROOT / "dockerkit"
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted(package.rglob("*.py"))
        if path != package / "api/versions.py" and not {"compat", "fake_engine"} & set(path.parts)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if COMPARISON.search(line)
    ]
    assert not found, "\n".join(found)


def test_supports_is_only_called_with_documented_names() -> None:
    """A typo in ``self.supports("POST /x", "y")`` would always return True."""
    operations = {f"{one['method']} {one['path']}": one for one in FACTS["operations"]}
    supports_call = re.compile(r"\b_?supports\(\s*\"([^\"]+)\"(?:,\s*\"([^\"]+)\")?", re.DOTALL)
    for path in (ROOT / "dockerkit").rglob("*.py"):
        for operation, name in supports_call.findall(path.read_text()):
            facts = operations.get(operation)
            assert facts is not None, f"{path}: {operation}"
            names = {fact["name"] for fact in facts["query"] + facts["headers"]}
            names |= {fact["path"] for fact in (facts["body"] or {}).get("fields") or []}
            names |= {f"filters.{fact['name']}" for fact in facts.get("filters", [])}
            assert not name or name in names, f"{path}: {operation} {name}"


@pytest.mark.parametrize(
    ("function", "call"),
    [
        ("Container.stop", lambda client: client.containers.get("web").stop(signal="SIGINT")),
        ("ImageCollection.list", lambda client: client.images.list(manifests=True)),
        # Creating is shielded: it runs in another thread.
        ("ContainerCollection.create", lambda client: client.containers.create("x", annotations={"a": "b"})),
    ],
)
def test_refusal_names_the_called_function(function: str, call: Callable[[DockerClient], object]) -> None:
    with FakeEngine(api_version="1.41") as engine, DockerClient(engine.host) as client:
        engine.add_image("x")
        client.containers.create("x", name="web")
        with pytest.raises(InvalidVersion, match=rf"uses API version 1\.41\n  in {function}\(\)$"):
            call(client)
