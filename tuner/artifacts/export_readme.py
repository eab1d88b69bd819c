"""README.md of an export: what each of its files is, and what each of its sizes counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from results.export import in_markdown
from tuner.artifacts.asked_measures import ARTIFACT_BYTES, AskedMeasure, how_to_get_more
from tuner.artifacts.kept_trial import KeptTrial
from tuner.artifacts.rescored import Packed

FILES = {
    "weights.safetensors": "the weights, as they were scored",
    "config.json": "the whole config of the training",
    "command.txt": "the command that trains it once more",
    "artifact.bin": "the weights, large tensors as integers, compressed: what parameter golf judges",
    "train.log": "the log of losses",
    "curve.csv": "the curve of the training, a row a step and a column a measure, monitors too",
    "export.json": "the numbers and fingerprints of this folder",
}
VOCABULARY = "the vocabulary of the data"
# What each size of an artifact counts, by its name in export.json; the last is also a column of a search's results.
MODEL, SOURCE_FILES, TOTAL = "bytes_model", "bytes_source", ARTIFACT_BYTES


def counted_bytes(small: Packed) -> dict[str, int]:
    """The sizes of an artifact by their names."""
    return {MODEL: len(small.data), SOURCE_FILES: small.code_bytes, TOTAL: small.total_bytes}


def what_is_counted(small: Packed) -> dict[str, str]:
    """Say what each size of an artifact counts, by its name."""
    source = "the source files of this package, and of your own, that the config needs, as they are written"
    if small.settings.code_bytes is not None:
        source = "the code, as the config's artifact.code_bytes says"
    return {
        MODEL: "artifact.bin",
        SOURCE_FILES: source,
        TOTAL: f"{MODEL} and {SOURCE_FILES}: what a search counts, and holds against its limits. A submission's "
        "bytes_total is another number: it counts train_gpt.py, in which all code is compressed, in place of them",
    }


def readme_of_export(
    trial: KeptTrial,
    names: Sequence[str],
    measures: Sequence[AskedMeasure],
    beside: Sequence[AskedMeasure],
    small: Packed,
) -> str:
    """The text of README.md: files of these names, measures that the search asked for, and those of the evaluation."""
    about: Mapping[str, str] = what_is_counted(small)
    files = [f"- `{name}`: {FILES.get(name, VOCABULARY)}" for name in names]
    sizes = [f"- `{name}`, {number:,} bytes: {about[name]}" for name, number in counted_bytes(small).items()]
    asked = [f"- `{measure.name}`{measure.line.removeprefix(measure.name)}" for measure in measures]
    others = [f"- `{measure.name}`{measure.line.removeprefix(measure.name)}" for measure in beside]
    parts = [f"# {in_markdown(trial.name)}", "", *files, "", "What the search asked for:", "", *asked, ""]
    if others:
        parts += ["What the evaluation measured too, not asked for by the search:", "", *others, ""]
    if (more := how_to_get_more(trial)) is not None:
        parts += [more, ""]
    return "\n".join([*parts, "Sizes in `export.json`:", "", *sizes]) + "\n"
