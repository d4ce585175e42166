"""docker-py's ``docker.utils.build``. Written by scripts/make_doors.py."""

from dockerkit.compat.build import *  # noqa: F403
