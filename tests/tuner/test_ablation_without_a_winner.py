"""An ablation where no winner can be: refused by a line that asks for nothing that is refused in its turn."""

from __future__ import annotations

import pytest

from tuner.run import main


def test_an_ablation_of_two_objectives_is_refused_for_what_it_is(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--space", "parameter_golf", "--scale", "proxy", "--objective", "val_bpb,train_seconds", "--ablate"]
    assert main([*asked, "--results", str(tmp_path / "runs")]) == 2
    said = "python -m tuner.run: --ablate is for a search for one objective: this campaign is none\n"
    assert capsys.readouterr() == ("", said)
    assert list(tmp_path.iterdir()) == []
