"""docker-py's ``docker.utils.socket``. Written by scripts/make_doors.py."""

from dockerkit.compat.socket import *  # noqa: F403
