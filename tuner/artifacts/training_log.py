"""Log of one training as text, a line a step that its curve keeps and a line an evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from results.store.campaign_folder import Store
from results.store.row_parts import given
from results.store.row_types import Reported, TrialRow
from search_spaces.objectives import cost_of

SCORES = tuple(name for name in Reported.__annotations__ if name.startswith("val_"))
OF_ARTIFACT = ("val_loss_quantised", "val_bpb_quantised", "artifact_bytes")


def training_log(store: Store, row: TrialRow, asked: Sequence[str]) -> str:
    """The trial's scores and seconds, in order of steps; of all steps at most 500.

    The final line has every score, and the measures ``asked`` for.
    """
    whole = f"/{row['steps']}" if row["steps"] else ""
    lines: list[tuple[int, int, str]] = []
    if (curve := store.curve(row["key"])) is not None:
        said_at: dict[int, list[str]] = {step: [] for step in curve.steps}
        for name, values in sorted(curve.values.items()):
            for step, value in zip(curve.steps_of(name), values, strict=True):
                said_at[step].append(f"{_name(name)}:{value:.6g}")
        lines += [(step, 0, f"step:{step}{whole} {' '.join(said)}") for step, said in said_at.items()]
    for report in store.reports(row["key"], given(row["number"])):
        said = _scores(report, "train_loss", *SCORES)
        lines.append((report["step"], 1, f"step:{report['step']}{whole} {said} train_time:{report['seconds']:.3f}s"))
    head = f"trial:{row['number']} key:{row['key']} seed:{row['seed']} data:{row['data']} device:{row['device']}"
    versions = f"precision:{row['precision']} code:{row['code_version']} status:{row['status']}"
    return "\n".join([f"{head} {versions}", *(text for *_, text in sorted(lines)), _last(row, asked)]) + "\n"


def _name(name: str) -> str:
    return "train_loss" if name == "loss" else name


def _last(row: TrialRow, asked: Sequence[str]) -> str:
    others = {name: cost_of(name, row) for name in asked if name not in (*SCORES, *OF_ARTIFACT)}
    said = f"final {_scores({**row, **others}, *SCORES, *others)} train_time:{row['train_seconds']!r}s"
    small = _scores(row, *OF_ARTIFACT)
    return f"{said}\nfinal_quantised {small}" if small else said


def _scores(row: Mapping[str, Any], *names: str) -> str:
    """The numbers of a row that are known, by their names."""
    return " ".join(f"{name}:{row[name]!r}" for name in names if row.get(name) is not None)
