"""Export of a trial that needs code of the user's own: given again, or by the user's word, and never by itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.own_files import EXAMPLES, forgotten
from tests.trained_campaign import trained_campaign
from tests.tuner.conftest import Tune
from tuner import export

OWN = str(EXAMPLES / "sawtooth.py")


@pytest.fixture
def campaign(tmp_path, monkeypatch) -> Path:
    with forgotten():
        asked = ("--trials", "1", "--no-confirm", "--import", OWN, "--set", "schedule=Sawtooth")
        found = trained_campaign(tmp_path, monkeypatch, Tune, *asked)
    return found


def test_it_is_refused_without_the_code_and_scored_the_same_with_it(campaign, capsys) -> None:
    with forgotten():
        assert export.main(["small", "--to", "refused"]) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and "--import sawtooth.py" in said and "--trust-sources" in said
        assert not Path("refused").exists()
    for number, way in enumerate((["--import", OWN], ["--trust-sources"])):
        with forgotten():
            assert export.main(["small", "--to", f"to-{number}", *way]) == 0
        facts = json.loads((Path(f"to-{number}") / "export.json").read_text())
        assert facts["scored_again"] == facts["scored_in_the_search"]
        assert "--import" in (Path(f"to-{number}") / "command.txt").read_text()


def test_no_submission_is_made_of_it(campaign, capsys) -> None:
    with forgotten():
        author = ["--author", "Ada", "--github-id", "ada"]
        assert export.main(["small", "--to", "golf", "--trust-sources", *author]) == 2
    assert "which needs code of your own" in capsys.readouterr().err and not Path("golf").exists()
