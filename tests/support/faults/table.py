"""The table that the fault suite ends with: one row for each fault, kept as a property of its test, so that
it comes through from the processes that run the tests.
"""

from typing import Any, Final

import pytest

from tests.support.faults.load import Outcome

PROPERTY: Final = "fault"

_COLUMNS: Final = ("fault", "requests", "failed", "lost", "doubled", "recovery s", " answers")

Row = tuple[str, int, int, int, int, float, str]


def row(fault: str, outcome: Outcome) -> Row:
    """The row of one fault."""
    return (fault, *outcome)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A hook of pytest: print the rows of all tests that have one."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    rows: list[Any] = [
        value
        for report in reports
        if report.when == "call"
        for name, value in report.user_properties
        if name == PROPERTY
    ]
    if not rows:
        return
    terminalreporter.section("faults")
    width = max(len(str(one[0])) for one in rows)
    terminalreporter.write_line(f"{_COLUMNS[0]:{width}} " + " ".join(f"{name:>10}" for name in _COLUMNS[1:]))
    for name, requests, failed, lost, doubled, seconds, answers in rows:
        terminalreporter.write_line(
            f"{name:{width}} {requests:10} {failed:10} {lost:10} {doubled:10} {seconds:10.1f}  {answers}"
        )
