"""A campaign's folder: ``campaign.json`` and the Parquet datasets ``trials`` and ``reports``, one file a trial in each.

A file is only ever replaced whole (hidden temporary, fsync, rename), so a reader sees the old rows or the new ones, one
row per trial, also after a kill -9; there is nothing to repair. One process writes a campaign. A finished one may be
compacted into one file a dataset (results/compact.py): it is then there to be read, not to be gone on with.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from results.campaign import parse
from results.names import check_name, nearest
from results.rows import problem
from results.schema import SCHEMA_VERSION, STATUSES, reports_schema, trials_schema

OnCorrupt = Callable[[Path, str], None]  # the file under its new name, and what was wrong with it
Dataset = Literal["trials", "reports"]
DATASETS: tuple[Dataset, ...] = ("trials", "reports")
CAMPAIGN = "campaign.json"

_EMPTY = "0-empty"  # a part without rows, so that pandas can read a campaign in which nothing has happened yet


class Store:
    """Reads and writes one campaign's folder. Made by :meth:`create` and :meth:`open`."""

    def __init__(self, folder: Path, campaign: dict[str, Any], files: _Files) -> None:
        self.folder = folder
        self.campaign = campaign
        self._files = files
        self._schemas = {"trials": trials_schema(campaign["knobs"]), "reports": reports_schema()}
        self._reported: dict[str, list[dict[str, Any]]] = {}  # rows of the trials that are reporting now

    @classmethod
    def create(cls, folder: Path, campaign: Mapping[str, Any], knobs: Mapping[str, str]) -> Store:
        """Start a campaign: ``campaign`` is JSON data to keep, ``knobs`` the type of each sampled dotted path.

        A ValueError for a bad name or knob, and for a folder that already holds something.
        """
        check_name(folder.name, "campaign name")
        for name in ("schema_version", "knobs"):
            if name in campaign:
                raise ValueError(f"campaign[{name!r}] is written by the store and must not be given")
        store = cls(folder, {"schema_version": SCHEMA_VERSION, **campaign, "knobs": dict(knobs)}, _Files())
        store._refuse_if_in_use()
        for dataset in DATASETS:
            store._write_empty_part(dataset)
        # Written last: a folder with this file is a whole campaign, one without it can be created again.
        text = json.dumps(store.campaign, indent=2, allow_nan=False)
        store._files.replace(folder / CAMPAIGN, text.encode())
        return store

    @classmethod
    def open(cls, folder: Path, on_corrupt: OnCorrupt | None = None) -> Store:
        """Open an existing campaign; a ValueError where there is none or a newer version of this code wrote it.

        Only for a resume: with ``on_corrupt``, every Parquet file is checked now, and one that cannot be read is
        renamed to ``.corrupt-<name>`` and passed to it. Without, reading a damaged file is a ValueError that names it.
        """
        files = _Files()
        store = cls(folder, _read_campaign(folder, files), files)
        if on_corrupt is not None:
            store._refuse_if_compacted()
            store._set_corrupt_files_aside(on_corrupt)
            for dataset in DATASETS:
                if _EMPTY not in store._keys(dataset):
                    store._write_empty_part(dataset)
        return store

    def write_trial(self, row: Mapping[str, Any]) -> None:
        """Store the one row of a trial, in place of an earlier one; columns not given are null.

        A ValueError for a column that does not exist, a bad key or status, or a value of a wrong type.
        """
        status = row.get("status")
        if status not in STATUSES:
            raise ValueError(f"status {status!r} does not exist: {nearest(str(status), STATUSES, 'statuses')}")
        self._write("trials", _key(row), [row])
        if status != "running":
            self._reported.pop(row["key"], None)

    def append_report(self, row: Mapping[str, Any]) -> None:
        """Add one row to a trial's reports; columns not given are null. Errors as in :meth:`write_trial`."""
        key = _key(row)
        rows = self._reported[key] if key in self._reported else self.reports(key)
        self._write("reports", key, [*rows, row])  # refuses a bad row before it is remembered
        self._reported[key] = [*rows, dict(row)]

    def trials(self) -> list[dict[str, Any]]:
        """All trials as plain rows (null is None), sorted by key. A ValueError names the files that cannot be read."""
        return self.table("trials").to_pylist()

    def reports(self, key: str) -> list[dict[str, Any]]:
        """The reports of one trial in the order they were made; empty where it made none."""
        check_name(key, "trial key")
        if self._compacted:
            return [row for row in self.table("reports").to_pylist() if row["key"] == key]
        return self._read("reports", key).to_pylist() if key in self._keys("reports") else []

    def table(self, dataset: Dataset) -> pa.Table:
        """All rows of one dataset, sorted by key. A ValueError names every file that cannot be read."""
        tables, errors = [self._schemas[dataset].empty_table()], []
        for key in self._keys(dataset):
            try:
                tables.append(self._read(dataset, key))
            except ValueError as error:
                errors.append(str(error))
        if errors:
            raise ValueError("; ".join(errors))
        return pa.concat_tables(tables)

    def _keys(self, dataset: Dataset) -> list[str]:
        names = self._files.names(self.folder / dataset)
        return [name.removesuffix(".parquet") for name in names if name.endswith(".parquet")]

    def _path(self, dataset: Dataset, key: str) -> Path:
        return self.folder / dataset / f"{key}.parquet"

    def _read(self, dataset: Dataset, key: str) -> pa.Table:
        path = self._path(dataset, key)
        try:
            content = pa.BufferReader(self._files.read(path))
            table = pq.ParquetFile(content, page_checksum_verification=True).read()
        except (pa.ArrowException, OSError, ValueError) as error:
            raise ValueError(f"{path} cannot be read: {_first_line(error)}") from None
        schema = self._schemas[dataset]
        if any(field.name not in schema.names or field.type != schema.field(field.name).type for field in table.schema):
            raise ValueError(f"{path} cannot be read: its columns are not those of this campaign's {dataset}")
        # A column that this code has and the one that wrote the file did not is null.
        columns = [table[f.name] if f.name in table.column_names else pa.nulls(len(table), f.type) for f in schema]
        whole = pa.Table.from_arrays(columns, schema=schema)
        try:
            wrong = problem(whole, None if self._compacted or key == _EMPTY else key)
        except (pa.ArrowException, ValueError) as error:
            wrong = _first_line(error)
        if wrong:
            raise ValueError(f"{path} cannot be read: {wrong}")
        return whole

    def _write(self, dataset: Dataset, key: str, rows: list[Mapping[str, Any]]) -> None:
        self._refuse_if_compacted()
        schema = self._schemas[dataset]
        for name in rows[-1]:  # the others were checked when they were written
            if name not in schema.names:
                raise ValueError(f"{dataset} has no column {name!r}: {nearest(name, schema.names, 'columns')}")
        columns = [pa.array([_plain(f, r.get(f.name)) for r in rows], f.type) for f in schema]
        self._write_table(self._path(dataset, key), pa.Table.from_arrays(columns, schema=schema))

    def _write_table(self, path: Path, table: pa.Table) -> None:
        buffer = pa.BufferOutputStream()
        # Statistics and dictionaries cost more than they save in files of a few rows.
        pq.write_table(
            table, buffer, compression="zstd", use_dictionary=False, write_statistics=False, write_page_checksum=True
        )
        self._files.replace(path, buffer.getvalue().to_pybytes())

    def _write_empty_part(self, dataset: Dataset) -> None:
        self._write_table(self._path(dataset, _EMPTY), self._schemas[dataset].empty_table())

    @property
    def _compacted(self) -> bool:
        return bool(self.campaign.get("compacted"))

    def _refuse_if_compacted(self) -> None:
        if self._compacted:
            raise ValueError(f"{self.folder} is compacted: it can be read, but not gone on with")

    def _refuse_if_in_use(self) -> None:
        found = self._files.names(self.folder)
        if CAMPAIGN in found:
            raise ValueError(f"{self.folder} already holds a campaign: resume it or choose another name")
        foreign = [name for name in found if name not in DATASETS]
        foreign += [f"{dataset}/{key}" for dataset in DATASETS for key in self._keys(dataset) if key != _EMPTY]
        if foreign:
            raise ValueError(f"{self.folder} already holds {foreign[0]!r}: a campaign needs a folder of its own")

    def _set_corrupt_files_aside(self, on_corrupt: OnCorrupt) -> None:
        for dataset in DATASETS:
            for key in self._keys(dataset):
                try:
                    self._read(dataset, key)
                except ValueError as error:
                    on_corrupt(self._files.set_aside(self._path(dataset, key)), str(error))


