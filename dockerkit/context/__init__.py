"""Docker contexts: named engines, kept in the docker command's own store.

What is written here the docker command reads, and the reverse.
"""

from __future__ import annotations
