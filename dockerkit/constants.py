"""docker-py's ``docker.constants``. Written by scripts/make_doors.py."""

from dockerkit.compat.constants import *  # noqa: F403
