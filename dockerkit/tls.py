"""docker-py's ``docker.tls``. Written by scripts/make_doors.py."""

from dockerkit.endpoint.tls import *  # noqa: F403
