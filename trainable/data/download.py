"""Datasets that are fetched by name: tokenised FineWeb, as published for two public speed-running challenges.

Only what a run reads is fetched: the whole validation split, the tokenizer, and as many training shards as the run has
tokens. The exports are frozen and their shards are read in order, so a prefix is the same data as the whole. What is on
disk already is checked and kept, and then needs no network. FineWeb is published under ODC-By 1.0.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trainable.data import shards, tokenizer


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


def shards_needed(remote: Remote, train_tokens: int | None) -> int:
    """Count the training shards that hold ``train_tokens`` and the one target after them; None asks for all."""
    if train_tokens is None:
        return remote.train_shards
    assert train_tokens >= 0
    return min(remote.train_shards, train_tokens // shards.TOKENS_PER_SHARD + 1)


def check(name: str) -> None:
    """Raise a ValueError where a package is missing that ``DATASETS[name]`` needs; nothing is downloaded."""
    if DATASETS[name].tokenizer.endswith(".model"):
        tokenizer.check_sentencepiece(name)


def here(name: str, cache: Path, train_tokens: int | None) -> bool:
    """Tell whether all files that a run of ``train_tokens`` reads are on this machine; they are not looked into."""
    remote = DATASETS[name]
    root = cache / "downloads" / name
    return all(path.is_file() for path in [root / remote.tokenizer, *_paths(remote, root, train_tokens)])


def found(name: str, cache: Path, train_tokens: int | None) -> Fetched | None:
    """Return what :func:`fetch` gives where all of it is here and whole; None where something is to be downloaded."""
    if not here(name, cache, train_tokens):
        return None
    remote = DATASETS[name]
    root = cache / "downloads" / name
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
    fetches a dataset, or that it is not ``alone``: where the cache has no locks, which the hub's client needs too,
    files are downloaded elsewhere and then renamed into it.
    """
    remote = DATASETS[name]
    root = cache / "downloads" / name
    check(name)
    paths = _paths(remote, root, train_tokens)
    missing = [_File(remote.tokenizer_repository, remote.tokenizer_type, remote.tokenizer)]
    missing = [file for file in missing if not (root / file.path).is_file()]
    for path in paths:
        if not _is_shard(path, say):
            missing.append(_File(remote.repository, "dataset", path.relative_to(root).as_posix()))
    for number, file in enumerate(missing, start=1):
        if number == 1:
            _reach(file, root)
        say(f"downloading {file.path} of {file.repository} ({number} of {len(missing)})")
        (_download if alone else _download_elsewhere)(file, root)
    for path in paths:
        shards.read(path)
    return Fetched(root / remote.folder, train=tuple(paths[1:]), validation=tuple(paths[:1]))


@dataclass(frozen=True)
class _File:
    repository: str
    kind: str  # of the repository
    path: str  # in the repository, and below the folder it is downloaded to


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


def reach(name: str, cache: Path) -> None:
    """Ask the hub once for ``DATASETS[name]``; a ValueError that says what else to do where it does not answer."""
    remote = DATASETS[name]
    _reach(_File(remote.tokenizer_repository, remote.tokenizer_type, remote.tokenizer), cache / "downloads" / name)


def _reach(file: _File, root: Path) -> None:
    """Ask for a file's header once: without a network this fails at once, where a download retries for long."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    with _one_clear_error(file, root):
        endpoint = os.environ.get("HF_ENDPOINT")
        url = hf_hub_url(file.repository, file.path, repo_type=file.kind, endpoint=endpoint)
        get_hf_file_metadata(url, endpoint=endpoint)


def _download(file: _File, root: Path) -> None:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()  # our callers have a display of their own
    with _one_clear_error(file, root):
        endpoint = os.environ.get("HF_ENDPOINT")
        hf_hub_download(file.repository, file.path, repo_type=file.kind, local_dir=root, endpoint=endpoint)


def _download_elsewhere(file: _File, root: Path) -> None:
    """Download into the folder of temporary files, and put the whole file into ``root`` at once."""
    target = root / file.path
    with tempfile.TemporaryDirectory() as own:
        _download(file, Path(own))
        partial = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
        try:
            with _one_clear_error(file, root):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(Path(own) / file.path, partial)
                os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def _one_clear_error(file: _File, root: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # one call to the outside has a dozen ways to fail; for the user they are one
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(
            f"could not download {file.path} of {file.repository} ({reason}): where there is a network, run the same "
            f"command and copy {root} from there to here; or pass --data FOLDER with shards or texts, or --data "
            "stdlib (--scale proxy, where a space has it, needs no download)"
        ) from error
