"""Training: small GPTs in plain PyTorch. Start at ``train.py``. Only ``ray_trainable.py`` here knows Ray."""
