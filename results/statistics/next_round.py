"""The confirmation that the best trials ask for next: a round that has begun, or a new one with the winner in it."""

from __future__ import annotations

from collections.abc import Container, Sequence

from results.design import MOST_CANDIDATES
from results.statistics.confirmation import Round, standing


def next_round(best: Sequence[str], known: Sequence[Round], there: Container[str]) -> tuple[int, tuple[str, ...]]:
    """Return the round's number and its candidates; the number is that of a round in ``known`` where this goes on.

    ``best`` are the arms of the search's best trials. ``there`` are all arms that can be trained: a damaged row is set
    aside. The latest winner takes part again: single values, lucky ones among them, must not crowd out what stands.
    """
    number, arms = len(known), _with_winner(tuple(best), known, there)
    if known and _answers(known[-1], best, there):
        return number - 1, known[-1].candidates
    if known and set(known[-1].candidates) <= set(arms) and known[-1].design.candidates == len(arms):
        return number - 1, arms
    return number, arms


def _answers(last: Round, best: Sequence[str], there: Container[str]) -> bool:
    """Tell whether the round is about the best configs as they are now, and all of it can be trained."""
    asked = best if set(last.candidates) <= set(best) else best[: MOST_CANDIDATES - 1]  # a winner took a place
    return last.complete and all(arm in there for arm in last.candidates) and set(asked) <= set(last.candidates)


def _with_winner(best: tuple[str, ...], known: Sequence[Round], there: Container[str]) -> tuple[str, ...]:
    last = standing(known)
    winner = None if last is None or last.judgement.winner is None else last.judgement.winner.arm
    if winner is None or winner in best or winner not in there:
        return best
    return (*best[: MOST_CANDIDATES - 1], winner)
