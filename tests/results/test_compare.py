"""A made-up replay beside its record: what is averaged, ranked, established, counted; in frames, text, picture."""

from __future__ import annotations

import io
import itertools
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import results
from results import Store, load
from results import compare as compare_command
from results.compare import main
from results.replays.budgets import steps_line
from results.replays.comparison import Comparison, compare
from results.replays.picture import draw, figure_of
from results.replays.side_by_side import print_comparison
from terminal.console import Console
from tests.results.conftest import WHOLE

Row = dict[str, Any]
Replay = Callable[..., Path]

# The log: BASE and its rerun, two that it says are better and worse, one crash, one that nobody published. In the
# replay the rerun and B (whose knob does nothing) are one training each with what they repeat.
RECORDED = {"BASE": 1.600, "again": 1.602, "A": 1.550, "B": 1.552, "C": 1.601, "D": 1.700, "crash": None, "lost": None}
BASES = {"BASE": "root", "again": "BASE", "A": "BASE", "B": "A", "C": "A", "D": "BASE", "crash": "BASE", "lost": None}
RECORD = {
    "metric": "val_bpb",
    "reading": "as_run",
    "runs": [
        {
            "id": name,
            "name": f"the run {name}²",
            "phase": f"{number // 3} some phase",
            "base": BASES[name],
            "status": "Good",
            "note": "",
            "steps": 240 if value else None,
            "value": value,
        }
        for number, (name, value) in enumerate(RECORDED.items())
    ],
    "replicates": [["BASE", "again"], ["A", "B"]],
    "same": [["BASE", "again"], ["A", "B"]],
    "progression": [{"id": "BASE", "label": "baseline"}, {"id": "A", "label": "+ A"}],
    "effects": [
        {"name": "A helps", "treatment": "A", "control": "BASE", "lowers": True},
        {"name": "C helps", "treatment": "C", "control": "BASE", "lowers": True},
        {"name": "D hurts", "treatment": "D", "control": "BASE", "lowers": False},
    ],
    "plateau": None,
}
MEASURED = {"BASE": (3.00, 3.02), "A": (2.90, 2.92), "C": (3.10, 3.08), "D": (2.85, 2.86), "crash": (3.01, 3.03)}


@pytest.fixture
def replay(tmp_path: Path) -> Replay:
    """The folder of a replay: scores by recorded id and, for those without, how they ended."""

    made = itertools.count()

    def make(measured: Row = MEASURED, record: Row = RECORD, failed: Row | None = None) -> Path:
        campaign = {"space": "made_up", "scale": "proxy", "objective": record["metric"], "recorded": record}
        store = Store.create(tmp_path / ("replay" + "-again" * next(made)), campaign, {})
        trials = [(name, score, "completed") for name, scores in measured.items() for score in scores]
        trials += [(name, None, status) for name, status in (failed or {}).items()]
        for number, (name, score, status) in enumerate(trials):
            row = {"key": f"{number:016x}", "recorded_id": name, "reading": "as_run", "value": score, "status": status}
            store.write_trial({**WHOLE, "objective": record["metric"], "number": number, **row})
        return store.folder

    return make


def _row(frame: pd.DataFrame, name: str) -> pd.Series:
    (row,) = (row for _, row in frame.iterrows() if row.iloc[0] == name)
    return row


def _text(comparison: Comparison, width: int = 80, top: int | None = None) -> str:
    file = io.StringIO()
    print_comparison(Console(file=file, width=width), comparison, top)
    return file.getvalue()


def test_every_recorded_run_has_a_row_with_both_sides(replay: Replay) -> None:
    runs = compare(load(replay())).runs
    assert runs["id"].tolist() == list(RECORDED)
    base, better = _row(runs, "BASE"), _row(runs, "A")
    assert (base["recorded"], base["measured"], base["measured_runs"]) == (1.600, pytest.approx(3.01), 2)
    assert base["measured_sd"] == pytest.approx(0.02 / 2**0.5)
    assert better["recorded_difference"] == pytest.approx(1.551 - 1.601), "of the means of replicates"
    assert better["measured_difference"] == pytest.approx(2.91 - 3.01)
    assert runs["recorded_rank"].tolist()[:6] == [3, 5, 1, 2, 4, 6]
    assert runs["measured_rank"].tolist()[:7] == [4, 4, 2, 2, 7, 1, 6]


