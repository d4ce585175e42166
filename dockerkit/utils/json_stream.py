"""docker-py's ``docker.utils.json_stream``. Written by scripts/make_doors.py."""

from dockerkit.compat.json_stream import *  # noqa: F403
