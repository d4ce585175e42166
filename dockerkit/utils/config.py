"""docker-py's ``docker.utils.config``. Written by scripts/make_doors.py."""

from dockerkit.compat.config import *  # noqa: F403
