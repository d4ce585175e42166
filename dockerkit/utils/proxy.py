"""docker-py's ``docker.utils.proxy``. Written by scripts/make_doors.py."""

from dockerkit.cliconfig.proxies import *  # noqa: F403
