"""Scoring of CORE: each question's prompts through the network, in batches of about one length.

Of a multiple choice or a schema the option with the lowest mean loss is the answer; a continuation is right if each of
its tokens is the likeliest one. Source: nanochat's core_eval.py, which asks one question at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from terminal.counted import counted

from trainable.data import core_bundle
from trainable.data.core_bundle import CONTINUATION, CoreQuestion, CoreTask
from trainable.data.dataset import Dataset
from trainable.data.preparation import cache_folder
from trainable.data.prepared_folder import Say
from trainable.data.text_codec import TextCodec, check_known, codec_beside
from trainable.evaluation.core import Core, CoreScore
from trainable.evaluation.core_prompts import Prompt, in_drawn_order, prompts_of
from trainable.no_grad import no_grad

if TYPE_CHECKING:
    import torch

    from trainable.networks.network import Network

AT_A_TIME = 1024  # prompts that are sorted by their length and batched, so that few tokens are padding


def check_vocabulary(dataset: Dataset) -> TextCodec:
    """The codec of the data. A ValueError where its vocabulary cannot write a question as tokens."""
    try:
        codec = codec_beside(dataset.train.paths[0].parent)
    except ValueError as error:
        raise ValueError(f"evaluation.core asks questions in text: {error}") from None
    if codec.start is None:
        raise ValueError("evaluation.core needs a token that begins a document, and the data's vocabulary has none")
    return codec


def check_questions(dataset: Dataset, core: Core) -> None:
    """Raise a ValueError for questions with characters that the vocabulary of the data has no tokens for.

    Of questions that are not here yet nothing is said.
    """
    codec = check_vocabulary(dataset)
    if codec.is_whole or not core_bundle.is_here(cache_folder()):
        return
    for task, questions in ready(core):
        texts = (text for question in questions for field in question.values() for text in _texts_of(field))
        check_known(codec, "".join([task.delimiter, *texts]), f"evaluation.core: {task.label}")


def _texts_of(field: object) -> list[str]:
    """The texts of a question's field, which may be a list of them."""
    return [str(each) for each in field] if isinstance(field, list) else [str(field)]


def ready(core: Core, say: Say = lambda line: None) -> list[tuple[CoreTask, list[CoreQuestion]]]:
    """The tasks with the questions that are asked, fetched unless they are here. A ValueError says what lacks."""
    found = []
    for task in core_bundle.tasks_of(core_bundle.fetch_bundle(cache_folder(), say)):
        questions = in_drawn_order(core_bundle.questions_of(task), core.max_per_task)
        if len(questions) <= task.examples:
            raise ValueError(
                f"evaluation.core.max_per_task is {core.max_per_task} but must be at least {task.examples + 1}: "
                f"{task.label} shows {task.examples} other questions before each"
            )
        found.append((task, questions))
    return found


def asked_in_words(tasks: Sequence[tuple[CoreTask, list[CoreQuestion]]]) -> str:
    """Say in one line what is asked."""
    return f"CORE: {counted(len(tasks), 'task')}, {counted(sum(len(asked) for _, asked in tasks), 'question')}"


def score(
    network: Network, dataset: Dataset, core: Core, longest: int, batch_tokens: int, device: torch.device | str
) -> CoreScore:
    """CORE of a network in evaluation mode: rows of at most ``longest`` tokens, ``batch_tokens`` of them at a time."""
    codec, accuracies, centred = check_vocabulary(dataset), {}, {}
    for task, questions in ready(core):
        right = 0
        for prompts in _chunks(task, questions, codec, longest):
            right += _right(task, questions, prompts, _scored(network, prompts, codec, batch_tokens, device))
        accuracies[task.label] = right / len(questions)
        centred[task.label] = task.centred(accuracies[task.label])
    return CoreScore(accuracies, centred)


def _chunks(
    task: CoreTask, questions: Sequence[CoreQuestion], codec: TextCodec, longest: int
) -> Iterator[list[Prompt]]:
    """Prompts of whole questions, about AT_A_TIME of them."""
    chunk: list[Prompt] = []
    for number in range(len(questions)):
        chunk += prompts_of(task, questions, number, codec, longest)
        if len(chunk) >= AT_A_TIME or number == len(questions) - 1:
            yield chunk
            chunk = []


@dataclass(frozen=True)
class _Scored:
    """Judgement of a network on a prompt's scored tokens."""

    loss: float  # mean, nats a token; NaN where none is scored
    all_likeliest: bool


def _right(
    task: CoreTask, questions: Sequence[CoreQuestion], prompts: Sequence[Prompt], scored: Sequence[_Scored]
) -> int:
    """Count the questions of a chunk that are answered right. Of equal losses the first option's counts."""
    if task.form == CONTINUATION:
        return sum(one.all_likeliest for one in scored)
    losses: dict[int, list[float]] = {}
    for prompt, one in zip(prompts, scored, strict=True):
        losses.setdefault(prompt.question, []).append(one.loss)
    chosen = {number: min(range(len(of)), key=of.__getitem__) for number, of in losses.items()}
    return sum(option == questions[number]["gold"] for number, option in chosen.items())


@no_grad
def _scored(
    network: Network, prompts: Sequence[Prompt], codec: TextCodec, batch_tokens: int, device: torch.device | str
) -> list[_Scored]:
    """Score each prompt, in the order given. Rows of a pass are of about one length, filled up at the right."""
    order = sorted(range(len(prompts)), key=lambda place: len(prompts[place].tokens))
    found: dict[int, _Scored] = {}
    while order:
        rows = max(1, batch_tokens // len(prompts[order[-1]].tokens))
        places, order = order[-rows:], order[:-rows]
        batch = [prompts[place] for place in places]
        found.update(zip(places, _scored_batch(network, batch, codec, device), strict=True))
    return [found[place] for place in range(len(prompts))]


def _scored_batch(
    network: Network, prompts: Sequence[Prompt], codec: TextCodec, device: torch.device | str
) -> list[_Scored]:
    import torch
    from torch.nn.functional import cross_entropy

    assert codec.start is not None
    width = max(len(prompt.tokens) for prompt in prompts)
    tokens = torch.full((len(prompts), width), codec.start)  # (rows, width); no token looks at what fills up
    for row, prompt in enumerate(prompts):
        tokens[row, : len(prompt.tokens)] = torch.tensor(prompt.tokens)
    spans = [torch.arange(prompt.start, prompt.end) for prompt in prompts]
    rows = torch.cat([torch.full_like(span, row) for row, span in enumerate(spans)])
    places = torch.cat(spans)
    wanted = tokens[rows, places].to(device)
    hidden = network.hidden(tokens.to(device))[rows.to(device), places.to(device) - 1]  # only where something is scored
    logits = network.logits(hidden[None])[0].float()  # (scored, vocab)
    losses = cross_entropy(logits, wanted, reduction="none").cpu().double()
    likeliest = (logits.argmax(-1) == wanted).cpu()
    sizes = [len(span) for span in spans]
    pairs = zip(torch.split(losses, sizes), torch.split(likeliest, sizes), strict=True)
    return [_Scored(float(loss.mean()), bool(hit.all())) for loss, hit in pairs]
