"""Building images: the build context, and the builders."""
