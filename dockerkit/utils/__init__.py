"""docker-py's ``docker.utils``. Written by scripts/make_doors.py."""

from dockerkit.compat.build import *  # noqa: F403
from dockerkit.compat.decorators import *  # noqa: F403
from dockerkit.compat.utils import *  # noqa: F403
from dockerkit.utils import build as build
from dockerkit.utils import config as config
from dockerkit.utils import decorators as decorators
from dockerkit.utils import fnmatch as fnmatch
from dockerkit.utils import json_stream as json_stream
from dockerkit.utils import ports as ports
from dockerkit.utils import proxy as proxy
from dockerkit.utils import socket as socket
from dockerkit.utils import utils as utils
