"""Record the communication with an engine to a file, and replay it."""
