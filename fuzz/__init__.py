"""Coverage-guided fuzzing of all that parses what others wrote: ``make fuzz``."""
