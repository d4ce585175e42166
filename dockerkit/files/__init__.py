"""Create and extract tar archives, and read and write local files."""
