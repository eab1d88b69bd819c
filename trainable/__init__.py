"""What is trained: small GPTs in plain PyTorch. Start at ``train.py``; this package never imports Ray, Optuna or ``tuner``."""
