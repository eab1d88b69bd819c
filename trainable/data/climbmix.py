"""nanochat's data: documents of ClimbMix in its own vocabulary, packed into rows that begin with a document.

The vocabulary is learnt by rustbpe on the first 2 billion characters of the training files, of each document the first
10,000; text is cut by nanochat's expression, GPT-4's with at most two digits in a piece. The last of the 6,543 files is
held out. Rows are packed by best fit (best_fit.py), separately for each row length (data.seq_len); those of validation
go on through a second pass until there are the 41,943,040 targets that the campaign scores, and on small files until
they have as many tokens as a pass. The order is that of one process; on eight GPUs nanochat deals row groups out.
(karpathy/nanochat, nanochat/dataset.py, dataloader.py, tokenizer.py, scripts/tok_train.py at a825e63.)
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terminal.counted import counted

from trainable.data import best_fit
from trainable.data.epochs import STREAM
from trainable.data.hub import HubFile
from trainable.data.needed_files import NeededFiles
from trainable.data.recipe import Preparation, Recipe, RecipeSettings, num_tokens, parquet_batches
from trainable.data.shards import Tokens, Writer
from trainable.data.tokenizer import BOS, FILE_NAME, Tokenizer, train_tokenizer

REPOSITORY = "karpathy/climbmix-400b-shuffle"
LAST = 6542  # the number of the file that is held out
VOCABULARY_FILES = 8
VOCABULARY_CHARACTERS = 2_000_000_000
DOCUMENT_CHARACTERS = 10_000  # of each document, for the vocabulary
VALIDATION_TARGETS = 41_943_040
TOKENS_A_FILE = 400_000_000_000 // (LAST + 1)  # ClimbMix has 400 billion, dealt out evenly
KEPT = 0.65  # of the tokens in rows of 2,048; shorter rows cut off more
BYTES_A_FILE = 100_000_000
SPLIT = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,2}| ?[^\s\p{L}\p{N}]++[\r\n]*"
    r"|\s*[\r\n]|\s+(?!\S)|\s+"
)
# All but the first are for conversations: they take their places in the vocabulary, and never occur.
SPECIAL = (
    BOS,
    "<|user_start|>",
    "<|user_end|>",
    "<|assistant_start|>",
    "<|assistant_end|>",
    "<|python_start|>",
    "<|python_end|>",
    "<|output_start|>",
    "<|output_end|>",
)


@dataclass(frozen=True, kw_only=True)
class ClimbMix(Recipe):
    """ClimbMix in a vocabulary of ``data.vocab_size``, in rows of ``data.seq_len``."""

    @property
    def read_always(self) -> list[HubFile]:
        return [self.first, climbmix_file(LAST)]

    def published_files(self, config: RecipeSettings, train_tokens: int | None) -> NeededFiles:
        """An estimate: with 40 million tokens a file, which agrees with the 150 files of the campaign's own script."""
        wanted = LAST if train_tokens is None else math.ceil(train_tokens / (KEPT * TOKENS_A_FILE))
        numbers = [*range(min(LAST, max(VOCABULARY_FILES, wanted))), LAST]
        files = tuple(climbmix_file(number) for number in numbers)
        return NeededFiles(files, len(files) * BYTES_A_FILE, is_exact=False)

    def check(self, config: RecipeSettings) -> None:
        super().check(config)
        if config.order != STREAM:
            raise ValueError(f"data.order is {config.order!r} but must be {STREAM!r} for {self.name}, packed in rows")

    def vocab_size(self, config: RecipeSettings) -> int:
        return config.vocab_size

    def tokenizer(self, config: RecipeSettings) -> str:
        return f"a byte-level BPE of {config.vocab_size:,} tokens, learnt by rustbpe on nanochat's split rule"

    def validation_targets(self, config: RecipeSettings) -> int:
        return VALIDATION_TARGETS // config.seq_len * config.seq_len

    def row_tokens(self, config: RecipeSettings) -> int:
        return config.seq_len + 1

    def identity(self, config: RecipeSettings) -> dict[str, Any]:
        return {"vocab_size": config.vocab_size, "seq_len": config.seq_len}

    def write(self, config: RecipeSettings, preparation: Preparation) -> dict[str, Any]:
        bpe = self._vocabulary(config, preparation)
        bpe.save(preparation.folder / FILE_NAME)
        facts = {"documents": 0, "empty": 0, "text_bytes": 0, "row_tokens": config.seq_len + 1}
        held_out = list(self._documents([LAST], bpe, preparation, facts))
        wanted = min(num_tokens(list(itertools.chain(*held_out))), VALIDATION_TARGETS)
        _pack(itertools.cycle(held_out), "val", config, preparation.folder, wanted // config.seq_len)
        wanted_rows = None if preparation.train_tokens is None else -(-preparation.train_tokens // (config.seq_len + 1))
        preparation.say(f"packing documents into rows of {config.seq_len:,} tokens")
        batches = self._documents(range(LAST), bpe, preparation, facts)
        packed = _pack(batches, "train", config, preparation.folder, wanted_rows)
        return {**facts, "whole": wanted_rows is None or packed < wanted_rows}

    def _vocabulary(self, config: RecipeSettings, preparation: Preparation) -> Tokenizer:
        """The vocabulary, learnt once for all lengths of rows and all numbers of tokens."""
        kept = preparation.downloads / f"vocabulary_{config.vocab_size}.json"
        if kept.is_file():
            return Tokenizer.load(kept)
        paths = self.fetch([climbmix_file(number) for number in range(VOCABULARY_FILES)], preparation)
        files = counted(len(paths), "file")
        preparation.say(f"training a vocabulary of {config.vocab_size:,} tokens on {files} of {REPOSITORY}")
        found = train_tokenizer(_vocabulary_text(paths), config.vocab_size, pattern=SPLIT, special=SPECIAL)
        found.save(kept)
        return found

    def _documents(
        self, numbers: Any, bpe: Tokenizer, preparation: Preparation, facts: dict[str, int]
    ) -> Iterator[list[Tokens]]:
        """Tokenised documents of the files of such numbers, as they are downloaded, in nanochat's batches."""
        for number in numbers:
            (path,) = self.fetch([climbmix_file(number)], preparation)
            preparation.say(f"tokenising {path.name}")
            for texts in parquet_batches(path, "text", best_fit.DOCUMENTS_A_BATCH):
                facts["documents"] += len(texts)
                facts["empty"] += texts.count("")
                facts["text_bytes"] += sum(len(text.encode()) for text in texts)
                yield bpe.encode_documents(texts)


def climbmix_file(number: int) -> HubFile:
    return HubFile(REPOSITORY, f"shard_{number:05d}.parquet")


def _vocabulary_text(paths: list[Path]) -> Iterator[str]:
    read = 0
    for path in paths:
        for text in itertools.chain(*parquet_batches(path, "text", best_fit.DOCUMENTS_A_BATCH)):
            if part := text[:DOCUMENT_CHARACTERS]:
                yield part
            read += len(part)
            if read > VOCABULARY_CHARACTERS:
                return


def _pack(
    batches: Iterable[list[Tokens]], split: str, config: RecipeSettings, folder: Path, wanted_rows: int | None
) -> int:
    """Write rows of one split, at most so many; returns how many. A ValueError where there is none."""
    writer, packed = Writer(folder, split), 0
    for row in itertools.islice(best_fit.rows(batches, config.seq_len + 1, best_fit.WAITING), wanted_rows):
        writer.add(row)
        packed += 1
    if not packed:
        raise ValueError(
            f"the text of {split} is too little: for each choice in a row of {config.seq_len:,}, "
            f"{counted(best_fit.WAITING, 'document')} must wait"
        )
    writer.finish()
    return packed
