"""Training: small GPTs in plain PyTorch. Start at ``train.py``. Ray is known to ``worker/`` alone."""

from __future__ import annotations

from terminal.started_module import refuse_library

refuse_library()
