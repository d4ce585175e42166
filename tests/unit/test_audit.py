"""The report of `make audit`."""

from __future__ import annotations

from audit import told


def test_skipped_packages_do_not_count_as_safe() -> None:
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
