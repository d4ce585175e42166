"""How fast dockerkit is, as ratios to docker-py and to the bare minimum, measured in one interleaved run."""
