"""docker-py's ``docker.utils.ports``. Written by scripts/make_doors.py."""

from dockerkit.compat.ports import *  # noqa: F403
