"""Names of the files in an export's folder."""

from __future__ import annotations

WEIGHTS, CONFIG_FILE, COMMAND_FILE, ARTIFACT = "weights.safetensors", "config.json", "command.txt", "artifact.bin"
LOG, CURVE, EXPORT_FILE, README = "train.log", "curve.csv", "export.json", "README.md"
