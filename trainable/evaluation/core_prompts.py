"""Prompts of CORE's questions as texts and as tokens, with the place of what is scored in each.

The rules are those of nanochat's core_eval.py, which renders the same texts by templates: examples with their answers
stand before a question, an empty line behind each; their draw depends on the question's number alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trainable.data.core_bundle import CHOICE, CONTINUATION, SCHEMA_FORM, CoreQuestion, CoreTask
from trainable.data.text_codec import TextCodec

ORDER_SEED = 1337  # of the questions of a task, the same for all models
EXAMPLES_SEED = 1234  # plus a question's number


@dataclass(frozen=True)
class Prompt:
    """One option of a question as tokens, of which those in ``start``..``end`` - 1 are scored."""

    question: int
    tokens: tuple[int, ...]
    start: int
    end: int


def in_drawn_order(questions: Sequence[CoreQuestion], most: int | None) -> list[CoreQuestion]:
    """The questions in the drawn order, the first ``most`` of them."""
    found = list(questions)
    random.Random(ORDER_SEED).shuffle(found)
    return found[:most]


def prompts_of(
    task: CoreTask, questions: Sequence[CoreQuestion], number: int, codec: TextCodec, longest: int
) -> list[Prompt]:
    """The prompts of question ``number`` (from 0), of at most ``longest`` tokens: of a longer one its last ones.

    Of an answer that is longer by itself the last ``longest`` - 1 tokens are scored, each by what stands before it.
    """
    question, examples = questions[number], list(_examples(task, questions, number))
    if task.form == CHOICE:
        spans = _by_choice(texts_by_choice(task, question, examples), codec)
    elif task.form == SCHEMA_FORM:
        spans = _by_context(texts_by_context(task, question, examples), codec)
    else:
        assert task.form == CONTINUATION, task.form
        spans = [_continued(*texts_continued(task, question, examples), codec)]
    return [_cropped(number, *span, longest) for span in spans]


def _examples(task: CoreTask, questions: Sequence[CoreQuestion], number: int) -> Iterator[CoreQuestion]:
    """The questions that are shown with their answers before question ``number``."""
    others = [i for i in range(len(questions)) if i != number]
    drawn = random.Random(EXAMPLES_SEED + number).sample(others, task.examples) if task.examples else []
    return (questions[i] for i in drawn)


# --- texts ------------------------------------------------------------------------------------------------------------


def texts_by_choice(task: CoreTask, question: CoreQuestion, examples: Sequence[CoreQuestion]) -> list[str]:
    """A text for each answer of a multiple choice: the question is the same in all."""
    shown = (f"{e['query']}{task.delimiter}{e['choices'][e['gold']]}\n\n" for e in examples)
    before = f"{''.join(shown)}{question['query']}{task.delimiter}"
    return [f"{before}{choice}" for choice in question["choices"]]


def texts_by_context(task: CoreTask, question: CoreQuestion, examples: Sequence[CoreQuestion]) -> list[str]:
    """A text for each context of a schema: how it goes on is the same in all."""
    shown = "".join(f"{e['context_options'][e['gold']]}{task.delimiter}{e['continuation']}\n\n" for e in examples)
    return [f"{shown}{context}{task.delimiter}{question['continuation']}" for context in question["context_options"]]


def texts_continued(task: CoreTask, question: CoreQuestion, examples: Sequence[CoreQuestion]) -> tuple[str, str]:
    """The text without its continuation, and with it. Contexts lose the blanks at their ends, as in the source."""
    shown = "".join(f"{str(e['context']).strip()}{task.delimiter}{e['continuation']}\n\n" for e in examples)
    before = f"{shown}{str(question['context']).strip()}{task.delimiter}"
    return before.strip(), f"{before}{question['continuation']}"


# --- tokens -----------------------------------------------------------------------------------------------------------

_Span = tuple[list[int], int, int]  # tokens, and the first and the end of those that are scored


def _by_choice(texts: Sequence[str], codec: TextCodec) -> list[_Span]:
    tokens = [_encoded(text, codec) for text in texts]
    start = _common(tokens)
    return [(one, start, len(one)) for one in tokens]


def _by_context(texts: Sequence[str], codec: TextCodec) -> list[_Span]:
    tokens = [_encoded(text, codec) for text in texts]
    same = _common([one[::-1] for one in tokens])
    return [(one, len(one) - same, len(one)) for one in tokens]


def _continued(without: str, whole: str, codec: TextCodec) -> _Span:
    """Tokens from the first that the continuation decides: with it a vocabulary may cut the text before otherwise."""
    before, tokens = _encoded(without, codec), _encoded(whole, codec)
    return tokens, min(_common([before, tokens]), len(tokens) - 1), len(tokens)


def _encoded(text: str, codec: TextCodec) -> list[int]:
    assert codec.start is not None, "check_vocabulary has looked"
    return [codec.start, *codec.ids(text)]


def _common(sequences: Sequence[Sequence[int]]) -> int:
    """The number of tokens that all sequences begin with."""
    for place, members in enumerate(zip(*sequences, strict=False)):
        if len(set(members)) > 1:
            return place
    return min(map(len, sequences))


def _cropped(question: int, tokens: list[int], start: int, end: int, longest: int) -> Prompt:
    left_out = max(0, len(tokens) - longest)
    return Prompt(question, tuple(tokens[left_out:]), max(1, start - left_out), end - left_out)
