"""Which ``tokenizer.json`` files text is read with: only those whose tokens are the whole text, and nothing else."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.hub_server import smollm_tokenizer
from trainable.data import own_vocabulary
from trainable.data.hf_vocabulary import BYTE_OF, HFVocabulary
from trainable.data.lossless import NEVER_IN_UTF8, PROBES

MADE = json.loads(smollm_tokenizer())
BEHIND = len(MADE["model"]["vocab"])
BYTE_LEVEL = MADE["pre_tokenizer"]["pretokenizers"][1]
TEXTS = ("", "a", " a", "the naïve café 学习 🙂\n\n  x\t1,234", *PROBES)
SPECIAL = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
Change = Callable[[dict[str, Any]], Any]


def written(folder: Path, *changes: Change) -> Path:
    data = copy.deepcopy(MADE)
    for change in changes:
        change(data)
    path = folder / "mine.json"
    path.write_text(json.dumps(data))
    return path


def setting(**values: Any) -> Change:
    return lambda data: data.update(values)


def of_model(**values: Any) -> Change:
    return lambda data: data["model"].update(values)


def steps(*parts: dict[str, Any]) -> Change:
    return setting(pre_tokenizer={"type": "Sequence", "pretokenizers": list(parts)})


def added(content: str, i: int = BEHIND, **values: Any) -> Change:
    return lambda data: data["added_tokens"].append({"id": i, "content": content, **SPECIAL, **values})


def without(character: str) -> Change:
    """Let another token have a byte's id, and leave out merges with the byte."""

    def change(data: dict[str, Any]) -> None:
        model = data["model"]
        merges = [pair if isinstance(pair, list) else pair.split(" ") for pair in model["merges"]]
        made = {"".join(pair) for pair in merges if character in "".join(pair)}
        assert not made, "a byte that no merge has"
        model["vocab"][f"ĀĀ{character}"] = model["vocab"].pop(character)

    return change


def swapped_ids(data: dict[str, Any]) -> None:
    added("<x>", BEHIND + 1)(data)
    added("<y>", BEHIND)(data)


BEGINS_EMOJI = next(character for character, byte in BYTE_OF.items() if byte == 0xF0)
LOSSY = {
    "truncation": (
        setting(truncation={"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0}),
        "has truncation",
    ),
    "padding": (
        setting(
            padding={
                "strategy": {"Fixed": 64},
                "direction": "Right",
                "pad_to_multiple_of": None,
                "pad_id": 0,
                "pad_type_id": 0,
                "pad_token": "<|endoftext|>",
            }
        ),
        "has padding",
    ),
    "dropout": (of_model(dropout=0.1), "has dropout 0.1"),
    "another model": (
        of_model(type="WordPiece", unk_token="[UNK]", max_input_chars_per_word=100, continuing_subword_prefix=""),
        "'WordPiece', not BPE",
    ),
    "a suffix of words": (of_model(end_of_word_suffix="</w>"), "marks parts of words by '</w>'"),
    "no token of a byte": (without(BEGINS_EMOJI), r"lacks the tokens of 1 byte \(0xF0\)"),
    "removed white space": (steps({"type": "WhitespaceSplit"}, BYTE_LEVEL), "has the pre-tokenizer WhitespaceSplit"),
    "removed commas": (
        steps({"type": "Split", "pattern": {"String": ","}, "behavior": "Removed", "invert": False}, BYTE_LEVEL),
        "has the pre-tokenizer Split that removes",
    ),
    "bytes of bytes": (steps(BYTE_LEVEL, BYTE_LEVEL), "does not keep text whole"),
    "spaces between words": (
        steps({"type": "Digits", "individual_digits": True}, {**BYTE_LEVEL, "add_prefix_space": True}),
        "does not keep text whole",
    ),
    "a mark that is text": (
        setting(
            post_processor={
                "type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": "a", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": {"a": {"id": "a", "ids": [MADE["model"]["vocab"]["a"]], "tokens": ["a"]}},
            }
        ),
        "does not keep text whole",
    ),
    "white space in a token": (added("<x>", special=False, lstrip=True), "takes the white space beside '<x>'"),
    "a space that is a mark": (added(" "), "does not keep text whole"),
    "ids of another order": (swapped_ids, "which the library tokenizers numbers"),
    "an id twice": (
        lambda data: data["model"]["vocab"].update({"a": data["model"]["vocab"]["b"]}),
        "its ids are not 0, 1, 2",
    ),
}


@pytest.mark.parametrize("fault", LOSSY)
def test_a_file_with_which_text_is_lost_or_changed_is_refused_with_its_fault(tmp_path: Path, fault: str) -> None:
    change, said = LOSSY[fault]
    with pytest.raises(ValueError, match=said) as error:
        own_vocabulary.check(str(written(tmp_path, change)))
    assert "mine.json" in str(error.value) and "\n" not in str(error.value)


WHOLE = {
    "as made": (),
    "empty marks of words": (of_model(end_of_word_suffix="", continuing_subword_prefix="", dropout=0.0),),
    "no type": (lambda data: data["model"].pop("type"),),
    "a space before": (setting(pre_tokenizer={**BYTE_LEVEL, "add_prefix_space": True}),),
    "added tokens": (added("<pad>"), added("    ", BEHIND + 1, special=False)),
    "bytes that UTF-8 never has": (without("ÿ"), without("À"), without("õ")),
    "a mark before a text": (
        setting(
            post_processor={
                "type": "TemplateProcessing",
                "single": [
                    {"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}},
                    {"Sequence": {"id": "A", "type_id": 0}},
                ],
                "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": {"<|endoftext|>": {"id": "<|endoftext|>", "ids": [0], "tokens": ["<|endoftext|>"]}},
            }
        ),
    ),
    "a Split that keeps": (
        steps(
            {"type": "Split", "pattern": {"Regex": r"\p{N}{1,3}"}, "behavior": "Isolated", "invert": False}, BYTE_LEVEL
        ),
    ),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_that_keeps_text_whole_is_read(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, *WHOLE[name])
    own_vocabulary.check(str(path))
    vocabulary = HFVocabulary.load(path)
    for text in TEXTS:
        back = vocabulary.text(vocabulary.encode_document(text).tolist())
        assert back in ({text, f" {text}"} if vocabulary.puts_space else {text})


def test_every_byte_that_utf8_may_have_is_asked_for() -> None:
    may = {byte for code in (*range(0xD800), *range(0xE000, 0x110000, 63)) for byte in chr(code).encode()}
    assert set(range(256)) - may == NEVER_IN_UTF8


@pytest.mark.parametrize("junk", [None, 5, "x", [], {}, [None], {"type": "Sequence"}])
def test_junk_in_any_place_is_one_clear_line_or_harmless(tmp_path: Path, junk: Any) -> None:
    places: list[Change] = [setting(**{name: junk}) for name in MADE]
    places += [of_model(**{name: junk}) for name in MADE["model"]]
    places += [lambda data: data["model"]["vocab"].update(a=junk), lambda data: data["added_tokens"].append(junk)]
    places += [lambda data, name=name: data["added_tokens"][0].update({name: junk}) for name in SPECIAL | {"id": 0}]
    for change in places:
        try:
            own_vocabulary.check(str(written(tmp_path, change)))
        except ValueError as error:
            assert "mine.json" in str(error) and "\n" not in str(error)
