"""The object layer: one module per resource, over the calls of :mod:`dockerkit.api`."""
