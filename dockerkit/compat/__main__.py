"""``python -m dockerkit.compat``: run programs that import docker on dockerkit."""

from __future__ import annotations

import sys

from dockerkit.compat.alias import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
