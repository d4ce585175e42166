"""docker-py's names and helpers, and the alias that lets its users' programs run on dockerkit."""
