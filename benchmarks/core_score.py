"""CORE on made-up tasks, three of each form: how long it takes, and whether nanochat's own code answers alike.

``python -m benchmarks.core_score [--published core_eval.py] [--layers N]``

With ``--published``, the file ``nanochat/core_eval.py`` of a checkout, each question is answered by its code too, one
at a time, by the same network and vocabulary. One thread; the network is golf's, 512 wide, freshly drawn.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.core_score")

import argparse
import importlib.util
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from terminal.command_line import OneLineParser
from terminal.console import Console
from terminal.option_numbers import at_least_one
from trainable.data import core_bundle
from trainable.data.dataset import DataConfig
from trainable.data.preparation import prepare
from trainable.data.text_codec import TextCodec
from trainable.evaluation import core_score
from trainable.evaluation.core import Core
from trainable.models.gpt import GPT
from trainable.networks.network import Network

QUESTIONS, LONGEST, BATCH_TOKENS = 12, 1024, 8192
SHOWN = (0, 2, 5)  # examples before a question, in the three tasks of each form, as published tasks have them
WORDS = ["the", "a", "of", "and", "red", "cat", "runs", "near", "one", "two", "return", "class", "value", "None"]


def write_bundle(cache: Path) -> None:
    """Write nine made-up tasks, three of each form, where a cache has the published bundle."""
    folder, draw = core_bundle.folder_in(cache), random.Random(7)
    (folder / "eval_data").mkdir(parents=True)
    entries, rows = [], ["Eval Task,Task Category,Random baseline"]
    for form in core_bundle.FORMS:
        for shown in SHOWN:
            label = f"{form}_{shown}"
            asked = [json.dumps(question(form, draw)) for _ in range(QUESTIONS)]
            (folder / "eval_data" / f"{label}.jsonl").write_text("\n".join(asked) + "\n")
            entries += [f"- label: {label}", f"  dataset_uri: {label}.jsonl", f"  num_fewshot: [{shown}]"]
            entries += [f"  icl_task_type: {form}"]
            rows.append(f"{label},made up,{0.0 if form == core_bundle.CONTINUATION else 25.0}")
    (folder / "core.yaml").write_text("\n".join(["icl_tasks:", *entries]) + "\n")
    (folder / "eval_meta_data.csv").write_text("\n".join(rows) + "\n")


def question(form: str, draw: random.Random) -> dict[str, Any]:
    def some(low: int, high: int) -> str:
        return " ".join(draw.choices(WORDS, k=draw.randint(low, high)))

    if form == core_bundle.CHOICE:
        return {"query": some(5, 20), "choices": [some(1, 8) for _ in range(4)], "gold": draw.randrange(4)}
    if form == core_bundle.SCHEMA_FORM:
        return {"context_options": [some(5, 15), some(5, 15)], "continuation": some(2, 8), "gold": draw.randrange(2)}
    return {"context": some(5, 20), "continuation": some(1, 1)}


class Vocabulary:
    """A codec as the published code wants a tokenizer."""

    def __init__(self, codec: TextCodec) -> None:
        self.codec = codec

    def get_bos_token_id(self) -> int:
        assert self.codec.start is not None
        return self.codec.start

    def __call__(self, texts: Sequence[str], prepend: int) -> list[list[int]]:
        return [[prepend, *self.codec.ids(text)] for text in texts]


class Logits(nn.Module):
    """A network as the published code calls one."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, tokens: Tensor) -> Tensor:
        return self.network.logits(self.network.hidden(tokens)).float()


def published_accuracies(file: Path, network: Network, codec: TextCodec) -> dict[str, float]:
    """Accuracy of each task by nanochat's own code."""
    spec = importlib.util.spec_from_file_location("core_eval", file)
    assert spec is not None and spec.loader is not None
    code = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(code)
    found = {}
    for task, questions in core_score.ready(Core()):
        meta = {"task_type": task.form, "num_fewshot": task.examples, "continuation_delimiter": task.delimiter}
        found[task.label] = code.evaluate_task(Logits(network), Vocabulary(codec), questions, "cpu", meta)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 where the published code answers otherwise."""
    options, console = _options(arguments), Console()
    torch.set_num_threads(1)
    data = DataConfig(source="stdlib", vocab_size=1024, seq_len=64, batch_tokens=512)
    dataset = prepare(data)
    with tempfile.TemporaryDirectory() as cache:
        write_bundle(Path(cache))
        os.environ["TUNER_CACHE"] = cache
        torch.manual_seed(1)
        network = GPT(num_layers=options.layers).build(dataset.vocab_size, LONGEST).eval()
        with torch.no_grad():  # the output table of a fresh one is small, and all that it says nearly alike
            network.embedding.weight.normal_()
        start = time.process_time()
        found = core_score.score(network, dataset, Core(), LONGEST, BATCH_TOKENS, "cpu")
        seconds = time.process_time() - start
        size = sum(p.numel() for p in network.parameters())
        console.print(f"{size / 1e6:.1f} million parameters, {9 * QUESTIONS} questions: {seconds:.1f} s of one core")
        if options.published is None:
            return 0
        start = time.process_time()
        theirs = published_accuracies(options.published, network, core_score.check_vocabulary(dataset))
        console.print(f"the published code: {time.process_time() - start:.1f} s")
    equal = 0
    for label, ours in found.accuracies.items():
        same = abs(ours - theirs[label]) < 1e-6  # theirs is a mean in float32
        equal += same
        console.print(f"{label:<22} {ours:.4f} {theirs[label]:.4f} {'equal' if same else 'DIFFERENT'}")
    console.print(f"{equal} of {len(theirs)} tasks are equal")
    return 0 if equal == len(theirs) else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = OneLineParser(prog="python -m benchmarks.core_score", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--published", type=Path, metavar="FILE", help="nanochat's core_eval.py, to compare with")
    parser.add_argument("--layers", type=at_least_one, default=11, metavar="N", help="default: 11")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
