"""CORE on a made-up bundle, beside scores that are computed here one question at a time from the rules alone."""

from __future__ import annotations

import dataclasses
import json
import math
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests import made_up_core
from trainable.component_paths import with_values
from trainable.data import core_bundle
from trainable.data.core_bundle import CHOICE, CONTINUATION, SCHEMA_FORM, CoreTask
from trainable.data.text_codec import ByteLevelCodec
from trainable.data.tokenizer import Tokenizer
from trainable.evaluation import core_score
from trainable.evaluation.core import Core, CoreScore
from trainable.evaluation.core_prompts import prompts_of, texts_by_choice, texts_by_context, texts_continued
from trainable.evaluation.enough import check_enough
from trainable.networks.network import Network

BPE = Tokenizer(r" ?\w+|\s|\W", (*(bytes([i]) for i in range(256)), b" c", b"re", b" th"))  # VOCAB_SIZE with <|bos|>
CODEC = ByteLevelCodec(BPE)
LONGEST = 4096


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The made-up bundle in a cache of its own."""
    monkeypatch.setenv("TUNER_CACHE", str(tmp_path / "cache"))
    return made_up_core.write(tmp_path / "cache" / "downloads")


@pytest.fixture
def asked(dataset, monkeypatch: pytest.MonkeyPatch):
    """The tests' dataset with a vocabulary that writes text."""
    monkeypatch.setattr(core_score, "codec_beside", lambda folder: CODEC)
    return dataset


class Bigrams(Network):
    """Logits that depend on the last two tokens, so that an answer's loss shows where it was read."""

    def __init__(self) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(3)
        self.table = nn.Parameter(torch.randn(2, 260, 260, generator=draw))

    def hidden(self, tokens: Tensor) -> Tensor:
        before = torch.cat([torch.zeros_like(tokens[:, :1]), tokens[:, :-1]], 1)
        return torch.stack([tokens, before], -1).float()

    def logits(self, hidden: Tensor) -> Tensor:
        last, before = hidden.long().unbind(-1)
        return self.table[0, last] + self.table[1, before]


# --- the same by hand -------------------------------------------------------------------------------------------------


def losses_of(network: Bigrams, tokens: list[int], start: int) -> tuple[float, bool]:
    """Mean loss of the tokens from ``start`` on, and whether each is the likeliest, in float64."""
    table = network.table.detach().double().numpy()
    losses, hits = [], []
    for place in range(start, len(tokens)):
        before = tokens[place - 2] if place >= 2 else 0
        logits = table[0, tokens[place - 1]] + table[1, before]
        losses.append(math.log(np.exp(logits).sum()) - logits[tokens[place]])
        hits.append(int(logits.argmax()) == tokens[place])
    return sum(losses) / len(losses), all(hits)


def ids(text: str) -> list[int]:
    return [BPE.bos, *map(int, BPE.encode(text))]


def is_right(network: Bigrams, form: str, questions: list[dict], number: int, shown: int, between: str) -> bool:
    """The rules of nanochat's core_eval.py for one question, written down anew."""
    others = [i for i in range(len(questions)) if i != number]
    examples = [questions[i] for i in random.Random(1234 + number).sample(others, shown)] if shown else []
    question = questions[number]
    if form == "language_modeling":
        lead = "".join(e["context"].strip() + between + e["continuation"] + "\n\n" for e in examples)
        whole = ids(lead + question["context"].strip() + between + question["continuation"])
        without = ids((lead + question["context"].strip() + between).strip())
        assert whole[: len(without)] == without
        return losses_of(network, whole, len(without))[1]
    if form == "multiple_choice":
        lead = "".join(e["query"] + between + e["choices"][e["gold"]] + "\n\n" for e in examples)
        options = [ids(lead + question["query"] + between + choice) for choice in question["choices"]]
        start = next((i for i, t in enumerate(zip(*options, strict=False)) if len(set(t)) > 1), min(map(len, options)))
        starts = [start] * len(options)
    else:
        lead = "".join(e["context_options"][e["gold"]] + between + e["continuation"] + "\n\n" for e in examples)
        options = [ids(lead + context + between + question["continuation"]) for context in question["context_options"]]
        same = 0
        while same < min(map(len, options)) and len({o[-same - 1] for o in options}) == 1:
            same += 1
        starts = [len(option) - same for option in options]
    means = [losses_of(network, o, s)[0] if s < len(o) else math.nan for o, s in zip(options, starts, strict=True)]
    return min(range(len(means)), key=means.__getitem__) == question["gold"]


