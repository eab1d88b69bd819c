"""``python -m trainable.data prepare NAME|FOLDER``: downloads and tokenises ahead, for machines without a network.

Exit codes: 0 it is prepared, 1 what came of it cannot be printed, 2 it cannot be prepared: one line says why.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m trainable.data")

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from terminal.command_line import OneLineParser
from terminal.console import Console
from terminal.counted import counted
from terminal.option_numbers import at_least_one, whole_number

from trainable.data import download, preparation, sources
from trainable.data.dataset import DataConfig, Dataset
from trainable.data.named import RECIPES
from trainable.data.sources import DOWNLOADED, STDLIB
from trainable.data.tokenizer import PRETOKENIZERS

PROGRAM = "python -m trainable.data"


@dataclass(frozen=True)
class PreparedAhead:
    """Data that were prepared, and how a search reads them."""

    dataset: Dataset
    folder: Path
    command: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    console = Console()
    settings = {
        name: value
        for name in ("vocab_size", "seq_len", "tokenizer", "pretokenizer")
        if (value := getattr(options, name)) is not None
    }
    try:
        found = prepare_ahead(options.source, settings, options.tokens, console)
    except (ValueError, OSError) as error:
        return _parser().refuse(error)
    there = found.dataset.train.total_tokens + len(found.dataset.validation)
    console.print(found.dataset.description)
    console.print(f"it lies in {found.folder}: {counted(there, 'token')}")
    if options.source in DOWNLOADED:
        cache = preparation.cache_folder()
        console.print(f"without a network: copy {cache} to the same place there, or say by TUNER_CACHE where it is")
    console.print(f"use it: {found.command}")
    return 0


def prepare_ahead(source: str, settings: dict[str, int | str], tokens: int | None, console: Console) -> PreparedAhead:
    """Prepare a source by its name or path, with the campaign's own settings unless others are given.

    ``tokens`` are those of training; null is as many as a run of the campaign reads.
    """
    remote, recipe = download.DATASETS.get(source), RECIPES.get(source)
    own: dict[str, int | str] = dict(recipe.settings) if recipe is not None else {}
    config = DataConfig(**{"source": source, "batch_tokens": _batch(own | settings), **own, **settings})  # type: ignore[arg-type]
    needed = tokens
    if needed is None and (campaign := recipe or remote) is not None:
        needed = campaign.campaign_tokens
    preparation.check_source(config, needed)
    _check_used(source, settings, tokens)
    dataset = preparation.prepare(config, None, needed, lambda line: console.print(f"data: {line}"))
    folder = dataset.train.paths[0].parent
    campaign_of = recipe or remote
    space = campaign_of.space if campaign_of is not None else "parameter_golf"
    data = source if source in (*DOWNLOADED, STDLIB) else str(folder)
    changed = {name: value for name, value in settings.items() if own.get(name) != value} if data == source else {}
    sets = "".join(f" --set data.{name}={shlex.quote(str(value))}" for name, value in changed.items())
    return PreparedAhead(dataset, folder, f"python -m tuner.run --space {space} --data {shlex.quote(data)}{sets}")


def _check_used(source: str, settings: Mapping[str, int | str], tokens: int | None) -> None:
    """Raise a ValueError for an option that changes nothing in what is prepared of a source."""
    recipe, kind = RECIPES.get(source), source
    if recipe is not None:
        used = [*recipe.followed(DataConfig(source=source)), *(["tokens"] if recipe.is_prefix else [])]
    elif source in download.DATASETS:
        used = ["tokens"]
    elif source != STDLIB and sources.has_shards(source):
        used, kind = [], f"{source}, which is shards"
    else:
        used, kind = ["vocab_size", "pretokenizer", "tokenizer"], f"{source}, which is text and prepared whole"
        if settings.get("tokenizer") is not None:
            used, kind = ["tokenizer"], f"{source} in the vocabulary {settings['tokenizer']}"
    for name in (*settings, *(["tokens"] if tokens is not None else [])):
        if name not in used:
            takes = f"it takes {' and '.join(map(_option, used))}" if used else "it takes no options"
            raise ValueError(f"{_option(name)} has no effect on {kind}: {takes}")


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _batch(settings: dict[str, int | str]) -> int:
    """A batch of one row: what is prepared does not depend on it."""
    return int(settings.get("seq_len", 1024))


def _parser() -> OneLineParser:
    parser = OneLineParser(prog=PROGRAM, description=__doc__.splitlines()[0].partition(": ")[2] if __doc__ else None)
    parser.add_argument("action", choices=["prepare"], help="download and tokenise, into TUNER_CACHE")
    parser.add_argument("source", metavar="NAME|FOLDER", help=f"{', '.join(DOWNLOADED)}, or files of text")
    parser.add_argument(
        "--tokens", type=whole_number(1, 10**12), help="of training (default: of a run of its campaign)"
    )
    parser.add_argument("--vocab-size", type=at_least_one, help="of the vocabulary that is learnt")
    parser.add_argument("--seq-len", type=at_least_one, help="tokens a row, where documents are packed (nanochat)")
    parser.add_argument("--tokenizer", help="for text: gpt2, cl100k_base or a tokenizer.json (default: learnt on it)")
    parser.add_argument("--pretokenizer", choices=list(PRETOKENIZERS), help="how text is cut before it is learnt")
    return parser


if __name__ == "__main__":
    program.end(main(sys.argv[1:]))
