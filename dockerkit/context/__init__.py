"""docker-py's ``docker.context``. Written by scripts/make_doors.py."""

from dockerkit.context import api as api
from dockerkit.context import config as config
from dockerkit.context import context as context
from dockerkit.endpoint.context import *  # noqa: F403
from dockerkit.endpoint.context_api import *  # noqa: F403
