"""The service collection: ``client.services``."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dockerkit.models.resource import RAISE, Collection, D, response_warnings
from dockerkit.models.services.options import ServiceOptions, api_arguments
from dockerkit.models.services.service import Service
from dockerkit.models.tables import Table
from dockerkit.parsing.options import expands_options

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.api.refs import Ref
    from dockerkit.types.filters import ServiceFilters


class ServiceCollection(Collection[Service]):
    """Create, list and manage services of a swarm; requires a manager node."""

    model = Service

    @expands_options("dockerkit.models.services.options:ServiceOptions")
    def create(
        self, image: str, command: str | Sequence[str] | None = None, **options: Unpack[ServiceOptions]
    ) -> Service:
        """Create a service. ``POST /services/create``

        Args:
            image: image of the containers.
            command: a list of arguments, or a string, split as a shell would split it. None runs the image's default.
            options: options of :class:`~dockerkit.models.services.options.ServiceOptions`.

        Returns:
            The service; :meth:`Service.wait` waits until it is running.

        Raises:
            TypeError: an option is unknown.
            InvalidArgument: a value is invalid, or a secret or config does not exist.
            Conflict: the name is taken.
            ServiceUnavailable: the engine is not a swarm manager.

        Example::

            client.services.create("backup", mode="replicated-job", secrets=["key"]).wait()
        """
        arguments = api_arguments(self.client, {**options, "image": image, "command": command}, self.create)
        created = self.client.api.create_service(**arguments)
        for warning in response_warnings(created):
            warnings.warn(f"service {options.get('name') or created['ID']}: {warning}", stacklevel=2)
        return self.get(created["ID"])

    def get(self, service_id: Ref, insert_defaults: bool | None = None, *, default: D = RAISE) -> Service | D:
        """Return a service. ``GET /services/{id}``

        Args:
            service_id: ID or name.
            insert_defaults: fill in the Engine's defaults for unset fields (API 1.29).
            default: returned instead of raising NotFound.

        Raises:
            NotFound: the service does not exist.
        """
        return self._get(lambda: self.client.api.inspect_service(service_id, insert_defaults), default)

    def list(self, filters: ServiceFilters | None = None, status: bool | None = None) -> Table[Service]:
        """List services, in one request. ``GET /services``

        Args:
            filters: ``{"id": ..., "name": ..., "label": ["a=b"], "mode": "global"}``.
            status: include the number of running and desired tasks, in ``attrs["ServiceStatus"]`` (API 1.41).
        """
        return Table(self.prepare_model({**attrs}) for attrs in self.client.api.services(filters, status))