def test_runs_that_are_one_training_share_its_trials(replay: Replay) -> None:
    runs = compare(load(replay())).runs
    first, rerun = _row(runs, "BASE"), _row(runs, "again")
    assert rerun["measured"] == first["measured"] and rerun["training"] == "BASE" != rerun["id"]
    assert (rerun["measured_difference"], rerun["measured_verdict"]) == (0.0, "not established")


def test_a_trial_may_stand_under_any_id_of_its_training(replay: Replay) -> None:
    renamed = {"again" if name == "BASE" else name: scores for name, scores in MEASURED.items()}
    assert _row(compare(load(replay(renamed))).runs, "BASE")["measured"] == pytest.approx(3.01)


def test_a_run_that_the_campaign_never_scored_stands_in_the_same_table(replay: Replay) -> None:
    run = _row(compare(load(replay())).runs, "crash")
    assert math.isnan(run["recorded"]) and pd.isna(run["recorded_rank"]) and pd.isna(run["recorded_verdict"])
    assert run["measured"] == pytest.approx(3.02)
    assert (run["measured_rank"], run["measured_verdict"]) == (6, "not established")


def test_each_side_is_judged_by_its_own_noise(replay: Replay) -> None:
    comparison = compare(load(replay()))
    recorded, measured = comparison.recorded_noise, comparison.measured_noise
    assert recorded is not None and recorded.degrees_of_freedom == 2
    assert recorded.sd == pytest.approx(0.002 / 2**0.5)
    assert measured is not None and measured.degrees_of_freedom == 5
    assert measured.sd == pytest.approx(((4 * 0.02**2 + 0.01**2) / 2 / 5) ** 0.5)


def test_effects_are_established_not_established_or_contradicted(replay: Replay) -> None:
    effects = compare(load(replay())).effects
    assert effects["recorded_verdict"].tolist() == ["established", "not established", "established"]
    assert effects["measured_verdict"].tolist() == ["established", "contradicts", "contradicts"]
    assert effects["agrees"].tolist() == [True, False, False]


def test_the_progression_gives_each_step_from_the_one_before(replay: Replay) -> None:
    progression = compare(load(replay())).progression
    assert progression["recorded"].tolist() == pytest.approx([1.601, 1.551])
    assert progression["measured_difference"].tolist() == pytest.approx([math.nan, -0.1], nan_ok=True)
    assert progression["measured_verdict"].tolist() == [pd.NA, "established"]


def test_the_rank_correlation_is_over_runs_with_both_scores(replay: Replay) -> None:
    found = compare(load(replay())).correlation
    assert found is not None and (found.pairs, found.independent) == (6, 4)
    recorded, measured = pd.Series([3, 5, 1, 2, 4, 6]), pd.Series([4.5, 4.5, 2.5, 2.5, 6, 1])
    assert found.value == pytest.approx(recorded.corr(measured))


def test_what_did_not_complete_has_no_score_and_says_why(replay: Replay) -> None:
    measured = {name: scores for name, scores in MEASURED.items() if name != "D"}
    comparison = compare(load(replay(measured, failed={"D": "diverged", "A": "crashed"})))
    run = _row(comparison.runs, "D")
    assert math.isnan(run["measured"]) and (run["measured_runs"], run["measured_status"]) == (0, "diverged")
    assert _row(comparison.runs, "A")["measured_status"] == "completed"
    assert pd.isna(_row(comparison.effects, "D hurts")["agrees"])
    assert "runs without a measured score: 1 (1 diverged)" in _text(comparison)


def test_one_seed_each_establishes_nothing(replay: Replay) -> None:
    comparison = compare(load(replay({name: scores[:1] for name, scores in MEASURED.items()})))
    assert comparison.measured_noise is None
    assert set(comparison.effects["measured_verdict"]) == {"not established"}
    assert "noise of a run here: unknown, for want of replicates" in _text(comparison)


