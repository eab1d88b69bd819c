"""A campaign with a row of every kind, and what somebody may have written into its files instead.

Each case is a change of one field of ``campaign.json``, or of one cell of a trial or a report: null, another type, too
large, too long, too deep, not finite. The Parquet files are well formed: only what they hold is not.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from results.store.campaign_folder import Store
from results.store.campaign_json import CampaignFile
from results.store.row_kinds import ROW_KINDS
from results.store.schema import curves_schema, reports_schema, trials_schema
from search_spaces import load as load_space
from tests.one_file_a_trial import one_file_a_trial
from tests.tuner.conftest import RESULT
from trainable.component_json import encode
from trainable.data.dataset import Dataset, TokenStream
from tuner.campaign.trials import Ledger
from tuner.question import Question, ask
from tuner.spec import CampaignSpec

DATA = "0123456789abcdef"
OBJECTIVE = "val_bpb"


@dataclass(frozen=True)
class Case:
    """One change of a campaign's folder."""

    name: str
    damage: Callable[[Path], object]


CURVE = {
    "steps": [1, 2, 3], "tokens": [1, 2, 3], "values": {"loss": [3.0, 2.0, 1.0], "gradient_norm": [1.0, 1.0, 1.0]},
    "units": {"loss": "nats/token", "gradient_norm": "?"},
}  # fmt: skip


def question() -> Question:
    return ask(load_space("parameter_golf"), CampaignSpec(space="parameter_golf", scale="proxy", trials=6))


def dataset() -> Dataset:
    """Data that are never read: as much as the command line asks of them."""
    found: Any = SimpleNamespace(
        fingerprint=DATA,
        vocab_size=1024,
        characters=None,
        description="made up",
        train=TokenStream((), (range(10**9),), 1024),  # type: ignore[arg-type]
        validation=range(10**9),
    )
    return found  # type: ignore[no-any-return]


def record() -> dict[str, Any]:
    """What campaign.json keeps of a search that has begun."""
    asked = question()
    return {
        "space": asked.space.name, "scale": asked.scale, "objective": OBJECTIVE, "objectives": [OBJECTIVE],
        "constraints": [], "likely": [], "overrides": {}, "base": encode(asked.base), "trials": asked.trials,
        "seed": None, "stopper": "asha", "fidelity": "truncate", "reports": 0, "confirm": "2x2", "ablate": False,
        "fresh_seed": 5000, "inert": ["optimizer.matrix_lr"], "warm_start": ["recorded"], "reuse": [], "replay": None,
        "recorded": None, "compile": False, "data": DATA, "data_description": "made up", "code_version": "1",
        "environment": {}, "created_at": "now", "question": "?", "ranges": {},
        "prior": [{"source": "recorded", "name": "H1", "values": {"optimizer.matrix_lr": 0.05}, "score": 1.2,
                   "reference": 1.3, "same": False}],
    }  # fmt: skip


def campaign(folder: Path) -> Path:
    """A search with trials of every status, and its confirmation half done."""
    asked = question()
    store = Store.create(folder, record(), asked.space.column_types())
    book = Ledger(store, asked.space, asked.base, DATA, "1")
    arms: dict[str, Any] = {}
    ends = ("completed", "completed", "completed", "stopped", "crashed")
    for number, status in enumerate(ends):
        values = {**book.base_values} | ({"optimizer.matrix_lr": 0.04 + number / 100} if number else {})
        entry = book.open(values, asked.space.config(asked.base, values), number)
        arms[entry.key] = entry
        book.start(entry.key)
        for milestone in (120.0, 240.0):
            sent = result(2.0 - number / 100, milestone, status if milestone == 240.0 else "running")
            book.report(entry.key, {**sent, "curve": CURVE})
        extra = {"rung": 60.0, "cutoff": 1.9} if status == "stopped" else {}
        book.close(entry.key, status, "" if status == "completed" else "why", extra)
    book.refuse({**book.base_values, "model.encoder_layers": 4}, "too many", 9)
    for seed in (5000, 5001):
        for key, entry in list(arms.items())[:3]:
            columns = {"stage": "confirm", "arm": key, "round": 0, "design": "2x2"}
            again = book.open_again(entry.values, replace(entry.config, seed=seed), columns)
            book.start(again.key)
            if seed == 5000:
                book.report(again.key, result(entry.row["value"] + 0.01, 240.0, "completed"))
                book.close(again.key, "completed")
    return one_file_a_trial(folder)


def result(value: float, milestone: float, status: str) -> dict[str, Any]:
    """A trial's report as Ray brings it."""
    return RESULT | {
        "status": status, "milestone": milestone, "step": int(milestone), "tokens": 24_000,
        "seconds": 1.0, "progress": milestone / 240, "multiplier": 1.0, "val_loss": value, "val_bpb": value,
        "wall_seconds": 2.0,
    }  # fmt: skip


# --- cases ------------------------------------------------------------------------------------------------------------

DEEP: Any = 1
for _ in range(200):
    DEEP = [DEEP]
VALUES: dict[str, Any] = {
    "null": None, "true": True, "minus one": -1, "zero": 0, "a half": 0.5, "2^63": 2**63, "10^300": 10**300,
    "1e308": 1e308, "nan": math.nan, "infinity": math.inf, "no text": "", "a word": "nowhere", "a path": "../../x",
    "long text": "x" * 200_000, "half a letter": "\ud800", "escapes": "\x1b[31m\r\n", "an empty list": [],
    "a list": [1, None], "an empty object": {}, "an object": {"a": {"b": 1}}, "deep": DEEP,
}  # fmt: skip
NESTED = ("prior.0.source", "prior.0.name", "prior.0.values", "prior.0.score", "prior.0.reference", "prior.0.same")


