"""docker-py's ``docker.auth``. Written by scripts/make_doors.py."""

from dockerkit.credentials.auth import *  # noqa: F403
