"""Vocabularies for a user's own text that are not learnt on it: tiktoken's by name, or a tokenizer.json.

tiktoken downloads a vocabulary once, checks its digest, and keeps it in ``TIKTOKEN_CACHE_DIR``. It is written beside
the shards in this package's own format, so that what is prepared needs neither a network nor tiktoken's cache.
"""

from __future__ import annotations

import hashlib
import shlex
from pathlib import Path

from storage import location
from terminal.nearest import nearest

from trainable.data.hf_vocabulary import HFVocabulary
from trainable.data.lossless import load_lossless
from trainable.data.network_failure import NotDownloadedError, network_reason
from trainable.data.tokenizer import FILE_NAME, Tokenizer

END_OF_TEXT = "<|endoftext|>"  # stands before every document
SIZES = {"gpt2": 50_257, "cl100k_base": 100_277}  # tokens of tiktoken's vocabularies, the unused ones included


def check(name: str) -> None:
    """Raise a ValueError, with the nearest name, for what is neither a vocabulary of tiktoken's nor a usable file."""
    known_size(name)


def known_size(name: str) -> int:
    """Tokens of a vocabulary, without a download; a ValueError as of :func:`check`."""
    if name in SIZES:
        return SIZES[name]
    path = location.local(name)
    if not path.is_file():
        hint = nearest(name, SIZES, "names")
        raise ValueError(f"data.tokenizer is {name!r}, which is neither a file (tokenizer.json) nor known: {hint}")
    return load_lossless(path).vocab_size


def vocabulary_identity(name: str) -> str:
    """The name, or of a file its content, wherever it lies."""
    return name if name in SIZES else hashlib.sha256(location.local(name).read_bytes()).hexdigest()


def put_beside(name: str, folder: Path, source: str) -> Tokenizer | HFVocabulary:
    """Write a vocabulary into a folder of shards of ``source``, and return it; a ValueError where it cannot be had."""
    target = folder / FILE_NAME
    if name in SIZES:
        found = of_tiktoken(name, source)
        found.save(target)
        return found
    target.write_bytes(location.local(name).read_bytes())
    return load_lossless(target)


def of_tiktoken(name: str, source: str) -> Tokenizer:
    """One of tiktoken's vocabularies; a ValueError, with the way to prepare ``source``, where it cannot be had."""
    import tiktoken

    try:
        encoding = tiktoken.get_encoding(name)
    except Exception as error:  # a download has a dozen ways to fail
        raise NotDownloadedError(
            f"could not download tiktoken's vocabulary {name} ({network_reason(error)}): where there is a network, run "
            f"`python -m trainable.data prepare {shlex.quote(source)} --tokenizer {name}`, copy the folder that it "
            "prints from there to here, and read that"
        ) from error
    ranks = sorted(encoding._mergeable_ranks.items(), key=lambda item: item[1])
    assert [rank for _, rank in ranks] == list(range(len(ranks)))
    names = {i: special for special, i in encoding._special_tokens.items()}
    behind = range(len(ranks), encoding.n_vocab)
    special = tuple(names.get(i, f"<|unused{i}|>") for i in behind)  # an id that nobody has stays one
    tokens = tuple(token for token, _ in ranks)
    return Tokenizer(encoding._pat_str, tokens, special=special, start=END_OF_TEXT)