def of_campaign_json() -> Iterator[Case]:
    """Every field with every value, fields of the prior among them; and what JSON itself allows."""
    for path in (*CampaignFile.model_fields, "schema_version", *NESTED):
        for name, value in VALUES.items():
            yield Case(f"{path}: {name}", lambda folder, path=path, value=value: put(folder, path, value))
    for name, text in {
        "a name twice": '{"knobs": {}, "knobs": {}, "schema_version": 1}',
        "17 MB": json.dumps({"schema_version": 1, "knobs": {}, "x": "y" * 17_000_000}),
        "many lists": "[" + "[]," * 5_000_000 + "1]",
        "a number without end": '{"schema_version": ' + "1" * 5_000 + "}",
    }.items():
        yield Case(f"campaign.json: {name}", lambda folder, text=text: (folder / "campaign.json").write_text(text))


def put(folder: Path, path: str, value: Any) -> None:
    """Set a field of campaign.json; numbers are members of lists."""
    file = folder / "campaign.json"
    found = node = json.loads(file.read_text())
    *way, last = (int(part) if part.isdecimal() else part for part in path.split("."))
    for part in way:
        node = node[part]
    node[last] = value
    file.write_text(json.dumps(found))


CELLS: dict[str, list[Any]] = {
    "double": [None, math.nan, math.inf, -math.inf, 1e308, -1e308, -1.0, 0.0],
    "int64": [None, -1, 0, 2**63 - 1, -(2**63)],
    "bool": [None, True, False],
    "string": [None, "", "nowhere", "../x", "null", "[]", "{}", '{"a": NaN}', "[" * 1000,
               '{"a": ' * 100 + "1" + "}" * 100, '{"type": "TrainConfig"}', '{"changes": [1], "undone": []}',
               "x" * 2_000_000, "\x1b[31m", "1x1..9"],
    "timestamp[us, tz=UTC]": [None, 0, 2**63 - 1, -(2**63)],
    "dictionary<values=string, indices=int32, ordered=0>": [None, "", "nowhere", "x" * 2_000_000, "\x1b[31m", "<b>"],
}  # fmt: skip
KINDS = ("base", "completed", "stopped", "infeasible", "running confirm", "completed confirm")


def of_cells() -> Iterator[Case]:
    """Every column of a trial of every kind, of a report and of a curve, with every value of its type."""
    turn = 0
    for dataset, fields in (("trials", trials_schema({})), ("reports", reports_schema()), ("curves", curves_schema())):
        for field in fields:
            for value in CELLS[str(field.type)]:
                turn += 1  # each value in a row of one kind and another
                for kind in (KINDS[turn % 6], KINDS[(turn + 2) % 6]) if dataset == "trials" else KINDS[:1]:
                    name = f"{dataset} {kind} {field.name}: {str(value)[:20]!r}"
                    yield Case(name, lambda f, d=dataset, k=kind, n=field.name, v=value: cell(f, d, k, n, v))


def of_files() -> Iterator[Case]:
    """Rows that are well formed and too many."""
    for dataset in ROW_KINDS:
        yield Case(f"{dataset}: a row of another trial", lambda folder, d=dataset: two_rows(folder, d, other=True))
    yield Case("trials: a row twice", lambda folder: two_rows(folder, "trials", other=False))
    yield Case("trials: rows in the empty part", into_the_empty_part)


def rewrite(file: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    pq.write_table(change(pq.ParquetFile(file).read()), file)


def key_of(folder: Path, kind: str) -> str:
    """The key of a trial of that kind."""
    for row in Store.open(folder).trials():
        named = "base" if row["is_base"] and row["stage"] != "confirm" else row["status"]
        if kind == (f"{row['status']} confirm" if row["stage"] == "confirm" else named):
            return str(row["key"])
    raise AssertionError(kind)


def cell(folder: Path, dataset: str, kind: str, name: str, value: Any) -> None:
    def change(table: pa.Table) -> pa.Table:
        index, field = table.schema.get_field_index(name), table.schema.field(name)
        whole = isinstance(value, int) and pa.types.is_timestamp(field.type)
        plain = pa.int64() if whole else pa.string() if pa.types.is_dictionary(field.type) else field.type
        written = pa.array([value] * len(table), plain).cast(field.type)
        return table.set_column(index, field, written)

    rewrite(folder / dataset / f"{key_of(folder, kind)}.parquet", change)


def two_rows(folder: Path, dataset: str, other: bool) -> None:
    one, two = (folder / dataset / f"{key_of(folder, kind)}.parquet" for kind in ("base", "completed"))
    rewrite(one, lambda table: pa.concat_tables([table, pq.ParquetFile(two if other else one).read()]))


def into_the_empty_part(folder: Path) -> None:
    row = pq.ParquetFile(folder / "trials" / f"{key_of(folder, 'base')}.parquet").read()
    rewrite(folder / "trials" / "0-empty.parquet", lambda table: pa.concat_tables([table, row]))


def all_cases() -> list[Case]:
    return [*of_campaign_json(), *of_cells(), *of_files()]
