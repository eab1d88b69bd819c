"""Data: a source named in the config becomes one endless stream of training tokens and a fixed validation stream.

Whatever the source (the embedded text, the user's text, a named dataset, a folder of shards), it ends as a folder of
token shards that is memory-mapped and read strictly in order, so a position is one integer and the loop can own it.
Text is tokenised once a machine into a cache that is locked, complete or absent, and checked before every use.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt
from storage import location
from terminal.counted import counted
from terminal.nearest import nearest

from trainable.component import Component
from trainable.component_json import fingerprint
from trainable.data import download, epochs, shards, sources, standard_library, text, text_size, tokenizer
from trainable.data.characters import CharacterCounter
from trainable.data.one_at_a_time import one_at_a_time
from trainable.data.shards import Tokens
from trainable.data.sources import STDLIB
from trainable.data.tokenizer import BYTE_LEVEL, PRETOKENIZERS, ByteCounter
from trainable.ranges import Context, NumTokens, Part, PositivePart, Repeats, Vocabulary

if TYPE_CHECKING:
    import torch

CACHE_FORMAT = 2  # raise it when the same text would be prepared differently, or refused
ABANDONED_SECONDS = 24 * 3600  # so long nothing is written in a half-written folder that anybody still writes
VOCABULARY_TEXT_BYTES = 200_000_000  # text beyond this adds no pair to a vocabulary that matters

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class DataConfig(Component):
    """Which tokens a run reads, and how they are cut into batches."""

    kind: ClassVar[str] = "data"

    source: str = STDLIB  # "stdlib", a name in download.DATASETS, or a path to shards or text
    vocab_size: Vocabulary = 1024  # tokens of the BPE trained on a text source; shards bring their own vocabulary
    pretokenizer: str = BYTE_LEVEL  # how text is cut before that BPE; url_isolated keeps web addresses apart
    seq_len: Context = 1024  # tokens a row
    batch_tokens: NumTokens = 524288  # tokens an optimizer step, over all its micro-batches
    grad_accum_steps: Repeats = 1  # micro-batches a step: memory only
    order: str = epochs.STREAM  # without end, or epochs: passes that start at a whole batch and leave out their tail
    document_shuffle_prob: Part = 0.0  # that a pass has its documents in another order, drawn for it from the seed
    document_keep_frac: PositivePart = 1.0  # of the documents, in a pass so shuffled

    def validate(self) -> None:
        self.check(self.source != "", "source", "'stdlib', the name of a dataset, or a path")
        unit = self.seq_len * self.grad_accum_steps
        rule = f"a positive multiple of seq_len * grad_accum_steps = {unit}"
        self.check(self.batch_tokens % unit == 0, "batch_tokens", rule)
        for name, known in (("order", epochs.ORDERS), ("pretokenizer", PRETOKENIZERS)):
            value = getattr(self, name)
            self.check(value in known, name, f"one of {', '.join(known)}: {nearest(value, known, 'labels')}")
        in_passes = self.document_shuffle_prob == 0 or self.order == epochs.EPOCHS
        self.check(in_passes, "document_shuffle_prob", "0 unless data.order is epochs")


@dataclass(frozen=True, eq=False)
class TokenStream:
    """Training shards in order as one endless sequence of tokens, which starts again after its end."""

    paths: tuple[Path, ...]
    shards: tuple[Tokens, ...]
    vocab_size: int
    markers: tuple[int, ...] = ()  # ids that stand before documents

    @property
    def total_tokens(self) -> int:
        """Tokens until the stream starts again."""
        return sum(len(shard) for shard in self.shards)

    def take(self, position: int, count: int) -> npt.NDArray[np.int64]:
        """``count`` tokens from ``position`` on (both in tokens; a position may lie beyond the end), as int64 (count,).

        A token outside the vocabulary is a ValueError here; on a device it would be a crash without a name.
        """
        assert position >= 0 and count >= 1
        taken = np.empty(count, dtype=np.int64)
        filled = 0
        for path, piece in self._pieces(position % self.total_tokens, count):
            if (highest := int(piece.max())) >= self.vocab_size:
                raise ValueError(f"{path}: token {highest} is beyond a vocabulary of {self.vocab_size:,} tokens")
            taken[filled : filled + len(piece)] = piece
            filled += len(piece)
        return taken

    def _pieces(self, position: int, count: int) -> Iterator[tuple[Path, Tokens]]:
        starts = [0, *accumulate(len(shard) for shard in self.shards)]
        index = next(i for i in range(len(self.shards)) if position < starts[i + 1])
        offset = position - starts[index]
        while count > 0:
            piece = self.shards[index][offset : offset + count]
            yield self.paths[index], piece
            count -= len(piece)
            index, offset = (index + 1) % len(self.shards), 0


@dataclass(frozen=True, eq=False)
class Dataset:
    """A source ready to train on.

    ``fingerprint`` names the tokens and the vocabulary, and goes into every result: it hashes the shards in the order
    in which they are read (whole up to 64 MiB a file; above, size, header and 64 sampled blocks) and the tokenizer. Of
    a named dataset, which is frozen and read as a prefix, it hashes the name, the validation split and the first
    training shard, so that it does not depend on how many shards a run needed.
    """

    fingerprint: str
    vocab_size: int
    train: TokenStream
    validation: Tokens  # (tokens,)
    bytes_of: ByteCounter
    description: str  # one line for the user
    characters: CharacterCounter | None = None  # of a source of text
    text_bytes: int | None = None  # of both splits of a source of text, as it was read


def batch(
    stream: TokenStream, position: int, config: DataConfig, seed: int = 0
) -> tuple[torch.Tensor, torch.Tensor, int]:
    """The step's inputs and targets at ``position``, both int64 (batch, seq_len), and the next step's position.

    Targets are the inputs shifted by one token; rows follow each other in the text, and windows cross documents.
    Micro-batches are consecutive rows. Positions start at 0 and go on through every pass of the stream; the seed
    matters where documents are shuffled.
    """
    import torch

    taken, following = epochs.take(stream, position, config, seed)
    span = torch.from_numpy(taken)
    inputs = span[:-1].view(-1, config.seq_len)  # (batch, seq_len)
    targets = span[1:].clone().view(-1, config.seq_len)  # no memory shared: a hook may change its inputs in place
    return inputs, targets, following


def known_vocab_size(config: DataConfig) -> int | None:
    """Tokens of the vocabulary as far as the config says: None for a folder of shards, which brings its own."""
    if config.source in download.DATASETS:
        return download.DATASETS[config.source].vocab_size
    return None if sources.has_shards(config.source) else config.vocab_size


def prepare(
    config: DataConfig,
    cache: Path | None = None,
    train_tokens_needed: int | None = None,
    say: Say = lambda line: None,
) -> Dataset:
    """Resolve ``config.source``, downloading or tokenising it once into ``cache`` (default: :func:`cache_folder`).

    ``train_tokens_needed`` limits what of a named dataset is downloaded; None asks for all of it. ``say`` is given one
    line for each slow thing. Every problem with the source is a ValueError that names it.
    """
    cache = cache_folder() if cache is None else cache
    if (source := text_source(config)) is not None:
        return _from_text(source, config, cache, say)
    _check_pretokenizer(config)
    if config.source in download.DATASETS:
        return _from_download(config.source, cache, _limit(config, train_tokens_needed), say)
    return _from_folder(location.local(config.source))


def prepared(config: DataConfig, train_tokens_needed: int | None = None) -> Dataset | None:
    """What :func:`prepare` would give, where all of it is on this machine already, else None. Nothing is written."""
    cache = cache_folder()
    if (source := text_source(config)) is not None:
        folder = _text_folder(source, config, cache)
        return _open_text(source, folder) if _problem(folder) is None else None
    _check_pretokenizer(config)
    if config.source in download.DATASETS:
        found = download.found(config.source, cache, _limit(config, train_tokens_needed))
        return None if found is None else _open_download(config.source, found)
    return _from_folder(location.local(config.source))


def text_source(config: DataConfig) -> text.TextSource | None:
    """The files of text that ``config.source`` stands for; None where it stands for shards."""
    if config.source == STDLIB:
        return standard_library.passages()
    if config.source in download.DATASETS or sources.has_shards(config.source):
        return None
    sources.check_there(config.source)
    return text.source_at(location.local(config.source))


def _check_pretokenizer(config: DataConfig) -> None:
    config.check(config.pretokenizer == BYTE_LEVEL, "pretokenizer", f"{BYTE_LEVEL} for shards, which are tokens")


def _limit(config: DataConfig, train_tokens_needed: int | None) -> int | None:
    """Training tokens of a named dataset that are read; None is all, over which a pass goes."""
    return None if config.order == epochs.EPOCHS else train_tokens_needed


def check_source(config: DataConfig, train_tokens_needed: int | None = None, download_now: bool = False) -> str:
    """Refuse, by a ValueError, a source that a run would refuse, as far as names, kinds and headers of files tell.

    No text is read. A line for the user where the data must be downloaded first, else nothing; with ``download_now``
    the hub is asked, so that it is known before anything else is done whether it can be reached.
    """
    if config.source in download.DATASETS or sources.has_shards(config.source):
        _check_pretokenizer(config)
    sources.check(config.source)
    limit = _limit(config, train_tokens_needed)
    if config.source not in download.DATASETS or download.here(config.source, cache_folder(), limit):
        return ""
    if download_now:
        download.reach(config.source, cache_folder())
    return f"{config.source} is not on this machine yet: it is downloaded first, which needs a network"


def cache_folder() -> Path:
    """Where prepared data is kept: ``$TUNER_CACHE``, else ``tuner`` in the user's cache folder."""
    if chosen := os.environ.get("TUNER_CACHE"):
        return location.local(chosen)
    return location.local(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "tuner"


# --- shards to a dataset ----------------------------------------------------------------------------------------------


def _from_folder(folder: Path, name: str | None = None) -> Dataset:
    train, validation = sources.splits(folder)
    return _open(folder, train, validation, name or str(folder), hashed=[*train, *validation], label="")


def _from_download(name: str, cache: Path, train_tokens_needed: int | None, say: Say) -> Dataset:
    with one_at_a_time(cache, name, say) as alone:
        found = download.fetch(name, cache, train_tokens_needed, say, alone)
    return _open_download(name, found)


def _open_download(name: str, found: download.Fetched) -> Dataset:
    hashed = [*found.train[:1], *found.validation]
    return _open(found.folder, found.train, found.validation, name, hashed=hashed, label=name)


def _open(
    folder: Path, train: Sequence[Path], validation: Sequence[Path], name: str, hashed: Sequence[Path], label: str
) -> Dataset:
    opened = [shards.read(path) for path in validation]
    counter = tokenizer.byte_counter_of(folder)
    held_out = opened[0] if len(opened) == 1 else np.concatenate(opened)
    if (highest := int(held_out.max())) >= counter.vocab_size:
        raise ValueError(
            f"{folder}: validation token {highest} is beyond a vocabulary of {counter.vocab_size:,} tokens"
        )
    markers = tuple(np.flatnonzero(counter.is_boundary).tolist())
    stream = TokenStream(tuple(train), tuple(shards.read(path) for path in train), counter.vocab_size, markers)
    tables = (counter.base_bytes, counter.adds_leading_space, counter.is_boundary)
    vocabulary = hashlib.sha256(b"".join(table.tobytes() for table in tables)).hexdigest()
    return Dataset(
        fingerprint=fingerprint([label, vocabulary, len(validation), *(shards.digest(path) for path in hashed)]),
        vocab_size=counter.vocab_size,
        train=stream,
        validation=held_out,
        bytes_of=counter,
        description=f"{name}: {stream.total_tokens:,} training tokens, {len(held_out):,} validation tokens, "
        f"vocabulary of {counter.vocab_size:,}",
        characters=CharacterCounter.beside(folder),
    )


# --- text to shards ---------------------------------------------------------------------------------------------------


def _from_text(source: text.TextSource, config: DataConfig, cache: Path, say: Say) -> Dataset:
    folder = _text_folder(source, config, cache)
    if _problem(folder) is not None:
        with one_at_a_time(cache, folder.name, say) as alone:
            problem = _problem(folder)  # again: another process may have been first
            if problem is not None:
                if folder.exists():
                    say(f"the prepared data in {folder} is unusable ({problem}); preparing it again")
                _prepare_text(source, config, folder, say, alone)
    return _open_text(source, folder)


def _text_folder(source: text.TextSource, config: DataConfig, cache: Path) -> Path:
    of_tokens = {"vocab_size": config.vocab_size, "pretokenizer": config.pretokenizer}
    return cache / f"text-{fingerprint({'text': source.digest(), 'format': CACHE_FORMAT, **of_tokens})}"


def _open_text(source: text.TextSource, folder: Path) -> Dataset:
    facts = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    dataset = replace(_from_folder(folder, source.name), text_bytes=facts["text_bytes"])
    if not source.about:
        return dataset
    left_out = f", {counted(facts['empty'], 'empty document')} left out" if facts["empty"] else ""
    return replace(dataset, description=f"{dataset.description}; {source.about}{left_out}")


def _problem(folder: Path) -> str | None:
    """Why a prepared folder cannot be used, or None: every file must have the size and digest it was written with."""
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
    if folder.exists() and _problem(folder) is not None:
        with suppress(FileNotFoundError):  # another process has moved it
            folder.rename(partial / "replaced")  # readers that have it mapped keep their files
            shutil.rmtree(partial / "replaced")
    try:
        partial.rename(folder)
    except OSError:
        if _problem(folder) is not None:
            raise


def _last_written(folder: Path) -> float:
    """When something in a folder was written last, in seconds since 1970; now where it is being removed."""
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
