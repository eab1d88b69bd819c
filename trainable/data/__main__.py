"""``python -m trainable.data prepare NAME|FOLDER``: downloads and tokenises ahead, for machines without a network.

Exit codes: 0 it is prepared, 1 what came of it cannot be printed, 2 it cannot be prepared: one line says why.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m trainable.data")

import re
import sys
from collections.abc import Sequence

from terminal.command_line import OneLineParser
from terminal.console import Console
from terminal.counted import counted
from terminal.option_numbers import at_least_one, whole_number

from trainable.campaign_runs import RUN_SCALES
from trainable.data import preparation
from trainable.data.sources import DOWNLOADED
from trainable.data.tokenizer import PRETOKENIZERS
from trainable.prepare_ahead import data_option, prepare_ahead

PROGRAM = "python -m trainable.data"
OPTIONS = ("vocab_size", "seq_len", "tokenizer", "pretokenizer")  # which are fields of a DataConfig


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    console = Console()
    settings = {name: value for name in OPTIONS if (value := getattr(options, name)) is not None}
    try:
        found = prepare_ahead(
            options.source, settings, options.tokens, options.scale, lambda line: console.print(f"data: {line}")
        )
    except (ValueError, OSError) as error:
        return _parser().refuse(ValueError(in_own_options(str(error))))
    there = found.dataset.train.total_tokens + len(found.dataset.validation)
    console.print(found.dataset.description)
    console.print(f"it lies in {found.folder}: {counted(there, 'token')}")
    if options.source in DOWNLOADED:
        cache = preparation.cache_folder()
        console.print(f"without a network: copy {cache} to the same place there, or say by TUNER_CACHE where it is")
    if found.note:
        console.print(found.note)
    console.print(f"use it: {found.command}")
    return 0


def in_own_options(message: str) -> str:
    """A message of what prepares, whose advice is for a search, as this program's user can follow it.

    Settings of the data that are options here are named as such; what is no option here is left out.
    """
    for name in OPTIONS:
        message = re.sub(rf"(?:--set )?data\.{name}=", f"{data_option(name)} ", message)
        message = re.sub(rf"(?:DataConfig|data)\.{name}\b", data_option(name), message)
    message = re.sub(r"(?:[,;] )?(?:or )?(?:--set \S+[^\s,;:)] ?)+(?:or less)?", "", message)
    message = re.sub(
        r"evaluation\.seq_len is (\S+) but", r"a run is scored on windows of \1 target tokens but", message
    )
    return message.replace("pass --data FOLDER", "give a FOLDER")


def _parser() -> OneLineParser:
    parser = OneLineParser(prog=PROGRAM, description=__doc__.splitlines()[0].partition(": ")[2] if __doc__ else None)
    parser.add_argument(
        "action", choices=["prepare"], metavar="prepare", help="download and tokenise, into TUNER_CACHE"
    )
    parser.add_argument("source", metavar="NAME|FOLDER", help=f"{', '.join(DOWNLOADED)}, or files of text")
    parser.add_argument(
        "--scale",
        choices=RUN_SCALES,
        help="whose run is to read it (default: the campaign's own, full; of text the proxy)",
    )
    parser.add_argument(
        "--tokens",
        type=whole_number(1, 10**12),
        help="of training, in whole steps (default: of a run of that scale)",
    )
    parser.add_argument("--vocab-size", type=at_least_one, help="of the vocabulary that is learnt")
    parser.add_argument("--seq-len", type=at_least_one, help="tokens a row, where documents are packed (nanochat)")
    parser.add_argument("--tokenizer", help="for text: gpt2, cl100k_base or a tokenizer.json (default: learnt on it)")
    parser.add_argument("--pretokenizer", choices=list(PRETOKENIZERS), help="how text is cut before it is learnt")
    return parser


if __name__ == "__main__":
    program.end(main(sys.argv[1:]))
