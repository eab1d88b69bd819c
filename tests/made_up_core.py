"""A made-up bundle of CORE's form: six tasks, two of each form, as the published zip file has them."""

from __future__ import annotations

import json
import random
from pathlib import Path

WORDS = ["red", "blue", "cat", "dog", "runs", "sits", "near", "far", "one", "two", "the", "a", "of", "and"]
CHANCES = {"pick": 25.0, "pick_alone": 50.0, "who": 50.0, "who_alone": 50.0, "next": 0.0, "next_alone": 0.0}


def write(folder: Path, questions: int = 9, examples: int = 2) -> Path:
    """Write it as ``folder``/eval_bundle and return that; ``examples`` are shown in every second task."""
    made, draw = folder / "eval_bundle", random.Random(5)
    (made / "eval_data" / "some").mkdir(parents=True)
    entries, rows = [], ["Eval Task,Task Category,Random baseline"]
    for label, form, ask in (
        ("pick", "multiple_choice", choice),
        ("who", "schema", schema),
        ("next", "language_modeling", continuation),
    ):
        for name, shown in ((label, examples), (f"{label}_alone", 0)):
            asked = [json.dumps(ask(draw)) for _ in range(questions)]
            (made / "eval_data" / "some" / f"{name}.jsonl").write_text("\n".join(asked) + "\n")
            entry = [f"- label: {name}", f"  dataset_uri: some/{name}.jsonl", f"  num_fewshot: [{shown}]"]
            entry += [f"  icl_task_type: {form}"]
            if name == "pick":
                entry += ['  continuation_delimiter: "\\nAnswer: "']
            entries += entry
            rows.append(f"{name},made up,{CHANCES[name]}")
    (made / "core.yaml").write_text("\n".join(["icl_tasks:", *entries]) + "\n")
    (made / "eval_meta_data.csv").write_text("\n".join(rows) + "\n")
    return made


def some(draw: random.Random, low: int = 2, high: int = 6) -> str:
    return " ".join(draw.choices(WORDS, k=draw.randint(low, high)))


def choice(draw: random.Random) -> dict[str, object]:
    options = [some(draw, 1, 4) for _ in range(4)]
    return {"query": some(draw), "choices": options, "gold": draw.randrange(4)}


def schema(draw: random.Random) -> dict[str, object]:
    return {"context_options": [some(draw), some(draw)], "continuation": some(draw, 1, 3), "gold": draw.randrange(2)}


def continuation(draw: random.Random) -> dict[str, object]:
    return {"context": f" {some(draw)} ", "continuation": draw.choice(WORDS)}
