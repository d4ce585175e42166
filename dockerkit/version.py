"""docker-py's ``docker.version``. Written by scripts/make_doors.py."""

from dockerkit import __version__ as __version__
