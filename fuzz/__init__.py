"""Coverage-guided fuzzing of all parsers of untrusted input: ``make fuzz``."""
