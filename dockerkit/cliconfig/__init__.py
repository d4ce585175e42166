"""The docker command's files: config.json, contexts, proxies."""
