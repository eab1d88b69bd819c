"""Training: small GPTs in plain PyTorch. Start at ``train.py``. Only ``ray_trainable.py`` here knows Ray."""

from __future__ import annotations

from terminal.started_module import refuse_library

refuse_library()
