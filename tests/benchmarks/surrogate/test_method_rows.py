from __future__ import annotations

import json

import pytest

from benchmarks.surrogate import method_rows
from benchmarks.surrogate.compare import CURVE, RUNS


def line(method: str, model: str, seed: int, ends: tuple[float, float, float], slots: int = 1) -> dict:
    """A campaign whose best end falls at 50, 100 and 200 runs of the base."""
    curve = [ends[0] if runs < 100 else ends[1] if runs < 200 else ends[2] for runs in CURVE]
    return {
        "method": method, "model": model, "slots": slots, "seed": seed, "marks": list(RUNS), "best": list(ends),
        "curve": curve,
    }  # fmt: skip


def lines() -> list[dict]:
    ours = [line(method_rows.OURS, model, seed, (3.3, 3.2, 3.1)) for model in ("trees", "smooth") for seed in range(4)]
    theirs = [line("Optuna TPE", "trees", seed, (3.5, 3.4, 3.25 + seed / 100)) for seed in range(5)]
    return [*ours, *theirs]


def test_a_row_has_medians_quartiles_the_chance_and_the_time_after_which_ours_is_as_low() -> None:
    head, rule, ours, theirs = method_rows.table(lines())
    assert head.count("|") == rule.count("|") == ours.count("|") == theirs.count("|")
    assert ours == (
        "| 1 | **ours, `gp`** | 4 | 3.300, 3.200 | 3.100 (3.100..3.100) |  |  "
        "| 3.300, 3.200 | 3.100 (3.100..3.100) |  |  |"
    )
    told, smooth = theirs.split("3.270 (3.260..3.280)")
    assert told == "| 1 | Optuna's TPE, defaults | 5 and 0 | 3.500, 3.400 | "
    assert smooth == " | 0.02 | 50% |  |  |  |  |"


def test_ours_that_is_never_as_low_has_no_time() -> None:
    better = [line("SMAC3", "trees", seed, (3.0, 2.9, 2.8)) for seed in range(3)]
    row = list(method_rows.table([*lines(), *better]))[-1]
    assert row.startswith("| 1 | SMAC3 |") and " | - | " in row


def test_methods_stand_in_one_order_for_each_number_of_slots() -> None:
    many = [line("random", "trees", seed, (3.5, 3.4, 3.3), slots=8) for seed in range(2)]
    rows = [row.split(" | ")[:2] for row in method_rows.table([*many, *lines()])][2:]
    assert rows == [["| 1", "**ours, `gp`**"], ["| 1", "Optuna's TPE, defaults"], ["| 8", "random"]]


def test_of_halves_each_surrogate_has_a_row_with_both_methods() -> None:
    ended = [
        {**line(method, f"trees, {half}", seed, (0.0, first, end)), "marks": [48, 96], "best": [first, end + seed / 10]}
        for half in ("one half", "the other half")
        for method, first, end in ((method_rows.OURS, 3.5, 3.2), ("Optuna TPE", 3.4, 3.3))
        for seed in range(3)
    ]
    head, _, *rows = method_rows.of_halves([*lines(), *ended])
    columns = ("**ours, `gp`**: 48, 96 (quartiles)", "Optuna's TPE, defaults: 48, 96 (quartiles)")
    assert head == f"| surrogate | campaigns | {' | '.join(columns)} | p |"
    assert rows == [
        f"| trees, {half} | 3 | 3.500, 3.300 (3.250..3.350) | 3.400, 3.400 (3.350..3.450) | 0.7 |"
        for half in ("one half", "the other half")
    ]
    assert list(method_rows.of_halves(lines())) == []


@pytest.mark.parametrize("content", [None, json.dumps({**line("random", "trees", 0, (3.0, 3.0, 3.0)), "marks": [24]})])
def test_what_is_no_file_of_such_campaigns_is_refused_in_a_line(tmp_path, capsys, content) -> None:
    if content is not None:
        (tmp_path / "lines").write_text(content)
    with pytest.raises(SystemExit) as ended:
        raise SystemExit(method_rows.main([str(tmp_path / "lines")]))
    assert ended.value.code == 2 and capsys.readouterr().err.count("\n") == 1


def test_the_command_prints_both_tables_a_line_a_row(tmp_path, capsys) -> None:
    ended = [
        {**line(method, "trees, one half", seed, (3.5, 3.4, 3.3)), "marks": [48, 96], "best": [3.5, 3.4]}
        for method in (method_rows.OURS, "Optuna TPE")
        for seed in range(3)
    ]
    many = [*lines(), *ended]
    (file := tmp_path / "lines").write_text("".join(json.dumps(each) + "\n" for each in many))
    assert method_rows.main([str(file)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed == [*method_rows.table(many), "", *method_rows.of_halves(many)]
