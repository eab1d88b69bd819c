"""Time to a target: the run ends as soon as a loss is low enough, and the seconds it took are its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from terminal.nearest import rule_of_names

from trainable.component import Component
from trainable.ranges import Every, PartBelowOne, Positive

SPLITS = ("train", "validation")


@dataclass(frozen=True, kw_only=True)
class Target(Component):
    """Ends a run at a loss of ``loss`` nats per token or less; the default is the speedrun's "6.7 train loss".

    On "train" the loss is one batch's (its standard error at 8,188 targets is 0.03), or with ``smoothing`` s the
    running mean m <- s m + (1-s) batch, which starts at the first batch. On "validation" it is an evaluation, which
    costs no training time. A run whose budget ends first reports the seconds until then: a lower bound, so that only a
    budget in seconds makes every miss count more than every hit.
    """

    kind: ClassVar[str] = "Target"

    loss: Positive = 6.7  # nats per token
    split: str = "train"  # whose loss: train or validation
    smoothing: PartBelowOne = 0.0  # s, of the running mean of batches; 0: each batch by itself
    every_steps: Every = 1  # between two looks at the loss; each waits for the device
    with_compile_time: bool = False  # the speedrun's clock ran while it compiled

    def validate(self) -> None:
        self.check(self.split in SPLITS, "split", rule_of_names(self.split, SPLITS))
        plain = self.smoothing == 0 or self.split == "train"
        self.check(plain, "smoothing", "0 on validation, whose tokens are always the same")
