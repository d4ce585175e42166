"""What `make audit` makes of pip-audit's report."""

from __future__ import annotations

from audit import told


def test_what_was_not_looked_up_does_not_count_as_safe() -> None:
    unknown = {"name": "one", "skip_reason": "Dependency not found"}
    safe = {"name": "two", "version": "2", "vulns": []}
    holed = {
        "name": "three",
        "version": "3",
        "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.1", "4"]}, {"id": "PYSEC-2", "fix_versions": []}],
    }
    assert told([unknown]) == (0, [])
    assert told([unknown, safe, holed]) == (
        2,
        ["three 3: PYSEC-1, fixed in 3.1, 4", "three 3: PYSEC-2, fixed in no version yet"],
    )
