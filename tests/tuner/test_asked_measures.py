"""What a search asks for, objectives and limits, in all that is handed in: JSON, README, log and printed lines."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from results import load
from search_spaces.objectives import cost_of
from tests.trained_campaign import trained_campaign
from tests.tuner.conftest import Tune
from tuner import export
from tuner.artifacts.asked_measures import (
    OF_OTHER_ARTIFACT,
    OF_TRAINING,
    ROUNDED_SCORES,
    also_of_campaign,
    compared,
    how_to_get_more,
)

LIMITS = {"train_minutes<=999": "train_minutes", "step_seconds<=999": "step_seconds", "parameters<=1e9": "parameters"}
AGAIN = ("val_nats_per_character", "artifact_bytes", "parameters")
AUTHOR = ("--author", "Ada Lovelace", "--github-id", "ada-l")


@pytest.fixture(scope="module")
def campaign(tmp_path_factory) -> Path:
    """The base alone, of a search for nats a character that has an artifact, and limits on three costs."""
    folder = tmp_path_factory.mktemp("asked")
    limits = [part for limit in LIMITS for part in ("--constraint", limit)]
    asked = ("--trials", "1", "--no-confirm", "--stopper", "none", "--set", "artifact=Artifact", *limits)
    asked += ("--set", "evaluation.mainrun_rows=1")
    with pytest.MonkeyPatch.context() as patch:
        return trained_campaign(folder, patch, Tune, *asked, "--objective", "val_nats_per_character,artifact_bytes")


@pytest.fixture(autouse=True)
def there(campaign, monkeypatch) -> None:
    monkeypatch.chdir(campaign.parents[2])
    monkeypatch.setenv("TUNER_CACHE", str(campaign.parents[2] / "cache"))
    monkeypatch.setenv("COLUMNS", "1000")


def exported(to: Path, *options: str) -> dict:
    assert export.main(["small", "--trial", "0", "--to", str(to), *options]) == 0
    return json.loads((to / "export.json").read_text())


def said_of(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else repr(value)


def test_every_objective_and_limit_is_in_the_json_the_readme_the_log_and_the_lines(campaign, tmp_path, capsys) -> None:
    facts = exported(tmp_path / "to", *AUTHOR)
    said, asked = capsys.readouterr().out, facts["asked_for"]
    (row,) = load(campaign).trials.to_dict("records")
    assert asked.keys() == {"val_nats_per_character", "artifact_bytes", *LIMITS.values()}
    assert asked["val_nats_per_character"]["asked_as"] == "objective"
    assert asked["artifact_bytes"]["asked_as"] == "second objective, limit artifact_bytes<=16000000"
    for name, one in asked.items():
        assert one["in_the_search"] == cost_of(name, row), name
        assert one["again"] == (one["in_the_search"] if name in AGAIN else None)
        assert (one.get("why_not_again") == OF_TRAINING) == (name not in AGAIN)
        lines = [line for line in said.splitlines() if line.startswith(f"asked for: {name} (")]
        assert len(lines) == 1 and said_of(one["in_the_search"]) in lines[0]
        assert lines[0].endswith("the same to the last digit" if name in AGAIN else OF_TRAINING)
        assert f"- `{name}` ({one['asked_as']}): " in (tmp_path / "to" / "README.md").read_text()
        log = (tmp_path / "to" / "train.log").read_text().splitlines()[-2:]
        assert f"{name}:{one['in_the_search']!r}" in " ".join(log)
        handed_in = (tmp_path / "to" / "submission" / "README.md").read_text()
        assert f"- Asked for by the search: {name} ({one['asked_as']}): " in handed_in
        column = name.replace("artifact_bytes", "bytes_total").replace("_", chr(92) + "_")
        assert f" {column} |" in handed_in, "of the runs"


def test_each_score_is_beside_the_one_that_was_read_again(campaign, tmp_path, capsys) -> None:
    facts = exported(tmp_path / "to")
    assert facts["scored_again"].keys() == {"val_loss", "val_bpb", "val_nats_per_character", "val_mainrun_loss"}
    assert facts["scored_again"] == facts["scored_in_the_search"]
    small, said, page = facts["artifact"], capsys.readouterr().out, (tmp_path / "to" / "README.md").read_text()
    again = facts["scored_again"] | {name: small[name.removesuffix("_quantised")] for name in ROUNDED_SCORES}
    assert facts["measured_beside"].keys() == again.keys() - {"val_nats_per_character"}, "which was asked for"
    for name, one in facts["measured_beside"].items():
        assert one["again"] == one["in_the_search"] == again[name]
        line = f": {compared(again[name], again[name])}\n"
        assert f"\nalso measured: {name}{line}" in said and f"- `{name}`{line}" in page
    assert small["val_nats_per_character"] == pytest.approx(
        small["val_loss"] / facts["scored_again"]["val_loss"] * facts["scored_again"]["val_nats_per_character"]
    )
    steps = [
        line
        for line in (tmp_path / "to" / "train.log").read_text().splitlines()
        if line.startswith("step:") and " val_bpb:" in line
    ]
    assert steps and all(" val_nats_per_character:" in line for line in steps)


def test_a_submission_has_one_size_of_code_and_weights_in_its_table_under_the_competitions_name(tmp_path) -> None:
    artifact = exported(tmp_path / "to", *AUTHOR)["artifact"]
    facts = json.loads((tmp_path / "to" / "submission" / "submission.json").read_text())
    text = (tmp_path / "to" / "submission" / "README.md").read_text()
    head, _, row = ([cell.strip() for cell in line.split("|")] for line in text.splitlines() if line.startswith("| "))
    assert "artifact\\_bytes" not in head and "bytes\\_model" not in head
    assert (
        row[head.index("bytes\\_total")] == f"{facts['bytes_total']:,}"
        and facts["bytes_total"] == artifact["bytes_model"] + facts["bytes_code"]
    )
    (asked,) = (line for line in text.splitlines() if line.startswith("- Asked for by the search: artifact_bytes "))
    assert (
        f"{artifact['artifact_bytes']:,} when read again" in asked
        and artifact["artifact_bytes"] != facts["bytes_total"]
    )
    assert asked.endswith("; with other bytes of code than `bytes_total`, which counts train_gpt.py")


def test_an_artifact_of_other_settings_is_not_held_against_that_of_the_search(tmp_path, capsys) -> None:
    one = exported(tmp_path / "to", "--bits", "5")["asked_for"]["artifact_bytes"]
    assert (one["again"], one["why_not_again"]) == (None, OF_OTHER_ARTIFACT) and one["in_the_search"] > 0


def test_a_trial_of_mainrun_without_its_contests_number_says_how_to_get_it() -> None:
    def said(space: str, measured: float | None) -> str | None:
        return how_to_get_more(SimpleNamespace(row={"space": space, "val_mainrun_loss": measured}))  # type: ignore[arg-type]

    assert "--set evaluation.mainrun_rows=64 " in (said("mainrun", None) or "")
    assert said("mainrun", 1.5) is None and said("parameter_golf", None) is None


def test_a_value_that_differs_or_that_nobody_knows_is_not_called_the_same() -> None:
    assert compared(1.5, 1.5).endswith("the same to the last digit")
    assert compared(1.5, 1.25).endswith("1.25 in the search: +0.25: computed on another device?")
    assert compared(999453, 999453) == "999,453 when read again, 999,453 in the search: the same to the last digit"
    assert compared(1.5, None).endswith("not known in one of them")


def test_the_bytes_are_held_against_the_limit_that_the_campaign_itself_sets() -> None:
    base = {"artifact": {"limit_bytes": 16_000_000}}

    def said(*constraints: str) -> str:
        kept = SimpleNamespace(results=SimpleNamespace(campaign={"constraints": constraints, "base": base}))
        return also_of_campaign(kept)

    assert said() == said("parameters<=1e9") == ""
    text = "artifact_bytes<=1100000 margin 1%"
    assert said("train_minutes<=1", text) == f", and of 1,089,000 by the campaign's limit {text}"
