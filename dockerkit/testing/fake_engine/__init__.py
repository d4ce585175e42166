"""An engine without Docker, for unit tests."""
