"""docker-py's ``docker.utils.fnmatch``. Written by scripts/make_doors.py."""

from dockerkit.compat.fnmatch import *  # noqa: F403
