"""docker-py's ``docker.utils``: its names, led to where dockerkit does these things.

Kept for code that imports them. New code finds the same in clearer places: options take sizes, durations, ports and
folders as people write them, and :mod:`dockerkit.reference` reads the names of images.
"""

from __future__ import annotations

import importlib

_HOMES = {
    "check_resource": "decorators",
    "compare_version": "utils",
    "convert_filters": "utils",
    "convert_port_bindings": "utils",
    "convert_service_networks": "utils",
    "convert_volume_binds": "utils",
    "create_archive": "build",
    "create_host_config": "utils",
    "create_ipam_config": "utils",
    "create_ipam_pool": "utils",
    "datetime_to_timestamp": "utils",
    "decode_json_header": "utils",
    "exclude_paths": "build",
    "format_environment": "utils",
    "format_extra_hosts": "utils",
    "kwargs_from_env": "utils",
    "match_tag": "build",
    "minimum_version": "decorators",
    "mkbuildcontext": "build",
    "normalize_links": "utils",
    "parse_bytes": "utils",
    "parse_devices": "utils",
    "parse_env_file": "utils",
    "parse_host": "utils",
    "parse_repository_tag": "utils",
    "split_command": "utils",
    "tar": "build",
    "update_headers": "decorators",
    "version_gte": "utils",
    "version_lt": "utils",
}
_MODULES = frozenset({"build", "config", "decorators", "fnmatch", "json_stream", "ports", "proxy", "socket", "utils"})


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_MODULES})