def by_hand(network: Bigrams, bundle: Path, most: int | None = None) -> dict[str, float]:
    found = {}
    for label in made_up_core.CHANCES:
        form = {"p": "multiple_choice", "w": "schema", "n": "language_modeling"}[label[0]]
        lines = (bundle / "eval_data" / "some" / f"{label}.jsonl").read_text().splitlines()
        questions = [json.loads(line) for line in lines]
        random.Random(1337).shuffle(questions)
        questions = questions[:most]
        shown, between = 0 if label.endswith("_alone") else 2, "\nAnswer: " if label == "pick" else " "
        right = [is_right(network, form, questions, i, shown, between) for i in range(len(questions))]
        found[label] = sum(right) / len(right)
    return found


@pytest.mark.parametrize(("most", "batch_tokens"), [(None, 4096), (5, 1)])
def test_the_scores_are_those_of_one_question_at_a_time_by_hand(bundle, asked, most, batch_tokens) -> None:
    network = Bigrams().eval()
    found = core_score.score(network, asked, Core(max_per_task=most), LONGEST, batch_tokens, "cpu")
    expected = by_hand(network, bundle, most)
    assert found.accuracies == expected and len({*expected.values()}) > 2, "no accuracy that any mistake would give too"
    chances = {label: percent / 100 for label, percent in made_up_core.CHANCES.items()}
    centred = {label: (expected[label] - chance) / (1 - chance) for label, chance in chances.items()}
    assert found.centred == pytest.approx(centred, abs=1e-12)
    assert found.value == pytest.approx(sum(centred.values()) / 6, abs=1e-12)


def test_what_fills_rows_up_and_what_stands_beside_them_changes_no_score(bundle, asked, tiny) -> None:
    network = tiny.model.build(260, LONGEST).eval()
    with torch.no_grad():  # the output matrix of a fresh one is small
        network.embedding.weight.normal_(generator=torch.Generator().manual_seed(1))
    task, questions = core_score.ready(Core())[0]
    prompts = [p for n in range(len(questions)) for p in prompts_of(task, questions, n, CODEC, LONGEST)]
    together = core_score._scored(network, prompts, CODEC, 10**6, "cpu")
    alone = core_score._scored(network, prompts, CODEC, 1, "cpu")
    assert [one.loss for one in together] == pytest.approx([one.loss for one in alone], rel=1e-4)
    assert len({round(one.loss, 6) for one in alone}) > len(alone) / 2, "each prompt has a loss of its own"


def test_the_texts_are_those_of_the_published_templates() -> None:
    def task(form: str) -> CoreTask:
        return CoreTask("made up", form, Path(), 1, " => ", 0.25)

    one = {"query": "2+2", "choices": ["3", "4"], "gold": 1}
    two = {"query": "1+1", "choices": ["2", "5"], "gold": 0}
    assert texts_by_choice(task(CHOICE), two, [one]) == ["2+2 => 4\n\n1+1 => 2", "2+2 => 4\n\n1+1 => 5"]
    one = {"context_options": ["A cat", "A dog"], "continuation": "meows", "gold": 0}
    two = {"context_options": ["The cat", "The dog"], "continuation": "barks", "gold": 1}
    expected = ["A cat => meows\n\nThe cat => barks", "A cat => meows\n\nThe dog => barks"]
    assert texts_by_context(task(SCHEMA_FORM), two, [one]) == expected
    one, two = {"context": " once ", "continuation": "upon"}, {"context": "a\n", "continuation": "time"}
    expected = ("once => upon\n\na =>", "once => upon\n\na => time")
    assert texts_continued(task(CONTINUATION), two, [one]) == expected


