"""Preparation of a source: the embedded text, the user's text, a named dataset or a folder of shards becomes a dataset.

Whichever it is, it ends as a folder of token shards (``from_shards.py``), by way of the cache where it is text.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from storage import location

from trainable.data import (
    download,
    epochs,
    named,
    own_vocabulary,
    shards,
    sources,
    standard_library,
    text,
    vocabulary_files,
)
from trainable.data.dataset import DataConfig, Dataset
from trainable.data.from_shards import from_folder, from_shards
from trainable.data.named import RECIPES
from trainable.data.one_at_a_time import one_at_a_time
from trainable.data.prepared_folder import Say, problem_of_files, read_facts
from trainable.data.recipe import Recipe
from trainable.data.sources import STDLIB
from trainable.data.text_cache import from_text, open_text, text_folder
from trainable.data.tokenizer import BYTE_LEVEL


def known_vocab_size(config: DataConfig) -> int | None:
    """Tokens of the vocabulary: of shards that are here their own, else as far as names and the config say.

    None for a folder of shards that brings no vocabulary which can be read.
    """
    folder = _shards_here(config)
    there = None if folder is None else vocabulary_files.size_beside(folder)
    if there is not None:
        return there
    if config.source in download.DATASETS:
        return download.DATASETS[config.source].vocab_size
    if config.source in RECIPES:
        return RECIPES[config.source].vocab_size(config)
    if folder is not None:
        return None
    return config.vocab_size if config.tokenizer is None else own_vocabulary.known_size(config.tokenizer)


def published_vocabulary(config: DataConfig, train_tokens_needed: int | None) -> str:
    """Say that the known vocabulary is only the published one, and how to have that of the data; empty where it is."""
    name, folder = config.source, _shards_here(config)
    if name not in sources.DOWNLOADED or (folder is not None and vocabulary_files.size_beside(folder) is not None):
        return ""
    recipe, limit = RECIPES.get(name), _limit(config, train_tokens_needed)
    if recipe is not None and "vocab_size" in recipe.followed(config):
        return ""  # it is learnt, of just that size
    if recipe is not None:
        command = recipe.advice(config, limit)
    else:
        command = f"run `python -m trainable.data prepare {name}{'' if limit is None else f' --tokens {limit}'}`"
    count = f"{known_vocab_size(config):,}"
    return f"with the published vocabulary of {name}, {count} tokens: to have its own counted, first {command}"


def known_validation_targets(config: DataConfig) -> int | None:
    """Target tokens of the validation split: of shards that are here by their headers, else as far as names say.

    None for text, which must be tokenised.
    """
    folder = _shards_here(config)
    there = None if folder is None else _validation_tokens(folder)
    if folder is not None and there is not None:
        row = read_facts(folder).get("row_tokens")
        return there - 1 if row is None else there // row * (row - 1)
    if config.source in download.DATASETS:
        return download.DATASETS[config.source].validation_targets
    if config.source in RECIPES:
        return RECIPES[config.source].validation_targets(config)
    return None


def _validation_tokens(folder: Path) -> int | None:
    """Count the tokens of the validation shards in a folder; None where there is none, or one that is not whole."""
    try:
        return sum(len(shards.read(path)) for path in shards.shard_files(folder, "val")) or None
    except (OSError, ValueError):  # of a name it is downloaded again, and check_source refuses it in a folder
        return None


def _shards_here(config: DataConfig) -> Path | None:
    """Return the folder that the source's shards lie in on this machine, or will; None for text."""
    if config.source in download.DATASETS:
        return download.root_of(config.source, cache_folder()) / download.DATASETS[config.source].folder
    if config.source in RECIPES:
        return named.recipe_folder(RECIPES[config.source], config, cache_folder())
    return location.local(config.source) if sources.has_shards(config.source) else None


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
        return from_text(source, config, cache, say)
    if (recipe := RECIPES.get(config.source)) is not None:
        return _open_recipe(
            recipe, named.recipe_prepared(recipe, config, cache, _limit(config, train_tokens_needed), say)
        )
    _check_pretokenizer(config)
    if config.source in download.DATASETS:
        return _from_download(config.source, cache, _limit(config, train_tokens_needed), say)
    return from_folder(location.local(config.source))


def prepare_from(
    place: str | None, config: DataConfig, train_tokens_needed: int | None = None, say: Say = lambda line: None
) -> Dataset:
    """Resolve ``config.source`` with its files at ``place``, where that is given: the same files are the same data.

    A folder that stands for a named source has that source's fingerprint if it holds its files, so that a log of it
    says the same of the data as one of the name.
    """
    if place is None:
        return prepare(config, train_tokens_needed=train_tokens_needed, say=say)
    if config.source in sources.DOWNLOADED and sources.has_shards(place):
        sources.check(place)
        folder = location.local(place)
        if config.source in RECIPES:
            return _open_recipe(RECIPES[config.source], folder)
        train, validation = sources.splits(folder)
        return _open_download(config.source, download.Fetched(folder, tuple(train), tuple(validation)))
    return prepare(replace(config, source=place), train_tokens_needed=train_tokens_needed, say=say)


def prepared(config: DataConfig, train_tokens_needed: int | None = None) -> Dataset | None:
    """Return what :func:`prepare` would give, if all of it is on this machine already, else None. Writes nothing."""
    cache = cache_folder()
    if (source := text_source(config)) is not None:
        folder = text_folder(source, config, cache)
        return open_text(source, folder) if problem_of_files(folder) is None else None
    if (recipe := RECIPES.get(config.source)) is not None:
        recipe.check(config)
        folder, limit = named.recipe_folder(recipe, config, cache), _limit(config, train_tokens_needed)
        return _open_recipe(recipe, folder) if named.problem_of(folder, limit) is None else None
    _check_pretokenizer(config)
    if config.source in download.DATASETS:
        found = download.found(config.source, cache, _limit(config, train_tokens_needed))
        return None if found is None else _open_download(config.source, found)
    return from_folder(location.local(config.source))


