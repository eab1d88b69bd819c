"""The speedrun's data: 70 % FineWeb-Edu and 30 % Cosmopedia in SmolLM's vocabulary, cut, shuffled and split as there.

Of each part so many documents are read as fill its share of the tokens; they are joined without a separator and cut
into rows of 2,048, of which the last is left out. All rows are shuffled by seed 42, and a tenth of them, drawn by seed
42, is held out. ``datasets`` draws both by numpy's default generator, as here. What differs: the campaign's loader
shuffles the training rows once more in each run (by torch's generator), here they are read in the order of the one
shuffle; and it scores 2,047 targets of a row, where ours is followed by the next row's first token.
(Open-Superintelligence-Lab/5-dollar-llm, data/prepare_mix_data.py and train_llm.py at fce1efd.)
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainable.data import hub
from trainable.data.hf_vocabulary import HFVocabulary
from trainable.data.hub import HubFile
from trainable.data.needed_files import NeededFiles
from trainable.data.recipe import Preparation, Recipe, RecipeSettings, parquet_batches
from trainable.data.shards import Tokens, Writer
from trainable.data.tokenizer import FILE_NAME

CORPUS = "HuggingFaceTB/smollm-corpus"
SMOLLM_TOKENIZER = HubFile("HuggingFaceTB/SmolLM2-135M", "tokenizer.json", "model")
VOCABULARY = 49_152
SHARES = (("fineweb-edu-dedup", 0.7), ("cosmopedia-v2", 0.3))
# Of each part: its files, and about how many tokens (220 and 28 billion in all) and bytes each of them has.
PUBLISHED = {"fineweb-edu-dedup": (234, 940_000_000, 2 * 10**9), "cosmopedia-v2": (104, 270_000_000, 10**9)}
TOKENIZER_BYTES = 2_100_000
ROW = 2048
SEED = 42
HELD_OUT = 0.1
BATCH = 256  # documents tokenised at a time
ROWS_A_PIECE = 8192  # gathered at a time


@dataclass(frozen=True, kw_only=True)
class SmolLMMixture(Recipe):
    """The mixture of so many tokens."""

    tokens: int

    def published_files(self, config: RecipeSettings, train_tokens: int | None) -> NeededFiles:
        """An estimate, by the tokens that a file of each part has."""
        files, num_bytes = [SMOLLM_TOKENIZER], TOKENIZER_BYTES
        for part, share in SHARES:
            last, tokens_a_file, bytes_a_file = PUBLISHED[part]
            count = min(last, math.ceil(share * self.tokens / tokens_a_file))
            files += [HubFile(CORPUS, f"{part}/train-{number:05d}-of-{last:05d}.parquet") for number in range(count)]
            num_bytes += count * bytes_a_file
        return NeededFiles(tuple(files), num_bytes, is_exact=False)

    def vocab_size(self, config: RecipeSettings) -> int:
        return VOCABULARY

    def tokenizer(self, config: RecipeSettings) -> str:
        return f"SmolLM2's own tokenizer.json, {VOCABULARY:,} tokens"

    def identity(self, config: RecipeSettings) -> dict[str, Any]:
        return {"tokens": self.tokens}

    def write(self, config: RecipeSettings, preparation: Preparation) -> dict[str, Any]:
        (path,) = self.fetch([SMOLLM_TOKENIZER], preparation)
        vocabulary = HFVocabulary.load(path)
        (preparation.folder / FILE_NAME).write_bytes(path.read_bytes())
        gathered, facts = preparation.folder / "rows", {"documents": 0, "empty": 0, "text_bytes": 0}
        with gathered.open("wb") as file:
            for folder, share in SHARES:
                for row in self._rows(folder, int(self.tokens * share), vocabulary, preparation, facts):
                    file.write(row.tobytes())
        kind = vocabulary.encode("").dtype
        if not (num_rows := gathered.stat().st_size // (ROW * kind.itemsize)):
            raise ValueError(f"{CORPUS} gave less than a row of {ROW:,} tokens")
        table = np.memmap(gathered, dtype=kind, mode="r", shape=(num_rows, ROW))
        for split, chosen in zip(("train", "val"), splits(num_rows), strict=True):
            writer = Writer(preparation.folder, split)
            for start in range(0, len(chosen), ROWS_A_PIECE):
                writer.add(table[chosen[start : start + ROWS_A_PIECE]].ravel())
            writer.finish()
        del table
        gathered.unlink()
        return {**facts, "whole": True}

    def _rows(
        self, folder: str, wanted: int, vocabulary: HFVocabulary, preparation: Preparation, facts: dict[str, int]
    ) -> Iterator[Tokens]:
        """Rows of one part, of so many documents as give the tokens that are ``wanted`` of it."""
        preparation.say(f"tokenising {folder}: {wanted:,} tokens")
        taken, waiting = 0, list[Tokens]()
        for ids, text in self._documents(folder, vocabulary, preparation):
            if taken >= wanted:
                break
            waiting.append(ids)
            taken += len(ids)
            facts["documents"] += 1
            facts["empty"] += not text
            facts["text_bytes"] += len(text.encode())
            joined = np.concatenate(waiting) if sum(map(len, waiting)) >= ROW else None
            if joined is not None:
                yield from joined[: len(joined) // ROW * ROW].reshape(-1, ROW)
                waiting = [joined[len(joined) // ROW * ROW :]]
        if taken < wanted:
            preparation.say(f"{folder} has no more than {taken:,} tokens")

    def _documents(
        self, folder: str, vocabulary: HFVocabulary, preparation: Preparation
    ) -> Iterator[tuple[Tokens, str]]:
        for file in self._files(folder, preparation):
            (path,) = self.fetch([file], preparation)
            for texts in parquet_batches(path, "text", BATCH):
                yield from zip(vocabulary.encode_all(texts), texts, strict=True)

    def _files(self, folder: str, preparation: Preparation) -> list[HubFile]:
        """The files of a part by name; what the hub listed is kept, for a machine without a network."""
        kept = preparation.downloads / f"{folder}.json"
        if not kept.is_file():
            found = hub.listing(CORPUS, folder, ".parquet", preparation.downloads, preparation.advice)
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps([file.path for file in found]), encoding="utf-8")
        return [HubFile(CORPUS, path) for path in _listed(kept)]


def _listed(kept: Path) -> list[str]:
    try:
        return [str(path) for path in json.loads(kept.read_text(encoding="utf-8"))]
    except (ValueError, TypeError) as error:
        raise ValueError(f"{kept} is damaged ({error}): remove it") from error


def splits(num_rows: int) -> tuple[np.ndarray[Any, np.dtype[np.int64]], np.ndarray[Any, np.dtype[np.int64]]]:
    """The rows of training and validation, in order: a shuffle, and a split that is shuffled again."""
    shuffled = np.random.default_rng(SEED).permutation(num_rows)
    drawn = np.random.default_rng(SEED).permutation(num_rows)
    held_out = math.ceil(HELD_OUT * num_rows)
    if held_out == num_rows:
        raise ValueError(f"a mixture of {num_rows} row of {ROW:,} tokens leaves none to learn from: give more")
    return shuffled[drawn[held_out:]], shuffled[drawn[:held_out]]
