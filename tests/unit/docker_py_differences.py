"""Where dockerkit differs from docker-py's surface on purpose; docs/migration.md tells users the same reasons.

Keys are what test_docker_py_surface.py reports. Values are sentences of the guide.
"""

from __future__ import annotations

USER_AGENT = "`user_agent` says dockerkit, because that is who is asking."
POOL = "`max_pool_size` is 64 by default, because there is one pool for all calls and idle connections cost little."
ADAPTER = "`APIClient.get_adapter()` is not there, because APIClient is no `requests.Session` any more."
COMMIT = (
    "`api.commit()` takes `changes` and `conf` before `pause` by position, as docker-py did before 7; by name nothing "
    "changes, and a boolean in the place of `changes` is refused."
)
STOP = (
    "`api.stop()` waits 10 seconds before it kills unless `timeout` says otherwise; `container.stop()` leaves it to the "
    "container, as docker-py does."
)
LISTS = (
    "The lists of keywords in `docker.models.services` (`CREATE_SERVICE_KWARGS` and others) are not there: the keywords "
    "are the fields of `ServiceOptions`."
)
HELPERS = (
    "`docker.api.build.process_dockerfile`, `docker.api.image.is_file` and the `host_config_*_error` functions of "
    "`docker.types.containers` are not there: they were docker-py's own helpers, and nothing else used them."
)
BASE = (
    "`Collection` has no `create` and `list` of its own: a collection that can't create, such as the nodes, has no such "
    "method, instead of one that always raises."
)
SPEC = "`service.update()` always starts from the current spec, so `fetch_current_spec` is taken and changes nothing."

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
    "docker.models.services.Service.update(fetch_current_spec)": SPEC,
}
