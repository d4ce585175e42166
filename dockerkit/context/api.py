"""docker-py's ``docker.context.api``. Written by scripts/make_doors.py."""

from dockerkit.endpoint.context_api import *  # noqa: F403
