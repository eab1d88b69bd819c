"""A campaign as earlier versions wrote it: a Parquet file a trial in ``trials/`` and ``reports/``, and no log."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from results import Store
from results.store import parquet
from results.store.row_kinds import COMPACTED
from results.store.schema import schemas


def one_file_a_trial(folder: Path) -> Path:
    """Write the rows of a campaign so; returns its folder."""
    store = Store.open(folder)
    store.settle(at_once=True)
    for dataset in COMPACTED:
        for part in sorted((folder / dataset).glob("part-*.parquet")):
            schema = schemas(store.campaign["knobs"])[dataset]
            table = parquet.read(part.read_bytes(), schema, 100_000)
            part.unlink()
            rows: dict[str, list[pa.Table]] = {}
            for at, key in enumerate(table["key"].to_pylist()):
                rows.setdefault(str(key), []).append(table.slice(at, 1))
            for key, tables in rows.items():
                (folder / dataset / f"{key}.parquet").write_bytes(parquet.of_few_rows(pa.concat_tables(tables)))
    (folder / "rows.log").unlink()
    return folder
