"""Log of one training as text, in the lines that a submission's own script prints, and its curve as a table."""

from __future__ import annotations

from collections.abc import Sequence

from results.store.campaign_folder import Store
from results.store.row_parts import given
from results.store.row_types import Reported, TrialRow
from search_spaces.objectives import cost_of
from trainable.training_log import data_line, end_line, run_line, score_line, step_lines

SCORES = tuple(name for name in Reported.__annotations__ if name.startswith("val_"))


def training_log(store: Store, row: TrialRow, about_data: str, asked: Sequence[str], round_trip: Sequence[str]) -> str:
    """The trial's losses and scores, in order of steps; of all steps at most 500.

    ``about_data`` describes the data beside their fingerprint; ``asked`` are the measures that the search asked for;
    ``round_trip`` are the lines of its artifact.
    """
    lines: list[tuple[int, int, str]] = []
    if (curve := store.curve(row["key"])) is not None:
        steps = step_lines(curve.steps, curve.values, curve.measured_at, row["steps"])
        lines += [(step, 0, text) for step, text in steps]
    for report in store.reports(row["key"], given(row["number"])):
        scores = {name: report[name] for name in SCORES}  # type: ignore[literal-required]
        lines.append((report["step"], 1, score_line(report["step"], row["steps"], scores)))
    head = [
        data_line(str(row["data"]), about_data),
        f"trial:{row['number']} key:{row['key']} code:{row['code_version']}",
        run_line(row["seed"], row["device"], row["precision"], row["parameters"]),
    ]
    end = [end_line(row["status"], row["reason"] or "", row["train_seconds"])]
    if asked:
        end.append("asked for by the search: " + " ".join(f"{name}:{cost_of(name, row)!r}" for name in asked))
    return "\n".join([*head, *(text for *_, text in sorted(lines)), *end, *round_trip]) + "\n"


def curve_table(store: Store, row: TrialRow) -> str | None:
    """The trial's curve as CSV, a row a step and a column a measure, monitors too; None where none was kept."""
    import pandas as pd

    from results.export import to_csv

    curve = store.curve(row["key"])
    if curve is None:
        return None
    rows: dict[int, dict[str, float]] = {step: {"step": step} for step in curve.steps}
    for name, values in curve.values.items():
        for step, value in zip(curve.steps_of(name), values, strict=True):
            rows[step][name] = value
    return to_csv(pd.DataFrame(list(rows.values())))
