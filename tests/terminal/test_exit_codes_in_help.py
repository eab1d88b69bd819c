"""A script that calls a command learns its exit codes from --help."""

from __future__ import annotations

import pytest

from results import compare, fidelity, report
from tuner import status
from tuner.audit import report as audit_report
from tuner.cli import option_groups

LOOKING = {"report": report, "compare": compare, "fidelity": fidelity, "status": status, "audit": audit_report}


@pytest.mark.parametrize("name", LOOKING)
def test_a_command_that_looks_tells_its_exit_codes(capsys, name) -> None:
    with pytest.raises(SystemExit):
        LOOKING[name].main(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "Exit codes: 0 printed, 1 not printed" in said and "2 bad input, 141 where" in said


def test_the_main_command_tells_141_and_where_its_number_of_trials_is_from() -> None:
    said = " ".join(option_groups.parser().format_help().split())
    assert "2 bad input, 141 the reader of the output of --list, --show or --dry-run has ended" in said
    assert "those of earlier starts included (default: the scale's, see --list)" in said
