"""A finished campaign in three files, to be kept and given away: ``python -m results.compact FOLDER TARGET``.

Read like any other campaign (``results.load``, ``pandas.read_parquet``). What means nothing elsewhere is left out: the
workers' names, checkpoints, weights and the search's own files; and the training curves, which take several times as
much room as all else. A resume refuses it.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m results.compact")

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from storage import files, inside
from storage.location import Location, argument
from storage.target import why_not_writable
from terminal.command_line import OneLineParser
from terminal.complaint import complain
from terminal.console import Console
from terminal.counted import counted
from terminal.exit_codes import FAILED

from results.named_campaigns import add_campaign, named_campaign
from results.store import places, row_places
from results.store.campaign_folder import Store
from results.store.campaigns import CAMPAIGN
from results.store.names import check_name
from results.store.row_kinds import COMPACTED
from results.store.statuses import UNFINISHED

_PART = "part-0.parquet"
_LEFT_OUT = ("worker", "checkpoint", "weights")


class NotWrittenError(OSError):
    """A target that could not be written: nothing of it is left."""


def compact(folder: Location, target: Location) -> int:
    """Write the campaign in ``folder`` to ``target``, a folder that must not exist yet or be empty; the bytes written.

    A ValueError where there is no campaign, where one of its trials has not ended, and for a target in use.
    A NotWrittenError where a disk is full, for one.
    """
    store = Store.open(folder)
    _check_target(target)
    tables: dict[str, pa.Table] = dict(zip(COMPACTED, store.tables(), strict=True))
    unfinished = sum(status in UNFINISHED for status in tables["trials"]["status"].to_pylist())
    if unfinished:
        raise ValueError(f"{folder} has {counted(unfinished, 'run')} not ended yet: resume it first")
    tables["trials"] = _without(tables["trials"].sort_by("number"), _LEFT_OUT)
    names = pa.array([target.name] * len(tables["trials"]), pa.string())
    at = tables["trials"].schema.get_field_index("campaign")
    tables["trials"] = tables["trials"].set_column(at, tables["trials"].schema.field(at), names)
    tables["trials"] = row_places.relative(target, tables["trials"])
    contents: dict[str, bytes] = {}
    for dataset, table in tables.items():
        buffer = pa.BufferOutputStream()
        pq.write_table(table, buffer, compression="zstd", compression_level=19)
        contents[f"{dataset}/{_PART}"] = buffer.getvalue().to_pybytes()
    text = json.dumps({**places.relative(target, store.campaign), "compacted": True}, indent=2, allow_nan=False)
    contents[CAMPAIGN] = f"{text}\n".encode()  # written last: a folder with this file is a whole campaign
    try:
        with inside.filling(target, contents.keys()):
            for name, content in contents.items():
                inside.write(target, name, content)
    except OSError as error:
        raise NotWrittenError(f"{target}: {error.strerror or error}") from None
    return sum(map(len, contents.values()))


def _check_target(target: Location) -> None:
    """Raise a ValueError unless a campaign can be written there, in a folder of its own."""
    check_name(target.name, "campaign name")
    if files.is_file(target) or files.names(target):
        raise ValueError(f"{target} exists already: a compacted campaign needs a folder of its own")
    if isinstance(target, Path) and (why := why_not_writable(target)) is not None:
        raise ValueError(f"TARGET {target}: {why}")


def _without(table: pa.Table, names: Sequence[str]) -> pa.Table:
    """The table with null in the columns ``names``."""
    for name in names:
        index, field = table.schema.get_field_index(name), table.schema.field(name)
        table = table.set_column(index, field, pa.nulls(len(table), field.type))
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """Compact the campaign named on the command line. Exit code 2 and one line where that cannot be, 1 where the
    target cannot be written.
    """
    parser = OneLineParser(prog="python -m results.compact", description="Put a campaign into three files.")
    add_campaign(parser)
    parser.add_argument("target", type=argument, metavar="TARGET", help="the folder to write")
    options = parser.parse_args(arguments)
    try:
        _check_target(options.target)  # before the campaign is looked for
        written = compact(named_campaign(options.campaign, options), options.target)
    except NotWrittenError as error:
        complain(parser.prog, f"not written: {error}")
        return FAILED
    except (ValueError, OSError) as error:
        return parser.refuse(error)
    said = f"{options.target}: {written:,} bytes in {1 + len(COMPACTED)} files, without the training curves"
    Console(goes_on=True).print(said)
    return 0


if __name__ == "__main__":
    program.end(main())