class _Files:
    """All file access of the store, in bytes; the one place to put a pyarrow filesystem under, for object storage."""

    def names(self, folder: Path) -> list[str]:
        """Visible names in a folder, sorted; none where the folder does not exist."""
        if folder.is_file():
            raise ValueError(f"{folder} is a file but must be a folder")
        return sorted(p.name for p in folder.iterdir() if not p.name.startswith(".")) if folder.is_dir() else []

    def read(self, path: Path) -> bytes:
        return path.read_bytes()

    def replace(self, path: Path, content: bytes) -> None:
        """Write a whole file or leave the old one as it is, whatever happens meanwhile."""
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")  # dataset readers ignore a leading dot
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def set_aside(self, path: Path) -> Path:
        """Rename a damaged file so that readers ignore it; never over one that was set aside before."""
        aside = path.with_name(f".corrupt-{path.name}")
        while aside.exists():
            aside = path.with_name(f".corrupt-{uuid.uuid4().hex[:8]}-{path.name}")
        return path.rename(aside)


def _read_campaign(folder: Path, files: _Files) -> dict[str, Any]:
    path = folder / CAMPAIGN
    if not path.is_file():
        siblings = [n for n in files.names(folder.parent) if (folder.parent / n / CAMPAIGN).is_file()]
        hint = nearest(folder.name, siblings, "campaigns beside it")
        raise ValueError(f"{folder} is no campaign: it holds no {CAMPAIGN}; {hint}")
    return parse(path, files.read(path))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [repr(error)])[0]


