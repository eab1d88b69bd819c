"""Log of one training as text, a line a step that its curve keeps and a line an evaluation."""

from __future__ import annotations

from results.store.campaign_folder import Store
from results.store.row_parts import given
from results.store.row_types import TrialRow


def training_log(store: Store, row: TrialRow) -> str:
    """The trial's losses (nats a token, bits a byte) and seconds, in order of steps; of all steps at most 500."""
    whole = f"/{row['steps']}" if row["steps"] else ""
    lines: list[tuple[int, int, str]] = []
    if (curve := store.curve(row["key"])) is not None:
        said_at: dict[int, list[str]] = {step: [] for step in curve.steps}
        for name, values in sorted(curve.values.items()):
            for step, value in zip(curve.steps_of(name), values, strict=True):
                said_at[step].append(f"{_name(name)}:{value:.6g}")
        lines += [(step, 0, f"step:{step}{whole} {' '.join(said)}") for step, said in said_at.items()]
    for report in store.reports(row["key"], given(row["number"])):
        scores = {name: report[name] for name in ("train_loss", "val_loss", "val_bpb")}  # type: ignore[literal-required]
        said = " ".join(f"{name}:{value!r}" for name, value in scores.items() if value is not None)
        lines.append((report["step"], 1, f"step:{report['step']}{whole} {said} train_time:{report['seconds']:.3f}s"))
    head = f"trial:{row['number']} key:{row['key']} seed:{row['seed']} data:{row['data']} device:{row['device']}"
    versions = f"precision:{row['precision']} code:{row['code_version']} status:{row['status']}"
    return "\n".join([f"{head} {versions}", *(text for *_, text in sorted(lines)), _last(row)]) + "\n"


def _name(name: str) -> str:
    return "train_loss" if name == "loss" else name


def _last(row: TrialRow) -> str:
    said = f"final val_loss:{row['val_loss']!r} val_bpb:{row['val_bpb']!r} train_time:{row['train_seconds']!r}s"
    if row["val_bpb_quantised"] is None:
        return said
    return f"{said}\nfinal_quantised val_bpb:{row['val_bpb_quantised']!r} artifact_bytes:{row['artifact_bytes']}"
