"""The engine's endpoint: discovery, addresses, TLS and contexts."""
