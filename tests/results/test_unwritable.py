"""Places that turn out to take no file: one line that names the option and its value."""

from __future__ import annotations

import pytest

from results import compare, report


@pytest.mark.parametrize(("option", "code"), [("--csv", 2), ("--png", 1)])
def test_the_option_is_named(option, code, capsys) -> None:
    assert report.main([str(compare.KEPT / "ngpt"), "--no-page", option, "/proc/x"]) == code
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and f"{option} /proc/x: No such file or directory" in err
