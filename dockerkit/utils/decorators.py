"""docker-py's ``docker.utils.decorators``. Written by scripts/make_doors.py."""

from dockerkit.compat.decorators import *  # noqa: F403
