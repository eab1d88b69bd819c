"""Check of a user's ``tokenizer.json`` before text is read with it: all of a text, and nothing else, becomes tokens.

What the file says is looked at first, so that the refusal names the setting; then a probe is encoded, which finds what
no setting tells: bytes that are written twice, spaces put between words, tokens without a mark that something adds.
Shards whose tokens are made already do not pass here: their bytes are counted whatever the file would do to a text.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from terminal.counted import counted
from terminal.short import shortened

from trainable.data.hf_vocabulary import BYTE_OF, HFVocabulary, pipeline_steps
from trainable.data.tokenizer import read_json

NEVER_IN_UTF8 = frozenset((0xC0, 0xC1, *range(0xF5, 0x100)))
NEEDED = {character: byte for character, byte in BYTE_OF.items() if byte not in NEVER_IN_UTF8}
# Steps that cut a text and keep all of it; the others remove white space, or write another character for it.
KEEPING = ("ByteLevel", "Split", "Digits", "Punctuation", "UnicodeScripts", "FixedLength")
OFF = (None, False, 0)
PROBES = (
    "The  naïve cat's 1,234 dogs:\n\n\tΔ = 9.5 %; они 学习 日本語 한국어 🙂👩‍👩‍👧 e\u0301\u00a0\u200bx\r\n",
    "  two spaces before, and after  ",
    "".join(map(chr, range(1, 128))),
    "".join(chr(2**n + 1) for n in (7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18, 19, 20)),
)


def load_lossless(path: Path) -> HFVocabulary:
    """The vocabulary of a file that encodes text without loss; a ValueError, with the setting at fault, for another."""
    at = path.stat()
    return _load(path, at.st_size, at.st_mtime_ns)


@functools.lru_cache(maxsize=2)  # a large one takes seconds, and a plan asks for it several times
def _load(path: Path, size: int, written_ns: int) -> HFVocabulary:
    found, data = HFVocabulary.load(path), read_json(path)
    if (problem := _problem_of_settings(data) or _problem_of_bytes(data["model"]["vocab"])) is not None:
        raise ValueError(f"{path} {problem}")
    if (problem := _problem_of_ids(found) or _problem_of_probes(found)) is not None:
        raise ValueError(f"{path} {problem}")
    return found


def _problem_of_settings(data: dict[str, Any]) -> str | None:
    model = data["model"]
    if (kind := model.get("type", "BPE" if "merges" in model else None)) != "BPE":
        return f"has a model of the type {shortened(kind)}, not BPE: it has no tokens for texts that it does not know"
    if model.get("dropout") not in OFF:
        return f"has dropout {shortened(model['dropout'])}, which cuts the same text by chance: set it to null"
    if data.get("truncation") is not None:
        return "has truncation, which cuts texts off: set it to null"
    if data.get("padding") is not None:
        return "has padding, which adds tokens to texts: set it to null"
    for entry in data.get("added_tokens") or ():
        if not entry.get("special") and (entry.get("lstrip") or entry.get("rstrip")):
            return f"takes the white space beside {entry['content']!r} into that token, so that its bytes are not known"
    for step in pipeline_steps(data.get("pre_tokenizer"), "pretokenizers"):
        if step.get("type") not in KEEPING or step.get("behavior") == "Removed":
            removes = " that removes what it cuts at" if step.get("type") in KEEPING else ""
            return f"has the pre-tokenizer {step.get('type')}{removes}, with which no text is kept whole"
    return None


def _problem_of_bytes(vocab: dict[str, Any]) -> str | None:
    lacking = sorted(byte for character, byte in NEEDED.items() if character not in vocab)
    if not lacking:
        return None
    shown = ", ".join(f"0x{byte:02X}" for byte in lacking[:5]) + (", ..." if len(lacking) > 5 else "")
    return f"lacks the tokens of {counted(len(lacking), 'byte')} ({shown}), which would be left out of every text"


def _problem_of_ids(found: HFVocabulary) -> str | None:
    """Say where the library numbers a token otherwise than the file says (it numbers added tokens itself)."""
    ids = found.library.get_vocab(with_added_tokens=True)
    for i, (name, _) in enumerate(found.tokens):
        if ids.get(name) != i:
            return f"says that token {i} is {name!r}, which the library tokenizers numbers {ids.get(name)}"
    return None


def _problem_of_probes(found: HFVocabulary) -> str | None:
    for probe in PROBES:
        back = found.text(found.encode(probe).tolist())
        if found.puts_space and not probe.startswith(" "):
            back = back.removeprefix(" ")
        if back != probe:
            at = next((i for i, (a, b) in enumerate(zip(probe, back, strict=False)) if a != b), len(back))
            return f"does not keep text whole: {probe[at : at + 12]!r} comes back as {back[at : at + 12]!r}"
    return None
