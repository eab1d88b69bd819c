"""The last line of a plan is true, whatever a look at the data has left."""

from __future__ import annotations

from pathlib import Path

import pytest

from terminal.console import Console
from tuner.command import Planning
from tuner.plan.left_in_cache import ending_a_plan


@pytest.mark.parametrize("prepares", [True, False])
def test_a_plan_says_what_it_has_left_in_the_cache(tmp_path: Path, monkeypatch, capsys, prepares) -> None:
    monkeypatch.setenv("TUNER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "1000")
    with ending_a_plan(Console(), Planning()):
        if prepares:
            (tmp_path / "cache" / "text-1").mkdir(parents=True)
    said = capsys.readouterr().out
    assert said == (
        f"dry run: nothing was trained; what was prepared stays in {tmp_path / 'cache'}: text-1\n"
        if prepares
        else "dry run: nothing was trained or written\n"
    )


def test_what_is_no_plan_or_is_refused_has_no_such_line(capsys) -> None:
    with ending_a_plan(Console(), None):
        pass
    with pytest.raises(ValueError, match="refused"), ending_a_plan(Console(), Planning()):
        raise ValueError("refused")
    assert capsys.readouterr().out == ""
