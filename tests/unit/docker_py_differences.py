"""Intended differences from docker-py's surface; docs/migration.md has the same sentences.

Keys are what test_docker_py_surface.py reports. Values are sentences of the guide.
"""

from __future__ import annotations

USER_AGENT = "The default `user_agent` names dockerkit."
POOL = "`max_pool_size` defaults to 64: one pool serves all calls, and idle connections cost little."
ADAPTER = "`APIClient.get_adapter()` exists only under the alias: APIClient is not a `requests.Session`."
COMMIT = (
    "As positional arguments, `api.commit()` accepts `changes` and `conf` before `pause`, the order before "
    "docker-py 7. If a boolean is in the place of `changes`, the order of docker-py 7 is assumed."
)
STOP = (
    "`api.stop()` waits 10 seconds before SIGKILL by default. `container.stop()` uses the container's stop "
    "timeout, as in docker-py."
)
LISTS = (
    "`docker.models.services` lacks the lists of keywords (`CREATE_SERVICE_KWARGS` and others). The keywords are "
    "the fields of `ServiceOptions`."
)
HELPERS = (
    "The helpers `docker.api.build.process_dockerfile` and `docker.api.image.is_file` exist only under the alias."
    " The `host_config_*_error` functions of `docker.types.containers` don't exist."
)
BASE = (
    "The base class `Collection` has no `create` and `list`. A collection that can't create, such as the nodes, "
    "lacks the method; in docker-py, it has one that always raises."
)

DIFFERENCES: dict[str, str] = {
    "docker.client.DockerClient(max_pool_size=10)": POOL,
    "docker.client.DockerClient(user_agent='docker-sdk-python/7.1.0')": USER_AGENT,
    "docker.api.client.APIClient(max_pool_size=10)": POOL,
    "docker.api.client.APIClient(user_agent='docker-sdk-python/7.1.0')": USER_AGENT,
    "docker.api.client.APIClient.get_adapter": ADAPTER,
    "docker.api.container.ContainerApiMixin.commit(changes) is not number 7": COMMIT,
    "docker.api.container.ContainerApiMixin.commit(conf) is not number 8": COMMIT,
    "docker.api.container.ContainerApiMixin.commit(pause) is not number 6": COMMIT,
    "docker.api.container.ContainerApiMixin.stop(timeout=None)": STOP,
    "docker.api.build.process_dockerfile": HELPERS,
    "docker.api.image.is_file": HELPERS,
    "docker.types.containers.host_config_incompatible_error": HELPERS,
    "docker.types.containers.host_config_type_error": HELPERS,
    "docker.types.containers.host_config_value_error": HELPERS,
    "docker.types.containers.host_config_version_error": HELPERS,
    "docker.models.resource.Collection.create": BASE,
    "docker.models.resource.Collection.list": BASE,
    "docker.models.services.CONTAINER_SPEC_KWARGS": LISTS,
    "docker.models.services.CREATE_SERVICE_KWARGS": LISTS,
    "docker.models.services.PLACEMENT_KWARGS": LISTS,
    "docker.models.services.TASK_TEMPLATE_KWARGS": LISTS,
}
