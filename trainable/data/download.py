"""Data sets that are fetched by name as they are: FineWeb, tokenised for two speed-running challenges.

Only what a run reads is fetched: the whole validation split, the tokenizer, and as many training shards as the run has
tokens. The exports are frozen and their shards are read in order, so a prefix is the same data as the whole. What is on
disk already is checked and kept, and then needs no network. FineWeb is published under ODC-By 1.0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trainable.data import hub, shards, vocabulary_files
from trainable.data.hub import HubFile
from trainable.data.needed_files import NeededFiles


@dataclass(frozen=True)
class Remote:
    """Address of a dataset on the hub, and the numbering of its files."""

    repository: str
    folder: str  # of the shards, in the repository
    first_train_shard: int
    train_shards: int
    tokenizer_repository: str
    tokenizer_type: str  # of the repository: "dataset" or "model"
    tokenizer: str  # path of the tokenizer file in its repository
    vocab_size: int
    validation_targets: int  # of the validation split, in whole windows of 1024: for plans, before it is here

    def bytes_of(self, train_tokens: int | None) -> int:
        """Bytes of the shards that a run of so many training tokens downloads."""
        return 2 * (shards_needed(self, train_tokens) * shards.TOKENS_PER_SHARD + self.validation_targets)


DATASETS = {
    "fineweb10B_sp1024": Remote(  # openai/parameter-golf, data/cached_challenge_fineweb.py
        repository="willdepueoai/parameter-golf",
        folder="datasets/datasets/fineweb10B_sp1024",
        first_train_shard=0,
        train_shards=195,
        tokenizer_repository="willdepueoai/parameter-golf",
        tokenizer_type="dataset",
        tokenizer="datasets/tokenizers/fineweb_1024_bpe.model",
        vocab_size=1024,
        validation_targets=62_021_632,
    ),
    "fineweb10B_gpt2": Remote(  # KellerJordan/modded-nanogpt, data/cached_fineweb10B.py
        repository="kjj0/fineweb10B-gpt2",
        folder="",
        first_train_shard=1,
        train_shards=103,
        tokenizer_repository="openai-community/gpt2",
        tokenizer_type="model",
        tokenizer="vocab.json",
        vocab_size=50_257,
        validation_targets=99_999_744,
    ),
}


@dataclass(frozen=True)
class Fetched:
    """A named dataset on disk: its folder, and the shards that a run reads, in order."""

    folder: Path
    train: tuple[Path, ...]
    validation: tuple[Path, ...]


def advice(name: str, train_tokens: int | None) -> str:
    """Say how ``DATASETS[name]`` comes to a machine without a network: the middle of a message."""
    tokens = DATASETS[name].train_shards * shards.TOKENS_PER_SHARD if train_tokens is None else train_tokens
    return f"run the same command there (or `python -m trainable.data prepare {name} --tokens {tokens}`)"


def shards_needed(remote: Remote, train_tokens: int | None) -> int:
    """Count the training shards that hold ``train_tokens`` and the one target after them; None asks for all."""
    if train_tokens is None:
        return remote.train_shards
    assert train_tokens >= 0
    return min(remote.train_shards, train_tokens // shards.TOKENS_PER_SHARD + 1)


def root_of(name: str, cache: Path) -> Path:
    """Return the folder in which the files of ``DATASETS[name]`` are kept."""
    return cache / "downloads" / name


def published_files(name: str, train_tokens: int | None) -> NeededFiles:
    """The files that a run of ``train_tokens`` reads."""
    remote, root = DATASETS[name], Path()
    paths = [path.as_posix() for path in _paths(remote, root, train_tokens)]
    return NeededFiles(
        (_tokenizer(remote), *(HubFile(remote.repository, path) for path in paths)), remote.bytes_of(train_tokens)
    )


def check(name: str) -> None:
    """Raise a ValueError where a package is missing that ``DATASETS[name]`` needs; nothing is downloaded."""
    if DATASETS[name].tokenizer.endswith(".model"):
        vocabulary_files.check_sentencepiece(name)


def here(name: str, cache: Path, train_tokens: int | None) -> bool:
    """Tell whether all files that a run of ``train_tokens`` reads are on this machine; they are not looked into."""
    remote = DATASETS[name]
    root = root_of(name, cache)
    return all(path.is_file() for path in [root / remote.tokenizer, *_paths(remote, root, train_tokens)])


def found(name: str, cache: Path, train_tokens: int | None) -> Fetched | None:
    """Return what :func:`fetch` gives where all of it is here and whole; None where something is to be downloaded."""
    if not here(name, cache, train_tokens):
        return None
    remote = DATASETS[name]
    root = root_of(name, cache)
    paths = _paths(remote, root, train_tokens)
    try:
        for path in paths:
            shards.read(path)
    except ValueError:
        return None  # a run downloads a damaged one again
    return Fetched(root / remote.folder, train=tuple(paths[1:]), validation=tuple(paths[:1]))


def _paths(remote: Remote, root: Path, train_tokens: int | None) -> list[Path]:
    """The shards: that of the validation split, then those of training, in order."""
    train = range(remote.first_train_shard, remote.first_train_shard + shards_needed(remote, train_tokens))
    names = ["fineweb_val_000000.bin", *(f"fineweb_train_{number:06d}.bin" for number in train)]
    return [root / remote.folder / name for name in names]


def fetch(name: str, cache: Path, train_tokens: int | None, say: Callable[[str], None], alone: bool = True) -> Fetched:
    """The files of ``DATASETS[name]`` that a run of ``train_tokens`` reads, downloaded into ``cache`` where they lack.

    Raises a ValueError where a file lacks and cannot be downloaded. The caller sees to it that one process at a time
    fetches a dataset, or that it is not ``alone``.
    """
    remote = DATASETS[name]
    root = root_of(name, cache)
    check(name)
    paths = _paths(remote, root, train_tokens)
    missing = [] if (root / remote.tokenizer).is_file() else [_tokenizer(remote)]
    for path in paths:
        if not _is_shard(path, say):
            missing.append(HubFile(remote.repository, path.relative_to(root).as_posix()))
    if missing:
        hub.reach(missing[0], root, advice(name, train_tokens))
        say(f"{name} is {published_files(name, train_tokens).words(root)}")
    hub.fetch(missing, root, say, alone, advice(name, train_tokens))
    for path in paths:
        shards.read(path)
    return Fetched(root / remote.folder, train=tuple(paths[1:]), validation=tuple(paths[:1]))


def _tokenizer(remote: Remote) -> HubFile:
    return HubFile(remote.tokenizer_repository, remote.tokenizer, remote.tokenizer_type)


def _is_shard(path: Path, say: Callable[[str], None]) -> bool:
    """Tell whether a whole shard is there; a damaged one is removed, and the user told."""
    if not path.is_file():
        return False
    try:
        shards.read(path)
    except ValueError as error:
        say(f"{error}; downloading it again")
        path.unlink(missing_ok=True)  # another process may be first
        return False
    return True


def reach(name: str, cache: Path, train_tokens: int | None) -> None:
    """Ask the hub once for ``DATASETS[name]``; a ValueError that says what else to do where it does not answer."""
    hub.reach(_tokenizer(DATASETS[name]), root_of(name, cache), advice(name, train_tokens))