def test_a_prompt_that_is_too_long_keeps_its_last_tokens_and_what_is_scored() -> None:
    task = CoreTask("made up", CONTINUATION, Path(), 0, " ", 0.0)
    questions = [{"context": "abcdefgh", "continuation": "xyz"}]
    (whole,) = prompts_of(task, questions, 0, CODEC, 99)
    (short,) = prompts_of(task, questions, 0, CODEC, 6)
    assert short.tokens == whole.tokens[-6:] and short.tokens[short.start :] == whole.tokens[whole.start :]
    (shorter,) = prompts_of(task, questions, 0, CODEC, 3)
    assert (shorter.tokens, shorter.start, shorter.end) == (whole.tokens[-3:], 1, 3)


def test_a_run_reports_core_at_its_end_and_asks_nothing_on_the_way(bundle, asked, tiny, run_to_end) -> None:
    config = with_values(tiny, {"evaluation.core.max_per_task": 3, "evaluation.seq_len": 16})
    ended = run_to_end(config, milestones=[2.0])
    first, last = ended.reports
    assert (first.core, first.core_error) == (None, None) and "core.pick" not in first.logged
    assert last.core is not None and last.core_error == 1 - last.core
    tasks = {name: value for name, value in last.logged.items() if name.startswith("core.")}
    assert tasks.keys() == {f"core.{label}" for label in made_up_core.CHANCES}
    assert last.core == pytest.approx(sum(tasks.values()) / len(tasks))
    assert config.evaluation.plain.core is None and run_to_end(tiny).last.val_bpb == last.val_bpb


def test_a_vocabulary_without_a_beginning_of_documents_is_refused(dataset, monkeypatch) -> None:
    class Nothing:
        start = None

    monkeypatch.setattr(core_score, "codec_beside", lambda folder: Nothing())
    with pytest.raises(ValueError, match=r"^evaluation\.core needs a token that begins a document"):
        core_score.check_vocabulary(dataset)


def test_questions_with_characters_that_have_no_tokens_are_refused_before_anything_is_trained(
    bundle, asked, tiny, monkeypatch
) -> None:
    core_score.check_questions(asked, Core())  # of a vocabulary of all bytes
    monkeypatch.setattr(ByteLevelCodec, "is_whole", False)
    monkeypatch.setattr(ByteLevelCodec, "unknown", lambda codec, text: ["z"] if "z" in text else [])
    core_score.check_questions(asked, Core())
    file = bundle / "eval_data" / "some" / "next.jsonl"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:-1], json.dumps({"context": "a zoo", "continuation": "cat"})]))
    config = dataclasses.replace(tiny, evaluation=dataclasses.replace(tiny.evaluation, core=Core()))
    with pytest.raises(ValueError, match=r"evaluation\.core: next has 'z', which the vocabulary of the data has no"):
        check_enough(asked, config)


def test_fewer_questions_than_examples_are_refused(bundle) -> None:
    assert [len(questions) for _, questions in core_score.ready(Core(max_per_task=3))] == [3] * 6
    with pytest.raises(ValueError, match="max_per_task is 2 but must be at least 3: pick shows 2 other questions"):
        core_score.ready(Core(max_per_task=2))


def test_core_is_the_mean_above_chance() -> None:
    task = CoreTask("made up", CHOICE, Path(), 0, " ", 0.25)
    assert (task.centred(0.25), task.centred(1.0), task.centred(0.0)) == (0.0, 1.0, pytest.approx(-1 / 3))
    assert CoreScore({}, {"a": 0.5, "b": -0.1}).value == pytest.approx(0.2)


def test_core_bundle_forms_are_all_asked() -> None:
    assert core_bundle.FIELDS.keys() == {*core_bundle.FORMS}
