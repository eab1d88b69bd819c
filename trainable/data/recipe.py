"""Data sets that are prepared here as their campaign did: downloaded as published, then tokenised into shards."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from trainable.data import hub
from trainable.data.hub import HubFile
from trainable.data.needed_files import NeededFiles
from trainable.data.one_at_a_time import one_at_a_time
from trainable.data.prepared_folder import Say
from trainable.data.shards import Tokens
from trainable.data.tokenizer import BYTE_LEVEL

SETTINGS = ("vocab_size", "seq_len", "pretokenizer")  # of a DataConfig, as what is prepared may depend on them
USUAL = {"pretokenizer": BYTE_LEVEL}


class RecipeSettings(Protocol):
    """The fields of a DataConfig that a recipe may follow."""

    @property
    def vocab_size(self) -> int: ...
    @property
    def pretokenizer(self) -> str: ...
    @property
    def order(self) -> str: ...
    @property
    def seq_len(self) -> int: ...


@dataclass(frozen=True)
class Preparation:
    """One preparation: where downloads are kept, the empty folder that is filled, and how much of it is needed."""

    downloads: Path
    folder: Path
    train_tokens: int | None  # of training at least, with the targets of rows; null: all that there are
    say: Say
    advice: str = ""  # how the data come to a machine without a network


@dataclass(frozen=True, kw_only=True)
class Recipe(abc.ABC):
    """A named data set that is made of published files."""

    name: str
    about: str  # what it is and where from, for a plan
    first: HubFile  # asked for, to see that the hub answers
    settings: tuple[tuple[str, int], ...] = ()  # fields of DataConfig as the campaign had them
    kept_as: str = ""  # folder of the downloads, where several recipes share it
    is_prefix: bool = False  # more tokens are the same ones and some behind them

    def followed(self, config: RecipeSettings) -> list[str]:
        """Fields of a DataConfig that these data depend on."""
        return [name for name in SETTINGS if name in self.identity(config)]

    def advice(self, config: RecipeSettings, train_tokens: int | None) -> str:
        """Say how the data come to a machine without a network: the middle of a message."""
        own = dict[str, Any](self.settings)
        options = [(name, getattr(config, name)) for name in self.followed(config)]
        given = [(name, value) for name, value in options if value != own.get(name, USUAL.get(name))]
        if self.is_prefix and train_tokens is not None:
            row = self.row_tokens(config)  # with its last target, which --tokens does not count
            given.append(("tokens", train_tokens if row is None else train_tokens // row * (row - 1)))
        said = "".join(f" --{name.replace('_', '-')} {value}" for name, value in given)
        return f"run `python -m trainable.data prepare {self.name}{said}`"

    @abc.abstractmethod
    def published_files(self, config: RecipeSettings, train_tokens: int | None) -> NeededFiles:
        """The published files that so many training tokens take, with the targets of rows; null: all that there are."""

    @property
    def read_always(self) -> list[HubFile]:
        """Files that every preparation reads, as far as their names are known before."""
        return [self.first]

    def check(self, config: RecipeSettings) -> None:
        """Raise a ValueError for settings that contradict how these data are made."""
        if config.pretokenizer != "bytelevel":
            raise ValueError(f"data.pretokenizer is {config.pretokenizer!r} but {self.name} has a rule of its own")

    @abc.abstractmethod
    def vocab_size(self, config: RecipeSettings) -> int:
        """Tokens of the vocabulary."""

    @abc.abstractmethod
    def tokenizer(self, config: RecipeSettings) -> str:
        """The vocabulary in words, for a plan."""

    def validation_targets(self, config: RecipeSettings) -> int | None:
        """Target tokens of the validation split, as far as they are known before; None where they are not."""
        return None

    def row_tokens(self, config: RecipeSettings) -> int | None:
        """Tokens of a packed row with its last target; None for an unbroken stream."""
        return None

    @abc.abstractmethod
    def identity(self, config: RecipeSettings) -> dict[str, Any]:
        """All that the prepared folder depends on beside the published files."""

    @abc.abstractmethod
    def write(self, config: RecipeSettings, preparation: Preparation) -> dict[str, Any]:
        """Fill the folder with shards and their vocabulary; the facts of :mod:`prepared_folder`.

        They are ``documents``, ``text_bytes`` and ``empty``, and ``whole``: there is no more text to be had.
        """

    def fetch(self, files: list[HubFile], preparation: Preparation) -> list[Path]:
        """The paths of published files, downloaded where they lack."""
        root = preparation.downloads
        paths = [root / file.path for file in files]
        if not all(path.is_file() for path in paths):
            with one_at_a_time(root.parent, root.name, preparation.say) as alone:
                missing = [file for file, path in zip(files, paths, strict=True) if not path.is_file()]
                hub.fetch(missing, root, preparation.say, alone, preparation.advice)
        return paths


def parquet_batches(path: Path, column: str, size: int) -> Any:
    """Texts of a Parquet file's column in lists of at most ``size``, which do not reach over its row groups."""
    import pyarrow
    import pyarrow.parquet

    from trainable.data import plain_text

    try:
        table = pyarrow.parquet.ParquetFile(path)
        if column not in table.schema_arrow.names:
            names = ", ".join(table.schema_arrow.names)
            raise ValueError(f"{path} has no column {column!r} but {names}: it is not the published file")
        row = 0
        for group in range(table.num_row_groups):
            texts = table.read_row_group(group, columns=[column]).column(0).to_pylist()
            for start in range(0, len(texts), size):
                batch = texts[start : start + size]
                for text in batch:
                    row += 1
                    if not isinstance(text, str):
                        raise ValueError(f"{path} row {row} has the {column} {text!r} but it must be a string")
                    plain_text.check(text, f"{path} row {row}")
                yield batch
    except (OSError, pyarrow.ArrowException) as error:
        raise ValueError(f"{path} is not a Parquet file that can be read: {str(error).strip()}") from error


def num_tokens(documents: list[Tokens]) -> int:
    return sum(map(len, documents))
