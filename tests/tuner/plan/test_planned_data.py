"""The data of a campaign, at its plan and at its resume: what is refused, and what a user is told to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tuner.test_run import GOLF, campaign_json, without_ray, workplace  # noqa: F401  # fixtures
from trainable.component_json import fingerprint
from tuner import run
from tuner.cli import plan_text
from tuner.plan.throughput import Speeds

PLAN = [*GOLF, "--dry-run"]


@pytest.fixture(autouse=True)
def fixed_speed(monkeypatch) -> None:
    monkeypatch.setattr(plan_text, "speeds", lambda config, runtime, slots: Speeds(5000.0, 5000.0))


@pytest.fixture
def refused(capsys) -> Callable[..., str]:
    def ended(*arguments: str) -> str:
        capsys.readouterr()
        assert run.main([*arguments]) == 2
        said = str(capsys.readouterr().err)
        assert said.count("\n") == 1 and not said.startswith(" "), said
        return said

    return ended


def files() -> set[Path]:
    return {path for path in Path.cwd().rglob("*") if path.is_file()}


def test_a_plan_reads_the_users_text_and_refuses_as_a_run_does(refused) -> None:
    (Path("text [b]") / "rows.jsonl").write_text('{"text": "a"}\n{"text": 5}\n')
    before = files()
    said = refused(*PLAN, "--data", "text [b]")
    assert "rows.jsonl line 2 has the text 5 but it must be a string" in said and files() == before
    assert refused(*GOLF, "--data", "text [b]") == said and not Path("runs").exists()


def test_a_plan_of_good_text_says_what_only_a_run_can_tell_and_writes_nothing(workplace, capsys) -> None:  # noqa: F811
    before = files()
    assert run.main([*PLAN, "--data", "text [b]"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"data: .* bytes of text for training, .* for validation; 30 files read; not checked, as", said)
    assert "a vocabulary of 300 tokens and 512 target tokens" in said and files() == before


def test_a_plan_of_prepared_data_knows_all_of_them(without_ray, capsys, refused) -> None:  # noqa: F811
    without_ray()
    assert run.main([*GOLF, "--data", "text [b]", "--trials", "1", "--name", "a"]) == 0
    capsys.readouterr()
    before = files()
    assert run.main([*PLAN, "--data", "text [b]"]) == 0
    said = capsys.readouterr().out
    assert "validation tokens, vocabulary of 300; 30 files read" in said and "not checked" not in said
    much = ["evaluation.tokens=9984" if part == "evaluation.tokens=512" else part for part in PLAN]
    said = refused(*much, "--data", "text [b]")
    assert re.search(r"evaluation.tokens is 9,984 but .* give about [\d,]+ bytes of text \(there are .* or --set", said)
    (fits,) = re.findall(r"--set (evaluation.tokens=\d+)$", said.strip())
    assert run.main([*[fits if part == "evaluation.tokens=9984" else part for part in much], "--data", "text [b]"]) == 0
    assert files() == before


def test_a_plan_of_a_replay_looks_at_the_data_of_each_row(refused) -> None:
    (Path("text [b]") / "x.txt").write_bytes(b"a\0b")
    replay = [part for part in PLAN if part != "--no-confirm"]
    said = refused(*replay, "--data", "text [b]", "--replay", "BASE,1")
    assert "x.txt holds a NUL byte at position 1" in said


# --- data that have changed -------------------------------------------------------------------------------------------


def test_changed_data_say_what_was_and_is_and_what_to_do_at_a_resume_and_at_its_plan(without_ray, refused) -> None:  # noqa: F811
    without_ray()
    assert run.main([*GOLF, "--data", "text [b]", "--trials", "1", "--name", "old"]) == 0
    was = campaign_json("old")
    again = ["--resume", "old", "--results", "runs", "--trials", "2"]
    (Path("text [b]") / "more.txt").write_text("1 2 3 " * 300)
    said = refused(*again)
    assert f"since campaign 'old' began: it reads {was['data_description']} ({was['data']}), and now there is" in said
    assert re.search(
        r"and now there is .* validation tokens, vocabulary of 300; 31 files read \([0-9a-f]{16}\)\.", said
    )
    assert "say where they are: python -m tuner.run --resume old --results runs --data PLACE." in said
    assert "start a new campaign with another --name" in said
    assert refused(*again, "--dry-run") == said, "prepared by now, so that a plan can tell"
    (Path("text [b]") / "more.txt").unlink()
    assert run.main(again) == 0


def test_a_changed_standard_library_has_no_other_place(make_bench, tmp_path) -> None:
    from trainable.data.dataset import Dataset
    from tuner.campaign.resumed import check_same_data

    class Now:
        fingerprint, description = fingerprint("now"), "Python 3.12"

    was = {"overrides": {}, "data": "then", "data_description": "Python 3.11"}
    now: Dataset = Now()  # type: ignore[assignment]  # its name and its words are all that is asked for
    with pytest.raises(
        ValueError, match=r"it reads Python 3\.11 \(then\), and now there is Python 3\.12 .*the Python"
    ) as no:
        check_same_data(tmp_path / "c", was, now)
    assert "--data" not in str(no.value)
    with pytest.raises(ValueError, match=r"it reads then, and"):
        check_same_data(tmp_path / "c", {**was, "data_description": ""}, now)
    check_same_data(tmp_path / "c", {**was, "data": Now.fingerprint}, now)
