"""A folder that an export has written, read again to write text: its weights, its config and its vocabulary, no data.

It may come from anybody: the weights are data and no pickles, each file is held against what the folder says of it, and
code of the user's own runs only where it is given again.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from results.store.find import RUNS
from storage import files
from storage.location import Location, is_path, location
from terminal.short import shortened
from tuner.artifacts.export_names import CONFIG_FILE, EXPORT_FILE, WEIGHTS

if TYPE_CHECKING:
    from trainable.config import TrainConfig
    from trainable.data.text_codec import TextCodec
    from trainable.weights import LoadedNetwork


@dataclass(frozen=True)
class ExportedFolder:
    """An export's folder, as it says of itself."""

    folder: Location
    config: TrainConfig
    key: str
    vocab_size: int
    tokenizer: str  # name of the file
    tokenizer_digest: str


def export_at(text: str, results: Location | None) -> Location | None:
    """The folder of an export that a text means; None where it means none, and so may mean a campaign.

    A ValueError for a name that is also a campaign's.
    """
    from results.store.campaigns import CAMPAIGN  # with pyarrow, which --help need not wait for

    if results is not None:  # in which campaigns are looked up
        return None
    folder = location(text)
    if not files.is_file(folder / EXPORT_FILE) or files.is_file(folder / CAMPAIGN):
        return None
    if not is_path(text) and files.is_file(RUNS / text / CAMPAIGN):
        raise ValueError(f"{text!r} is a campaign in {RUNS} and an export here: say {RUNS / text} or ./{text}")
    return folder


def exported_folder(folder: Location, imports: Sequence[str]) -> ExportedFolder:
    """Read what a folder says of itself; a ValueError, one line, for one that no export has written as it is now."""
    from search_spaces.own_space import load_all, read_sources
    from trainable.component_json import decode
    from trainable.config import TrainConfig

    facts = _json(folder / EXPORT_FILE)
    load_all(read_sources(imports))
    try:
        config = decode(_json(folder / CONFIG_FILE))
    except (TypeError, RecursionError) as error:
        raise ValueError(f"{folder / CONFIG_FILE} is no config: {shortened(str(error))}") from None
    except ValueError as error:
        raise ValueError(f"{folder / CONFIG_FILE}: {error}") from None
    if not isinstance(config, TrainConfig):
        raise ValueError(f"{folder / CONFIG_FILE} is no config of a training")
    of_data, vocabulary = (_object(folder, facts, name) for name in ("data", "tokenizer"))
    data, size, named = of_data.get("fingerprint"), vocabulary.get("vocab_size"), _object(folder, vocabulary, "files")
    if config.key(str(data)) != facts.get("key"):
        raise ValueError(f"{folder / CONFIG_FILE} is not the config of the weights beside it, by {EXPORT_FILE}")
    if type(size) is not int or len(named) != 1:
        raise ValueError(f"{folder} holds no vocabulary, or several: text is written with one")
    ((name, digest),) = named.items()
    if not isinstance(name, str) or Path(name).name != name:
        raise ValueError(
            f"{folder / EXPORT_FILE} names the vocabulary {shortened(str(name))}, which is no file of its own"
        )
    return ExportedFolder(folder, config, str(facts["key"]), size, name, str(digest))


def codec_of(found: ExportedFolder) -> TextCodec:
    """The vocabulary of an export. A ValueError for a file that is not the one that was exported."""
    return _beside(found)[0]


def network_of(found: ExportedFolder) -> LoadedNetwork:
    """The network of an export on the device here. A ValueError for weights of another trial or model."""
    from trainable.runtime import Runtime
    from trainable.weights import network_with, read_weights

    is_boundary = _beside(found)[1]
    tensors = read_weights(found.folder / WEIGHTS, found.key)
    return network_with(found.config, tensors, is_boundary, Runtime.detect(False, found.config.number_format))


def _beside(found: ExportedFolder) -> tuple[TextCodec, Any]:
    """The codec, and which tokens begin documents."""
    from trainable.data.text_codec import codec_beside
    from trainable.data.vocabulary_files import byte_counter_of

    place = found.folder / found.tokenizer
    if not files.is_file(place):
        raise ValueError(f"{found.folder} lacks {found.tokenizer}, the vocabulary of the export")
    content = files.read(place)
    if hashlib.sha256(content).hexdigest() != found.tokenizer_digest:
        raise ValueError(f"{place} is not the vocabulary that was exported")
    with tempfile.TemporaryDirectory() as alone:  # without what else lies in the folder
        (Path(alone) / found.tokenizer).write_bytes(content)
        codec, counter = codec_beside(Path(alone)), byte_counter_of(Path(alone))
        codec.ids("read once")  # some vocabularies are read when they are used first
    if counter.vocab_size != found.vocab_size:
        raise ValueError(f"{place} has {counter.vocab_size:,} tokens, not the {found.vocab_size:,} of the export")
    return codec, counter.is_boundary


def _object(folder: Location, facts: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object of that name in export.json, or in a part of it; a ValueError where there is none."""
    if not isinstance(found := facts.get(name), Mapping):
        said = shortened(found) if name in facts else "missing"
        raise ValueError(f"{folder / EXPORT_FILE} is no account of an export: {name} is {said} but must be an object")
    return found


def _json(place: Location) -> Mapping[str, Any]:
    """The JSON object in a file; a ValueError for anything else."""
    if not files.is_file(place):
        other = files.exists(place)
        raise ValueError(f"{place} is no file" if other else f"there is no {place}, which an export has")
    try:
        found = json.loads(files.read(place))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{place} cannot be read as JSON: {shortened(str(error))}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{place} holds no JSON object")
    return found
