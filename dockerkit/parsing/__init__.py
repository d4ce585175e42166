"""Parse strings strictly: sizes, durations, ports, image references and similar values."""