def text_source(config: DataConfig) -> text.TextSource | None:
    """The files of text that ``config.source`` stands for; None where it stands for shards."""
    if config.tokenizer is not None:
        own_vocabulary.check(config.tokenizer)
    if config.source == STDLIB:
        return standard_library.passages()
    if config.source in sources.DOWNLOADED or sources.has_shards(config.source):
        if config.tokenizer is not None:
            asked = f"data.tokenizer is {config.tokenizer!r}, but {config.source} has a vocabulary of its own"
            raise ValueError(f"{asked}: leave data.tokenizer at its default")
        return None
    sources.check_there(config.source)
    return text.source_at(location.local(config.source))


def _check_pretokenizer(config: DataConfig) -> None:
    rule = f"{BYTE_LEVEL} (the default): shards are cut into tokens already"
    config.check(config.pretokenizer == BYTE_LEVEL, "pretokenizer", rule)


def _limit(config: DataConfig, train_tokens_needed: int | None) -> int | None:
    """Training tokens of a named dataset that are read; None is all, over which a pass goes."""
    if config.order == epochs.EPOCHS or train_tokens_needed is None:
        return None
    steps = -(-train_tokens_needed // config.batch_tokens)
    packed = RECIPES[config.source].row_tokens(config) if config.source in RECIPES else None
    if packed is not None:
        return steps * (config.batch_tokens + epochs.num_spans(config, packed))
    return train_tokens_needed + (steps * epochs.num_spans(config) if config.order == epochs.SPANS else 0)


def check_source(config: DataConfig, train_tokens_needed: int | None = None, download_now: bool = False) -> str:
    """Refuse, by a ValueError, a source that a run would refuse, as far as names, kinds and headers of files tell.

    No text is read. A line for the user where the data must be downloaded first, else nothing; with ``download_now``
    the hub is asked and a vocabulary fetched, so that it is known before anything else whether they can be had.
    """
    if config.source in download.DATASETS or sources.has_shards(config.source):
        _check_pretokenizer(config)
    sources.check(config.source)
    if config.tokenizer is not None:
        text_source(config)
        if download_now:
            _reach_vocabulary(config.tokenizer, config)
    if (recipe := RECIPES.get(config.source)) is not None:
        return _check_recipe(recipe, config, train_tokens_needed, download_now)
    limit = _limit(config, train_tokens_needed)
    if config.source not in download.DATASETS or download.here(config.source, cache_folder(), limit):
        return ""
    if download_now:
        download.reach(config.source, cache_folder(), limit)
    about = download.DATASETS[config.source]
    needed, downloads = download.published_files(config.source, limit), download.root_of(config.source, cache_folder())
    words = f"{about.repository}: {needed.words(downloads)}; vocabulary of {known_vocab_size(config):,}"
    return f"{config.source} ({words}) {needed.lacking(downloads)}"


def _reach_vocabulary(name: str, config: DataConfig) -> None:
    """See that one of tiktoken's vocabularies can be had, unless what it makes of the text is here already."""
    if name in own_vocabulary.SIZES:
        try:
            own_vocabulary.of_tiktoken(name, config.source)
        except ValueError:
            if prepared(config) is None:
                raise


def _check_recipe(recipe: Recipe, config: DataConfig, train_tokens_needed: int | None, download_now: bool) -> str:
    recipe.check(config)
    if prepared(config, train_tokens_needed) is not None:
        return ""
    if download_now:
        named.reach(recipe, config, cache_folder(), _limit(config, train_tokens_needed))
    needed = recipe.published_files(config, _limit(config, train_tokens_needed))
    downloads = named.downloads_of(recipe, cache_folder())
    about = f"{recipe.about}: {needed.words(downloads)}; {recipe.tokenizer(config)}"
    return f"{recipe.name} ({about}) {needed.lacking(downloads, 'prepared ')}"


def _open_recipe(recipe: Recipe, folder: Path) -> Dataset:
    """The dataset of a prepared folder; of one whose tokens are the beginning of more, by what all of them share."""
    facts = read_facts(folder)
    train, validation = sources.splits(folder)
    hashed = validation if recipe.is_prefix else [*train, *validation]
    label = f"{recipe.name} {named.FORMAT}"
    dataset = from_shards(folder, train, validation, recipe.name, hashed, label, facts.get("row_tokens"))
    return replace(dataset, text_bytes=None if recipe.is_prefix else facts.get("text_bytes"))


def cache_folder() -> Path:
    """Return the folder of prepared data: ``$TUNER_CACHE``, else ``tuner`` in the user's cache folder."""
    if chosen := os.environ.get("TUNER_CACHE"):
        return location.local(chosen)
    return location.local(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "tuner"


def _from_download(name: str, cache: Path, train_tokens_needed: int | None, say: Say) -> Dataset:
    with one_at_a_time(cache, name, say) as alone:
        found = download.fetch(name, cache, train_tokens_needed, say, alone)
    return _open_download(name, found)


def _open_download(name: str, found: download.Fetched) -> Dataset:
    hashed = [*found.train[:1], *found.validation]
    return from_shards(found.folder, found.train, found.validation, name, hashed=hashed, label=name)
