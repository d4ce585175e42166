"""docker-py's ``docker.utils.utils``. Written by scripts/make_doors.py."""

from dockerkit.compat.utils import *  # noqa: F403
