"""Text as tokens: tokenised once a machine into a cache that is locked, complete or absent, and checked before use."""

from __future__ import annotations

import json
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from terminal.counted import counted

from trainable.component_json import fingerprint
from trainable.data import shards, text, text_size, tokenizer
from trainable.data.dataset import DataConfig, Dataset
from trainable.data.from_shards import from_folder
from trainable.data.one_at_a_time import one_at_a_time

CACHE_FORMAT = 2  # raise it when the same text would be prepared differently, or refused
ABANDONED_SECONDS = 24 * 3600  # so long nothing is written in a half-written folder that anybody still writes
VOCABULARY_TEXT_BYTES = 200_000_000  # text beyond this adds no pair to a vocabulary that matters

Say = Callable[[str], None]


def from_text(source: text.TextSource, config: DataConfig, cache: Path, say: Say) -> Dataset:
    """The dataset of a source of text, tokenised into ``cache`` unless it is there and whole."""
    folder = text_folder(source, config, cache)
    if problem_of(folder) is not None:
        with one_at_a_time(cache, folder.name, say) as alone:
            problem = problem_of(folder)  # again: another process may have been first
            if problem is not None:
                if folder.exists():
                    say(f"the prepared data in {folder} is unusable ({problem}); preparing it again")
                _prepare_text(source, config, folder, say, alone)
    return open_text(source, folder)


def text_folder(source: text.TextSource, config: DataConfig, cache: Path) -> Path:
    """Return the folder of a text that is prepared, named after the text and the way in which it becomes tokens."""
    of_tokens = {"vocab_size": config.vocab_size, "pretokenizer": config.pretokenizer}
    return cache / f"text-{fingerprint({'text': source.digest(), 'format': CACHE_FORMAT, **of_tokens})}"


def open_text(source: text.TextSource, folder: Path) -> Dataset:
    """The dataset of a source of text that is prepared in ``folder``."""
    facts = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    dataset = replace(from_folder(folder, source.name), text_bytes=facts["text_bytes"])
    if not source.about:
        return dataset
    left_out = f", {counted(facts['empty'], 'empty document')} left out" if facts["empty"] else ""
    return replace(dataset, description=f"{dataset.description}; {source.about}{left_out}")


def problem_of(folder: Path) -> str | None:
    """Say why a prepared folder cannot be used, or None: each file must have its size and digest as written."""
    try:
        facts = json.loads((folder / "data.json").read_text(encoding="utf-8"))
        if not (isinstance(facts["text_bytes"], int) and isinstance(facts["empty"], int)):
            return "data.json counts no bytes"
        for name, (size, digest) in facts["files"].items():
            path = folder / name
            if path.stat().st_size != size or shards.digest(path) != digest:
                return f"{name} is not as it was written"
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is missing"
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        return f"data.json cannot be read: {error!r}"
    return None


def _prepare_text(source: text.TextSource, config: DataConfig, folder: Path, say: Say, alone: bool) -> None:
    """Tokenise a source into ``folder``, by way of a folder beside it that is renamed when all is written.

    Older half-written folders are removed: all of them where the caller holds the lock (``alone``), else those in which
    nothing was written for long, since another process may be writing there.
    """
    for left_over in folder.parent.glob(f"{folder.name}.partial-*"):
        if alone or time.time() - _last_written(left_over) > ABANDONED_SECONDS:
            shutil.rmtree(left_over, ignore_errors=not alone)
    partial = folder.with_name(f"{folder.name}.partial-{uuid.uuid4().hex[:8]}")
    partial.mkdir()
    try:
        _write_text(source, config, partial, say)
        _put_in_place(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _put_in_place(partial: Path, folder: Path) -> None:
    """Rename a prepared folder to its name; where another process has put a whole one there meanwhile, that stays."""
    if folder.exists() and problem_of(folder) is not None:
        with suppress(FileNotFoundError):  # another process has moved it
            folder.rename(partial / "replaced")  # readers that have it mapped keep their files
            shutil.rmtree(partial / "replaced")
    try:
        partial.rename(folder)
    except OSError:
        if problem_of(folder) is not None:
            raise


def _last_written(folder: Path) -> float:
    """Return when something in a folder was written last (seconds since 1970); now where it is being removed."""
    try:
        return max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
    except OSError:
        return time.time()


def _write_text(source: text.TextSource, config: DataConfig, folder: Path, say: Say) -> None:
    started = time.perf_counter()
    text_size.measure(source)
    say(f"training a vocabulary of {config.vocab_size:,} tokens on {source.name}")
    bpe = tokenizer.train_tokenizer(_vocabulary_text(source), config.vocab_size, config.pretokenizer)
    bpe.save(folder / tokenizer.FILE_NAME)
    say(f"tokenising {source.name}")
    writers = {False: shards.Writer(folder, "train"), True: shards.Writer(folder, "val")}
    text_bytes = empty = documents = 0
    for document in source.documents():
        if not document.text:
            empty += 1
            continue
        documents += 1
        text_bytes += len(document.text.encode())
        writers[document.held_out].add(bpe.encode_document(document.text))
    tokens = sum(writer.finish() for writer in writers.values())
    files = {path.name: [path.stat().st_size, shards.digest(path)] for path in sorted(folder.iterdir())}
    facts = {"source": source.name, "documents": documents, "empty": empty, "text_bytes": text_bytes, "tokens": tokens}
    (folder / "data.json").write_text(json.dumps({**facts, "files": files}, indent=1), encoding="utf-8")
    left_out = f", {counted(empty, 'empty document')} left out" if empty else ""
    say(
        f"prepared {counted(documents, 'document')} as {counted(tokens, 'token')} of {text_bytes / tokens:.2f} bytes "
        f"in {time.perf_counter() - started:.1f} s{left_out}"
    )


def _vocabulary_text(source: text.TextSource) -> Iterator[str]:
    """The training text, which alone may shape the vocabulary, up to a size that is enough for one."""
    read = 0
    for document in source.documents():
        if document.text and not document.held_out:
            yield document.text
            read += len(document.text)
        if read >= VOCABULARY_TEXT_BYTES:
            return
