"""docker-py's ``docker.config``. Written by scripts/make_doors.py."""

from dockerkit.cliconfig.configfile import *  # noqa: F403
from dockerkit.endpoint.address import *  # noqa: F403
from dockerkit.endpoint.discovery import *  # noqa: F403