def test_runs_on_the_plateau_are_counted_and_not_averaged_or_ranked(replay: Replay) -> None:
    limits = {"recorded": 1.65, "measured": 5.0}
    measured = MEASURED | {"C": (3.10, 3.08, 6.5), "crash": (6.4, 6.6)}
    comparison = compare(load(replay(measured, RECORD | {"plateau": limits}, {"A": "plateaued"})))
    runs = comparison.runs.set_index("id")
    assert runs["measured_plateaus"].tolist() == [0, 0, 1, 1, 1, 0, 2, 0]
    assert (runs["measured"]["C"], runs["measured_runs"]["C"]) == (pytest.approx(3.09), 2)
    assert math.isnan(runs["measured"]["crash"])
    assert runs["recorded_plateau"]["D"] and pd.isna(runs["recorded_rank"]["D"])
    assert pd.isna(runs["recorded_verdict"]["D"])
    assert comparison.correlation is None, "D would have been the fourth training"
    line = "on the plateau: 1 of 6 recorded runs (above 1.65), 4 of 12 trials here (above 5)"
    assert line in _text(comparison)


def test_a_replay_before_its_first_result_can_be_compared(replay: Replay, tmp_path: Path) -> None:
    comparison = compare(load(replay({}, failed={"A": "running"})))
    assert comparison.correlation is None and comparison.runs["measured"].isna().all()
    assert "runs without a measured score: 7 (2 running)" in _text(comparison)
    draw(comparison, tmp_path / "empty.png")


def test_a_record_without_findings_has_empty_tables(replay: Replay) -> None:
    comparison = compare(load(replay(record=RECORD | {"progression": [], "effects": []})))
    assert comparison.progression.empty and comparison.effects.empty
    assert "Effects" not in _text(comparison)


def test_a_campaign_that_is_no_replay_is_refused(campaign: Path) -> None:
    with pytest.raises(ValueError, match=r"is no replay: its campaign\.json keeps no recorded runs"):
        compare(load(campaign))


# --- text -------------------------------------------------------------------------------------------------------------


def test_the_text_is_plain_and_its_tables_fit_80_columns(replay: Replay) -> None:
    text = _text(compare(load(replay())))
    assert text.isascii() and "\x1b" not in text
    tables = text.partition("\nlog, here:")[0].splitlines()
    assert max(map(len, tables)) <= 80
    assert tables[3].split()[:6] == ["D", "1.7000", "6", "+0.0990", "yes", "2.8550"]
    assert tables[3].split()[6:10] == ["1", "-0.1550", "2", "against"]


def test_names_are_shown_where_there_is_room(replay: Replay) -> None:
    comparison = compare(load(replay()))
    assert "the run D2\n" in _text(comparison, width=120)
    assert "the run D2" not in _text(comparison, width=70)


def test_only_the_top_is_listed_where_asked(replay: Replay) -> None:
    text = _text(compare(load(replay())), top=2).partition("\n\n")[0]
    assert [line.split()[0] for line in text.splitlines()[2:]] == ["run", "D", "A"]


def test_what_was_not_replayed_is_counted_and_not_listed(replay: Replay) -> None:
    text = _text(compare(load(replay({"A": (2.9,)}, failed={"D": "diverged"}))))
    table = text.partition("\n\n")[0].splitlines()[2:]
    assert [line.split()[0] for line in table] == ["run", "A", "B", "D"], "B is the same training as A"
    assert "\n+ A  " in text and "\nbaseline" not in text and "Effects" not in text
    assert "not replayed, and not shown: 5 recorded runs, 1 step, 3 effects" in text
    assert "not shown" not in _text(compare(load(replay(MEASURED | {"lost": (3.0,)}))))


def test_a_replay_of_nothing_yet_is_counted_only(replay: Replay) -> None:
    text = _text(compare(load(replay({}))))
    assert "not replayed, and not shown: 8 recorded runs, 2 steps, 3 effects" in text
    assert len(text.splitlines()) < 12


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([], ""),
        ([(240, 240), (276, 276)], ""),
        ([(240, 233), (240, 276)], "steps of a trial: 240 here, 233 to 276 in the log"),
        ([(20, 276)], "steps of a trial: 20 here, 276 in the log; budgets that differ by more than 2 times: the log"),
        (
            [(20, 276), (240, 240)],
            "20 to 240 here, 240 to 276 in the log; budgets that differ by more than 2 times for 1",
        ),
        ([(240, 20), (20, 240)], "budgets that differ by more than 2 times: the log says little of such trainings"),
    ],
)
def test_budgets_that_differ_from_the_log_are_said(pairs: list[tuple[float, float]], said: str) -> None:
    assert said in steps_line(pairs) and bool(said) == bool(steps_line(pairs))


