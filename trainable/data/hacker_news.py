"""mainrun's data: 100,000 titles of Hacker News, shuffled, split and tokenised as the contest's script does it.

The hub's data set of 4 million stories is shuffled by seed 1337, the first 100,000 titles are taken and stripped, the
first 90,000 of them are for training. The vocabulary is learnt on all of them, those held out too. A split is its
titles with the special token ``<eos>`` behind each. ``datasets`` shuffles by a permutation that numpy's default
generator draws, which is drawn here. (MaincodeHQ/mainrun, mainrun/train.py at bbe3a83.)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from terminal.counted import counted

from trainable.data.hub import HubFile
from trainable.data.needed_files import NeededFiles
from trainable.data.recipe import Preparation, Recipe, RecipeSettings
from trainable.data.shards import Writer, dtype_of
from trainable.data.tokenizer import BYTE_LEVEL, FILE_NAME, PRETOKENIZERS

if TYPE_CHECKING:
    import tokenizers

STORIES = HubFile("julien040/hacker-news-posts", "story.parquet")
STORIES_BYTES = 426_000_000
NUM_TITLES = 100_000
HELD_OUT = 0.10
SEED = 1337
SEPARATOR = "<eos>"
SPECIAL = ("<pad>", SEPARATOR, "<unk>")


@dataclass(frozen=True, kw_only=True)
class HackerNewsTitles(Recipe):
    """The contest's titles, in a vocabulary of ``data.vocab_size``."""

    def published_files(self, config: RecipeSettings, train_tokens: int | None) -> NeededFiles:
        return NeededFiles((STORIES,), STORIES_BYTES)

    def check(self, config: RecipeSettings) -> None:
        """Take every setting: the contest's own pre-tokenizer, or that with web addresses apart, as its report had."""

    def vocab_size(self, config: RecipeSettings) -> int:
        return config.vocab_size

    def tokenizer(self, config: RecipeSettings) -> str:
        return f"a byte-level BPE of {config.vocab_size:,} tokens, learnt on the titles"

    def identity(self, config: RecipeSettings) -> dict[str, Any]:
        return {"vocab_size": config.vocab_size, "pretokenizer": config.pretokenizer, "titles": NUM_TITLES}

    def write(self, config: RecipeSettings, preparation: Preparation) -> dict[str, Any]:
        (path,) = self.fetch([STORIES], preparation)
        chosen = titles(path)
        preparation.say(f"training a vocabulary of {config.vocab_size:,} tokens on {counted(len(chosen), 'title')}")
        vocabulary = train_vocabulary(chosen, config.vocab_size, config.pretokenizer)
        vocabulary.save(str(preparation.folder / FILE_NAME))
        border = int(NUM_TITLES * (1 - HELD_OUT))
        for split, part in (("train", chosen[:border]), ("val", chosen[border:])):
            ids = vocabulary.encode(SEPARATOR.join(part) + SEPARATOR).ids
            writer = Writer(preparation.folder, split)
            writer.add(np.array(ids, dtype=dtype_of(config.vocab_size)))
            writer.finish()
        text_bytes = sum(len(title.encode()) for title in chosen)
        return {"documents": len(chosen), "empty": chosen.count(""), "text_bytes": text_bytes, "whole": True}


def titles(path: Path) -> list[str]:
    """The contest's titles in its order; a ValueError for another file than the published one."""
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path, columns=["title"])
    except (OSError, pyarrow.ArrowException) as error:
        raise ValueError(f"{path} is not the published file of stories: {str(error).strip()}") from error
    if table.num_rows < NUM_TITLES:
        there = counted(table.num_rows, "story", "stories")
        raise ValueError(f"{path} has {there} but the contest reads {counted(NUM_TITLES, 'title')}")
    chosen = np.random.default_rng(SEED).permutation(table.num_rows)[:NUM_TITLES]
    found: list[str] = []
    for row, title in zip(chosen, table.column("title").take(chosen).to_pylist(), strict=True):
        if not isinstance(title, str):
            raise ValueError(f"{path} row {row + 1} has the title {title!r} but it must be a string")
        found.append(title.strip())
    return found


def train_vocabulary(texts: list[str], vocab_size: int, pretokenizer: str = BYTE_LEVEL) -> tokenizers.Tokenizer:
    """Learn the contest's vocabulary: the special tokens, the bytes that occur, then merges of ``tokenizers``' BPE."""
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers, trainers

    learnt = tokenizers.Tokenizer(models.BPE(unk_token="<unk>"))
    byte_level = pre_tokenizers.ByteLevel()
    if isolated := PRETOKENIZERS[pretokenizer]:
        apart = pre_tokenizers.Split(tokenizers.Regex(isolated), "isolated")
        learnt.pre_tokenizer = pre_tokenizers.Sequence([apart, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    else:
        learnt.pre_tokenizer = byte_level
    learnt.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, special_tokens=list(SPECIAL), show_progress=False)
    learnt.train_from_iterator(texts, trainer)
    if (found := learnt.get_vocab_size()) < vocab_size:
        raise ValueError(
            f"the vocabulary cannot have {vocab_size:,} tokens: the titles have only enough pairs for {found:,}; "
            f"--set data.vocab_size={found}"
        )
    return learnt
