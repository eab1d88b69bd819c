"""A wrong value of an option is said before a folder, campaign or cluster is looked for, which is not there either."""

from __future__ import annotations

import re

import pytest

from results import compare, report
from tuner import export, run, sample
from tuner.artifacts.author import check_names

GOLF = ("--space", "parameter_golf")
AWAY = (*GOLF, "--address", "127.0.0.1:1")  # where nobody listens
FIRST = {
    (export.main, "nowhere", "--compressor", "zst", "--to", "full/"): "argument --compressor: .*did you mean 'zstd'",
    (export.main, "nowhere", "--bits", "99"): "'99' is not a whole number in 4..8",
    (export.main, "nowhere", "--author", "Ada"): "give both --author and --github-id",
    (export.main, "nowhere", "--author", "Ada", "--github-id", "a b"): "'a b' is no name on GitHub",
    (export.main, "nowhere", "--data", "gone/"): "there are no data '.*gone', which is neither a file or folder",
    (sample.main, "nowhere", "--data", "nanocht"): "did you mean 'nanochat'",
    (run.main, *GOLF, "--objective", "val_bpb,train_seconds,parameters"): "an objective is one name, or two, not 3: ",
    (run.main, *GOLF, "--constraint", "artifact_bytes<=16e6", "--set", "artifact=null"): "--set artifact=Artifact",
    (run.main, "--space", "nosuch"): "unknown space 'nosuch': valid spaces: mainrun, ",
    (run.main, "--space", "nowhere/my.py"): "no file 'nowhere/my.py': give a .py file, .*; .*/nowhere is no folder",
    (run.main, *GOLF, "--import", "nosuch.py"): "no file 'nosuch.py': give a .py file, .* has no file of Python",
    (run.main, *GOLF, "--import", "nosuch"): "nor a module that can be imported: give a .py file, ",
    (sample.main, "nowhere", "--prompt", "a\x00b"): "--prompt",
    (sample.main, "nowhere", "--temperature", "hot"): "'hot' is not a temperature",
    (report.main, "nowhere", "--top", "ten"): "'ten' is not a whole number",
    (compare.main, "nowhere", "elsewhere", "--html", "page.txt"): "--html page.txt must end in .html",
    (compare.main, "nowhere", "--picture", "page.txt"): "must end in one of",
    (run.main, "--resume", "nowhere", "--stopper", "ahsa"): "did you mean 'asha'",
    (run.main, *AWAY, "--constraint", "params<=3"): "did you mean 'parameters'",
    (run.main, *AWAY, "--objective", "val_bpc"): "did you mean 'val_bpb'",
    (run.main, *AWAY, "--set", "model.num_layrs=3"): "did you mean 'model.num_layers'",
    (run.main, *AWAY, "--scale", "prxy"): "no scale 'prxy'",
    (run.main, *AWAY, "--confirm-scale", "prxy"): "prxy",
}


@pytest.mark.parametrize("called", FIRST, ids=lambda called: f"{called[0].__module__} {' '.join(called[1:])}"[:70])
def test_a_wrong_value_is_said_first(called, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    command, *arguments = called
    try:
        code = command(arguments)
    except SystemExit as ended:
        code = ended.code
    (line,) = capsys.readouterr().err.splitlines()
    assert code == 2 and "nowhere is no campaign" not in line and "reached" not in line
    assert re.search(FIRST[called], line), line
    assert not list(tmp_path.iterdir()), "nothing is created"


def test_what_is_right_goes_on_to_the_place(capsys) -> None:
    assert run.main([*AWAY, "--objective", "val_loss"]) == 2
    assert "no Ray cluster can be reached at" in capsys.readouterr().err


def test_an_author_is_named_whole_or_not_at_all() -> None:
    check_names(None, None, None, None)
    check_names("Ada", "ada-l", None, "An engine.")
    with pytest.raises(ValueError, match="give both"):
        check_names(None, None, None, "An engine.")
