"""docker-py's ``docker.context.config``. Written by scripts/make_doors.py."""

from dockerkit.compat.context_config import *  # noqa: F403
