"""The line of a plan about its scale: the scale's own words, and which of its sizes the campaign has otherwise.

A scale describes its own base ("width 64, a quarter of a million tokens a trial"), in the words of whoever made the
space. A setting that changes a size makes such words untrue here, so that it is named beside them.
"""

from __future__ import annotations

from terminal.short import short
from trainable.component_paths import get_value
from tuner.question import Question

SIZES = ("model", "data", "budget", "horizon", "evaluation")  # parts of a config that such words are about


def scale_line(question: Question) -> str:
    """Describe the scale, and name the settings that its description does not hold for."""
    scale, changed = question.original.scale(question.scale), changed_sizes(question)
    but = f"; but here {', '.join(f'{path}={short(question.overrides[path])}' for path in changed)}" if changed else ""
    return f"scale: {question.scale} - {scale.about}{but}"


def changed_sizes(question: Question) -> list[str]:
    """The settings by which a campaign has another size, or other data, than its scale."""
    return [path for path in question.overrides if path.partition(".")[0] in SIZES and _differs(question, path)]


def _differs(question: Question, path: str) -> bool:
    """Tell whether a setting is another one than the scale's own base has; of a component, in any part."""
    try:
        was = get_value(question.original.scale(question.scale).base, path)
    except ValueError:
        return True
    return bool(was != get_value(question.base, path))
