"""Rows that documents are packed into, scored one by one as nanochat's evaluation does.

A row has its own last target, so that windows lie a token further apart than they are long. Targets that stand for no
text (the marker before a document that is not the row's first) are left out, of the nats as of the bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from trainable.evaluation.windows import Windows

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class PackedRows(Windows):
    """Windows whose ``stream`` is whole rows of ``seq_len`` + 1 tokens; ``stride`` is ``seq_len``."""

    counted: npt.NDArray[np.bool_]  # (rows, seq_len): the targets that stand for text

    @property
    def targets(self) -> int:
        return int(self.counted.sum())

    @property
    def count(self) -> int:
        return len(self.stream) // (self.seq_len + 1)

    def _views(self, device: torch.device | str, first: int, end: int) -> tuple[Tensor, Tensor]:
        import torch

        rows = torch.from_numpy(self.stream.reshape(self.count, self.seq_len + 1)[first:end])
        if torch.device(device).type != "cpu":
            rows = rows.int().to(device)
        return rows[:, :-1], rows[:, 1:]

    def _scored(self, begin: int, rows: int, start: int, end: int) -> npt.NDArray[np.bool_]:
        window = np.arange(begin, begin + rows)[:, None]
        scored: npt.NDArray[np.bool_] = self.counted[begin : begin + rows] & (window >= start) & (window < end)
        return scored