def test_the_comparison_says_that_the_log_trained_longer(replay: Replay) -> None:
    record = RECORD | {"runs": [run | {"steps": 7000} for run in RECORD["runs"]]}
    text = _text(compare(load(replay(record=record))))
    assert (
        "steps of a trial: 240 here, 7,000 in the log; budgets that differ by more than 2 times: the log says" in text
    )
    assert "steps of a trial" not in _text(compare(load(replay())))


def test_the_summary_says_how_many_effects_hold(replay: Replay) -> None:
    text = _text(compare(load(replay())))
    assert "effects established in the log: 1 of 2 have the claimed sign here; 1 established, 1 contradicts" in text
    assert "effects not established in the log: 0 of 1 have the claimed sign here; 1 contradicts" in text
    assert "runs without a recorded score: 2, of which 1 have one here; the best of them is crash, rank 6 of 7" in text
    assert "two means of 2 must be" in text


# --- the picture and the command --------------------------------------------------------------------------------------


def test_the_picture_is_drawn_in_the_format_of_its_ending(replay: Replay, tmp_path: Path) -> None:
    comparison = compare(load(replay()))
    draw(comparison, tmp_path / "both.png")
    assert (tmp_path / "both.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match=r"both.txt' must end in one of"):
        draw(comparison, tmp_path / "both.txt")


def test_the_picture_names_the_steps_and_the_runs_that_the_log_has_no_score_of(replay: Replay) -> None:
    scores, progression, _ = figure_of(compare(load(replay()))).axes
    assert [text.get_text() for text in scores.texts][:3] == ["BASE", "A", "crash"]
    assert [label.get_text() for label in progression.get_yticklabels()] == ["baseline", "+ A"]
    assert scores.get_title().startswith("rank correlation")


def test_names_at_one_place_are_written_as_one(replay: Replay) -> None:
    record = RECORD | {"progression": [{"id": name, "label": name} for name in ("BASE", "A", "C")]}
    measured = MEASURED | {"C": (3.01, 3.01), "D": (9.0, 9.0)}  # which makes the others close
    scores, *_ = figure_of(compare(load(replay(measured, record)))).axes
    assert "BASE, C" in [text.get_text() for text in scores.texts]
    assert scores.get_ylabel().endswith("stretched at the good end") and "stretched" not in scores.get_xlabel()


def test_the_command_prints_the_tables_and_draws_beside_the_folder(replay: Replay) -> None:
    folder = replay()
    command = [sys.executable, "-W", "error", "-m", "results.compare", "--space", "made_up", str(folder)]
    done = subprocess.run(command, cwd=Path(results.__file__).parents[1], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("val_bpb of made_up replayed as_run at scale proxy")
    assert done.stdout.endswith(f"picture: {folder}.png\n")
    assert folder.with_name("replay.png").is_file()


def test_of_the_replay_that_is_kept_here_it_prints_and_draws_nothing_unasked(tmp_path: Path, capsys) -> None:
    kept = compare_command.KEPT / "ngpt"
    before = {path: path.stat().st_mtime_ns for path in compare_command.KEPT.glob("*.png")}
    for arguments in (["--space", "ngpt"], [str(kept)]):
        assert main([*arguments, "--top", "3"]) == 0
        assert capsys.readouterr().out.endswith("no picture was drawn: --picture FILE draws one\n")
    assert {path: path.stat().st_mtime_ns for path in compare_command.KEPT.glob("*.png")} == before
    asked = tmp_path / "asked.png"
    assert main(["--space", "ngpt", "--picture", str(asked)]) == 0 and asked.is_file()
    assert capsys.readouterr().out.endswith(f"picture: {asked}\n")


def test_what_cannot_be_compared_is_one_line(
    replay: Replay, campaign: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(replay())
    for arguments, message in (
        ([str(campaign)], "is no replay"),
        ([folder, "--space", "ngpt"], "replays 'made_up', not 'ngpt'"),
        ([folder, "--picture", f"{folder}/no/folder.png"], "there is no folder"),
        ([folder, "--picture", f"{folder}.txt"], "must end in one of"),
        (["--space", "made_up"], "no replay of 'made_up' is kept here"),
        ([f"{folder}x"], "is no campaign"),
    ):
        assert main(arguments) == 2
        printed = capsys.readouterr()
        assert message in printed.err and printed.err.count("\n") == 1 and not printed.out


@pytest.mark.parametrize(("arguments", "message"), [([], "which campaigns"), (["x", "--top", "0"], "at least 1")])
def test_a_command_that_names_nothing_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2 and message in capsys.readouterr().err
