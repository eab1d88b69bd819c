"""Text as tokens: tokenised once a machine into a cache that is locked, complete or absent, and checked before use."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from terminal.counted import counted

from trainable.component_json import fingerprint
from trainable.data import own_vocabulary, shards, text, text_size, tokenizer
from trainable.data.dataset import DataConfig, Dataset
from trainable.data.from_shards import from_folder
from trainable.data.hf_vocabulary import HFVocabulary
from trainable.data.prepared_folder import Say, prepare_folder, problem_of_files, read_facts, write_facts
from trainable.data.tokenizer import Tokenizer

CACHE_FORMAT = 2  # raise it when the same text would be prepared differently, or refused
VOCABULARY_TEXT_BYTES = 200_000_000  # text beyond this adds no pair to a vocabulary that matters


def from_text(source: text.TextSource, config: DataConfig, cache: Path, say: Say) -> Dataset:
    """The dataset of a source of text, tokenised into ``cache`` unless it is there and whole."""
    folder = text_folder(source, config, cache)
    prepare_folder(folder, lambda empty, alone: _write_text(source, config, empty, say), say, problem_of_files)
    return open_text(source, folder)


def text_folder(source: text.TextSource, config: DataConfig, cache: Path) -> Path:
    """Return the folder of a text that is prepared, named after the text and the way in which it becomes tokens."""
    of_tokens: dict[str, Any] = {"vocab_size": config.vocab_size, "pretokenizer": config.pretokenizer}
    if config.tokenizer is not None:
        of_tokens = {"tokenizer": own_vocabulary.vocabulary_identity(config.tokenizer)}
    return cache / f"text-{fingerprint({'text': source.digest(), 'format': CACHE_FORMAT, **of_tokens})}"


def open_text(source: text.TextSource, folder: Path) -> Dataset:
    """The dataset of a source of text that is prepared in ``folder``."""
    facts = read_facts(folder)
    dataset = replace(from_folder(folder, source.name), text_bytes=facts["text_bytes"])
    if not source.about:
        return dataset
    left_out = f", {counted(facts['empty'], 'empty document')} left out" if facts["empty"] else ""
    return replace(dataset, description=f"{dataset.description}; {source.about}{left_out}")


def _write_text(source: text.TextSource, config: DataConfig, folder: Path, say: Say) -> None:
    started = time.perf_counter()
    text_size.measure(source)
    vocabulary = _vocabulary(source, config, folder, say)
    say(f"tokenising {source.name}")
    writers = {False: shards.Writer(folder, "train"), True: shards.Writer(folder, "val")}
    text_bytes = empty = documents = 0
    for document in source.documents():
        if not document.text:
            empty += 1
            continue
        documents += 1
        text_bytes += len(document.text.encode())
        writers[document.held_out].add(vocabulary.encode_document(document.text))
    tokens = sum(writer.finish() for writer in writers.values())
    facts = {"source": source.name, "documents": documents, "empty": empty, "text_bytes": text_bytes, "tokens": tokens}
    write_facts(folder, facts)
    left_out = f", {counted(empty, 'empty document')} left out" if empty else ""
    say(
        f"prepared {counted(documents, 'document')} as {counted(tokens, 'token')} of {text_bytes / tokens:.2f} bytes "
        f"in {time.perf_counter() - started:.1f} s{left_out}"
    )


def _vocabulary(source: text.TextSource, config: DataConfig, folder: Path, say: Say) -> Tokenizer | HFVocabulary:
    """The vocabulary that is asked for, learnt or another's, written into the folder."""
    if config.tokenizer is not None:
        return own_vocabulary.put_beside(config.tokenizer, folder, config.source)
    say(f"training a vocabulary of {config.vocab_size:,} tokens on {source.name}")
    bpe = tokenizer.train_tokenizer(_vocabulary_text(source), config.vocab_size, config.pretokenizer)
    bpe.save(folder / tokenizer.FILE_NAME)
    return bpe


def _vocabulary_text(source: text.TextSource) -> Iterator[str]:
    """The training text, which alone may shape the vocabulary, up to a size that is enough for one."""
    read = 0
    for document in source.documents():
        if document.text and not document.held_out:
            yield document.text
            read += len(document.text)
        if read >= VOCABULARY_TEXT_BYTES:
            return
