"""Data sets by name that are prepared here, each as the campaign that it belongs to did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trainable.component_json import fingerprint
from trainable.data import hub, shards
from trainable.data.climbmix import REPOSITORY, ClimbMix, climbmix_file
from trainable.data.hacker_news import STORIES, HackerNewsTitles
from trainable.data.prepared_folder import Say, prepare_folder, problem_of_files, read_facts, write_facts
from trainable.data.recipe import Preparation, Recipe, RecipeSettings
from trainable.data.smollm_mixture import CORPUS, SMOLLM_TOKENIZER, SmolLMMixture

FORMAT = 1  # raise it when the same files would be prepared differently

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        ClimbMix(
            name="nanochat",
            about=REPOSITORY,
            first=climbmix_file(0),
            settings=(("vocab_size", 32_768), ("seq_len", 2048)),
            is_prefix=True,
        ),
        HackerNewsTitles(
            name="mainrun",
            about=f"100,000 titles of {STORIES.repository}",
            first=STORIES,
            settings=(("vocab_size", 16_000),),
        ),
        SmolLMMixture(
            name="speedrun",
            about=f"a billion tokens of {CORPUS}, 70 % FineWeb-Edu and 30 % Cosmopedia",
            first=SMOLLM_TOKENIZER,
            kept_as="smollm-corpus",
            tokens=1_000_000_000,
        ),
        SmolLMMixture(
            name="speedrun_40M",
            about=f"40 million tokens of {CORPUS}, by the rule of speedrun",
            first=SMOLLM_TOKENIZER,
            kept_as="smollm-corpus",
            tokens=40_000_000,
        ),
    )
}


def recipe_folder(recipe: Recipe, config: RecipeSettings, cache: Path) -> Path:
    """Return the folder in which a recipe's data are prepared for such a config."""
    return cache / f"{recipe.name}-{fingerprint({**recipe.identity(config), 'format': FORMAT})}"


def downloads_of(recipe: Recipe, cache: Path) -> Path:
    """Return the folder in which the published files of a recipe are kept."""
    return cache / "downloads" / (recipe.kept_as or recipe.name)


def problem_of(folder: Path, train_tokens: int | None) -> str | None:
    """Say why a prepared folder cannot be used for so many training tokens, or None."""
    if (problem := problem_of_files(folder)) is not None:
        return problem
    facts = read_facts(folder)
    there, whole = facts.get("train_tokens"), facts.get("whole")
    if not isinstance(there, int) or not isinstance(whole, bool):
        return "data.json counts no training tokens"
    if whole or (train_tokens is not None and there >= train_tokens):
        return None
    return f"{there:,} training tokens, and {'all' if train_tokens is None else f'{train_tokens:,}'} are needed"


def recipe_prepared(recipe: Recipe, config: RecipeSettings, cache: Path, train_tokens: int | None, say: Say) -> Path:
    """The folder of a recipe's data, made where it lacks."""
    recipe.check(config)
    advice = recipe.advice(config, train_tokens)
    folder, downloads = recipe_folder(recipe, config, cache), downloads_of(recipe, cache)

    def write(empty: Path, alone: bool) -> None:
        if not downloads.exists():
            hub.reach(recipe.first, downloads, advice)
        say(f"{recipe.name} is made of {recipe.published_files(config, train_tokens).words(downloads)}")
        facts = recipe.write(config, Preparation(downloads, empty, train_tokens, say, advice))
        write_facts(empty, {"source": recipe.name, **facts, **_counted(empty)})

    prepare_folder(folder, write, say, lambda there: problem_of(there, train_tokens))
    return folder


def reach(recipe: Recipe, config: RecipeSettings, cache: Path, train_tokens: int | None) -> None:
    """Ask the hub once for a file that lacks; a ValueError that says what else to do where it does not answer.

    Of files whose number only their content tells, none is asked for.
    """
    downloads = downloads_of(recipe, cache)
    missing = next((file for file in recipe.read_always if not (downloads / file.path).is_file()), None)
    if missing is not None:
        hub.reach(missing, downloads, recipe.advice(config, train_tokens))


def _counted(folder: Path) -> dict[str, Any]:
    train, validation = (
        sum(len(shards.read(path)) for path in shards.shard_files(folder, split)) for split in ("train", "val")
    )
    return {"tokens": train + validation, "train_tokens": train}
