"""Training on tokens needs torch and numpy: a GPU's image has those, and seldom what reads text or writes files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import trainable
from tests.absent_packages import without

ROOT = Path(trainable.__file__).parents[1]
ABSENT = (
    *("rustbpe", "tiktoken", "sentencepiece", "huggingface_hub", "filelock"),  # text and downloads
    *("safetensors", "pyarrow", "fsspec", "pandas", "pydantic"),  # files
    *("ray", "optuna", "psutil"),  # the search
)
TRAINED = f"""
{without(ABSENT)}
from pathlib import Path
import numpy as np
from trainable.config import Budget, TrainConfig
from trainable.data.dataset import DataConfig, Dataset, TokenStream
from trainable.evaluation.evaluate import EvaluationConfig
from trainable.models.gpt import GPT
from trainable.run import Run
from trainable.runtime import Runtime
from trainable.data.tokenizer import Tokenizer
from trainable.train import train

tokens = np.arange(2000, dtype=np.uint16) % 257
counter = Tokenizer(".", tuple(bytes([i]) for i in range(256))).byte_counter()
stream = TokenStream((Path("made-up"),), (tokens,), 257)
config = TrainConfig(
    model=GPT(num_layers=1, model_dim=16, num_heads=2, num_kv_heads=1),
    data=DataConfig(vocab_size=257, seq_len=16, batch_tokens=64),
    budget=Budget(steps=2),
    evaluation=EvaluationConfig(tokens=64, seq_len=16, batch_tokens=64),
)
print(*(r.status for r in train(Run.start(config, Dataset("x", 257, stream, tokens, counter, "x"), Runtime()))))
"""


def test_a_run_on_tokens_needs_no_package_of_text_files_or_search() -> None:
    done = subprocess.run([sys.executable, "-c", TRAINED], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout) == (0, "completed\n"), done.stderr
