"""Image builds: the build context and the builders."""
