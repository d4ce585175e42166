"""docker-py's ``docker.context.context``. Written by scripts/make_doors.py."""

from dockerkit.endpoint.context import *  # noqa: F403