def _key(row: Mapping[str, Any]) -> str:
    key = row.get("key")
    if not isinstance(key, str) or key == _EMPTY:
        raise ValueError(f"the trial key {key!r} must be text other than {_EMPTY!r}")
    check_name(key, "trial key")
    return key


def _plain(field: pa.Field[Any], value: Any) -> Any:
    """``value`` as its column stores it, or a ValueError: pyarrow alone would turn true into 1 and take naive times."""
    if value is None:
        return None
    kind, is_bool = field.type, isinstance(value, bool)
    if pa.types.is_floating(kind) and isinstance(value, Real) and not is_bool:
        return float(value)
    if pa.types.is_integer(kind) and isinstance(value, Integral) and not is_bool and -(2**63) <= int(value) < 2**63:
        return int(value)
    if pa.types.is_boolean(kind) and is_bool:
        return value
    if pa.types.is_string(kind) and isinstance(value, str):
        return value if (field.metadata or {}).get(b"unit") != b"JSON" else _checked_json(field.name, value)
    if pa.types.is_timestamp(kind) and isinstance(value, datetime) and value.tzinfo is not None:
        return value
    raise ValueError(f"{field.name} is {value!r} but must be {_WANTED[str(kind)]}")


_WANTED = {
    "double": "a number",
    "int64": "a whole number of at most 64 bits",
    "bool": "true or false",
    "string": "text",
    "timestamp[us, tz=UTC]": "a datetime with a time zone",
}


def _checked_json(name: str, text: str) -> str:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{name} is {text!r} but must be JSON: {error}") from error
    return text
