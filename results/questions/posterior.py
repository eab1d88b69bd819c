"""Posterior of what each knob does: draws from all models that fit the trials, at all moments that they have come to.

A trial's value at the end is the sum of a function of each knob, of products of two knobs, and of noise
(``components.py``). Its value at a rung is the same in part, plus what fades until the end: of some knobs, and of the
run's own luck, which stays with it from rung to rung. So a trial that was stopped says what it can of the end, no more,
and that the stopper chose by the values at a rung bends nothing: they are part of the model.

Most knobs do nothing: each function has the variance zero or one of a few ("spike and slab", Mitchell and Beauchamp
1988, in groups). Variances are drawn with the coefficients integrated out (George and McCulloch 1997), then the
coefficients, then noise, slopes and what stays. An interval of these draws is one of belief; ``python -m
benchmarks.importance`` counts how often it holds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from results.questions.components import Basis
from results.statistics.blas_threads import one_blas_thread

DRAWS, BURN_IN = 250, 50  # of which so many are dropped, as they still depend on where they began
# Beliefs before any trial. Chosen with benchmarks/importance.py on seeds that its table does not use.
VARIANCES = np.array([0.0, 0.03, 0.1, 0.3, 1.0, 3.0])  # that a knob may make, beside that of all values: none, or
ACTS, FADES, PRODUCTS = 0.5, 0.1, 3.0  # chance that a knob acts; that it acts on early values alone; pairs that act
NOISE, NOISE_TRIALS = 0.05, 2.0  # the noise's variance beside that of all values, and trials that this counts for
SLOPE_SD = 0.5  # of an effect on the way beside that at the end, around 1
STAYS, STAYS_SD = 0.5, 0.5  # the part of a run's luck at a rung that is there at the next moment
PAIRS_AT_ONCE = 10  # that are looked at in each draw, beside those that act
INTERCEPT = 100.0  # variance of a mean
_Group = tuple[np.ndarray, np.ndarray]  # columns of one variance, one beside the other, and what is believed of it


@dataclass(frozen=True)
class Posterior:
    """Draws: the squares of the functions' coefficients, and the variance that nothing explains at the end."""

    squares: np.ndarray  # (draws, functions)
    noise: np.ndarray  # (draws,)

    def shares(self, found: Basis) -> np.ndarray:
        """(draws, knobs): the part of the variance over the domain that is each knob's; the rest of 1 is noise."""
        explained = self.squares @ found.owners
        whole = explained.sum(axis=1) + self.noise
        shares: np.ndarray = explained / whole[:, None]
        return shares


def posterior(found: Basis, values: np.ndarray, parts: np.ndarray, random: np.random.Generator) -> Posterior:
    """Draw from what is believed after ``values`` (trials, moments).

    The last moment is the end; NaN is where a trial did not come. ``parts`` (moments,) is how far into the budget each
    is, 1 at the end.
    """
    chain = _Chain(found, values, parts, random)
    squares, noise = list[np.ndarray](), list[float]()
    with one_blas_thread():
        for number in range(DRAWS):
            chain.step()
            if number >= BURN_IN:
                squares.append(chain.effects**2 * chain.own_weights)
                noise.append(chain.noise_at_the_end())
    return Posterior(np.array(squares), np.array(noise))


def _log_prior(acts: float) -> np.ndarray:
    others = len(VARIANCES) - 1
    found: np.ndarray = np.log(np.array([1 - acts] + [acts / others] * others))
    return found


class _Chain:
    """The state of the sampler. Values are standardised; a step is a moment and the one before it, if any."""

    def __init__(self, found: Basis, values: np.ndarray, parts: np.ndarray, random: np.random.Generator) -> None:
        self.random, self.moments = random, values.shape[1]
        with np.errstate(invalid="ignore"):
            spread = [float(np.nanstd(values[:, m])) for m in (0, -1) if (~np.isnan(values[:, m])).sum() > 1]
            middle = np.array([np.nanmean(v) if (~np.isnan(v)).any() else 0.0 for v in values.T])
        self.values = (values - middle) / (max(spread, default=0.0) or 1.0)
        alone = found.group < found.knobs
        self.own_weights = np.where(alone, found.weights, 1.0)
        self.features = found.features * np.sqrt(self.own_weights)
        self.early = self.features[:, alone] if self.moments > 1 else self.features[:, :0]
        self.fades = 1.0 - parts
        self.steps = _steps(values)
        self.num_effects, self.num_early = self.features.shape[1], self.early.shape[1]
        self.priors = np.zeros(self.num_effects + self.num_early + self.moments)
        self.priors[self.num_effects + self.num_early :] = INTERCEPT
        self.groups = [(np.flatnonzero(found.group == knob), _log_prior(ACTS)) for knob in range(found.knobs)]
        if self.num_early:
            of = found.group[alone]
            places = [self.num_effects + np.flatnonzero(of == knob) for knob in range(found.knobs)]
            self.groups += [(place, _log_prior(FADES)) for place in places]
        self.pairs = np.flatnonzero(~alone)
        self.pair_prior = _log_prior(min(0.5, PRODUCTS / max(1, len(self.pairs))))
        self.slopes = np.ones(self.moments)
        self.stays = dict.fromkeys((step for step in self.steps if step[1] >= 0), STAYS)
        self.sds = dict.fromkeys(self.steps, 0.5)
        self.effects = np.zeros(self.num_effects)

    def step(self) -> None:
        """Draw everything once."""
        groups = self._groups()
        used = self._used(groups)
        design, seen = self._stacked(used)
        inner, along = design.T @ design, design.T @ seen
        self._choose(groups, used, inner.copy(), along)
        found = np.zeros(len(self.priors))
        acting = self.priors[used] > 0
        found[used[acting]] = self._coefficients(
            design[:, acting], seen, self.priors[used[acting]], inner[np.ix_(acting, acting)]
        )
        self.effects = found[: self.num_effects]
        faded = self.early @ found[self.num_effects : self.num_effects + self.num_early]
        effect, means = self.features @ self.effects, found[self.num_effects + self.num_early :]
        left = self.values - means - faded[:, None] * self.fades  # of which the effect and the luck are left
        for moment in range(self.moments - 1):
            self._slope(moment, left, effect)
        luck = left - effect[:, None] * self.slopes
        for step, trials in self.steps.items():
            self._luck(step, luck[trials])

    def noise_at_the_end(self) -> float:
        """The variance that is left at the end, along the moments that most trials came by."""
        found: dict[int, float] = {}
        for moment in range(self.moments):
            ways = [(len(trials), step) for step, trials in self.steps.items() if step[0] == moment]
            if ways:
                step = max(ways)[1]
                found[moment] = self.sds[step] ** 2 + self.stays.get(step, 0.0) ** 2 * found.get(step[1], 0.0)
        return found[self.moments - 1]

    def _used(self, groups: Sequence[_Group]) -> np.ndarray:
        """Columns that a draw is about, ascending: those of its groups, and the means. All others are zero in it."""
        means = np.arange(self.num_effects + self.num_early, len(self.priors))
        found: np.ndarray = np.sort(np.concatenate([*(place for place, _ in groups), means]))
        return found

    def _stacked(self, used: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A row for each value, of the part of it that the value before it does not say, in its own noise."""
        features = self.features[:, used[used < self.num_effects]]
        of_effects, of_early = slice(0, features.shape[1]), slice(features.shape[1], -self.moments)
        rows = sum(len(trials) for trials in self.steps.values())
        design, seen, first = np.zeros((rows, len(used))), np.empty(rows), 0
        means = len(used) - self.moments
        for (moment, before), trials in self.steps.items():
            here, sd = slice(first, first + len(trials)), self.sds[moment, before]
            slope, fades, values = self.slopes[moment], self.fades[moment], self.values[trials, moment]
            design[here, means + moment] = 1 / sd
            if before >= 0:
                stays = self.stays[moment, before]
                slope, fades = slope - stays * self.slopes[before], fades - stays * self.fades[before]
                values = values - stays * self.values[trials, before]
                design[here, means + before] = -stays / sd
            design[here, of_effects] = features[trials] * (slope / sd)
            design[here, of_early] = self.early[trials] * (fades / sd)
            seen[here] = values / sd
            first = here.stop
        return design, seen

    def _choose(self, groups: Sequence[_Group], used: np.ndarray, inner: np.ndarray, along: np.ndarray) -> None:
        """Draw each group's variance with the coefficients integrated out.

        Of the values' covariance only products with the columns are needed: ``inner`` and ``along`` are those of the
        columns with each other and with the values, first as if nothing acted. There are fewer columns than values, so
        that they are brought up to a changed variance in a tenth of the time that the covariance's inverse takes.
        """
        acting = np.flatnonzero(self.priors[used])
        across = np.linalg.solve(np.diag(1 / self.priors[used[acting]]) + inner[np.ix_(acting, acting)], inner[acting])
        inner, along = inner - inner[:, acting] @ across, along - across.T @ along[acting]
        firsts = np.searchsorted(used, [place[0] for place, _ in groups])
        for (place, prior), first in zip(groups, firsts, strict=True):
            here, old = slice(first, first + len(place)), self.priors[place[0]]
            new = self._variance(inner[here, here], along[here], old, prior)
            if new != old:
                change = np.linalg.inv(np.eye(len(place)) / (new - old) + inner[here, here])
                moved = inner[:, here] @ change
                along -= moved @ along[here]
                inner -= moved @ inner[here]
                self.priors[place] = new

    def _groups(self) -> list[_Group]:
        """List the groups in any order: all knobs, some pairs, and those that act."""
        some = self.random.choice(self.pairs, min(PAIRS_AT_ONCE, len(self.pairs)), replace=False)
        pairs = np.union1d(some, self.pairs[self.priors[self.pairs] > 0]).astype(int)
        found = [*self.groups, *((np.array([pair]), self.pair_prior) for pair in pairs)]
        return [found[number] for number in self.random.permutation(len(found))]

    def _variance(self, inner: np.ndarray, along: np.ndarray, old: float, prior: np.ndarray) -> float:
        """Draw one of the variances for a group, by the likelihood without its coefficients."""
        sizes, scores = inner[0], along
        if len(along) > 1:
            sizes, ways = np.linalg.eigh(inner)
            scores = ways.T @ along
        left = 1 - old * sizes  # by what they are smaller with the group's own variance than without it
        sizes, scores = np.maximum(sizes / left, 0.0), scores / left
        larger = 1 + VARIANCES[:, None] * sizes
        gain = (VARIANCES[:, None] * scores**2 / larger).sum(axis=1) - np.log(larger).sum(axis=1)
        chances = prior + gain / 2
        chances = np.cumsum(np.exp(chances - chances.max()))
        return float(VARIANCES[np.searchsorted(chances, self.random.random() * chances[-1])])

    def _coefficients(
        self, columns: np.ndarray, seen: np.ndarray, variances: np.ndarray, inner: np.ndarray
    ) -> np.ndarray:
        """Draw the coefficients of the columns that act, by a draw of the prior that is moved to the values
        (Bhattacharya et al. 2016). ``inner`` is the product of the columns with each other.
        """
        drawn = self.random.normal(size=len(variances)) * np.sqrt(variances)
        off = seen - columns @ drawn - self.random.normal(size=len(seen))
        found: np.ndarray = drawn + np.linalg.solve(np.diag(1 / variances) + inner, columns.T @ off)
        return found

    def _slope(self, moment: int, left: np.ndarray, effect: np.ndarray) -> None:
        """Draw how much of the effect at the end is there at a moment."""
        precision, sum_of = 1 / SLOPE_SD**2, 1 / SLOPE_SD**2
        for (at, before), trials in self.steps.items():
            if moment not in (at, before):
                continue
            stays, here = self.stays.get((at, before), 0.0), effect[trials]
            earlier = left[trials, before] if before >= 0 else np.zeros(len(trials))
            if at == moment:
                known = self.slopes[before] * here if before >= 0 else 0.0
                along, target = here, left[trials, at] - stays * (earlier - known)
            else:
                along, target = stays * here, stays * earlier - (left[trials, at] - self.slopes[at] * here)
            precision += float(along @ along) / self.sds[at, before] ** 2
            sum_of += float(along @ target) / self.sds[at, before] ** 2
        self.slopes[moment] = self.random.normal(sum_of / precision, 1 / math.sqrt(precision))

    def _luck(self, step: tuple[int, int], luck: np.ndarray) -> None:
        """Draw how much of a run's luck stays from one moment to the next, and the noise that comes to it."""
        moment, before = step
        left = luck[:, moment]
        if before >= 0:
            earlier, variance = luck[:, before], self.sds[step] ** 2
            precision = float(earlier @ earlier) / variance + 1 / STAYS_SD**2
            middle = (float(earlier @ left) / variance + STAYS / STAYS_SD**2) / precision
            self.stays[step] = self.random.normal(middle, 1 / math.sqrt(precision))
            left = left - self.stays[step] * earlier
        squares = float(left @ left) + NOISE_TRIALS * NOISE
        self.sds[step] = math.sqrt(squares / 2 / self.random.gamma((len(left) + NOISE_TRIALS) / 2))


def _steps(values: np.ndarray) -> Mapping[tuple[int, int], np.ndarray]:
    """(moment, the trial's moment before it or -1) -> the trials that came there so."""
    found: dict[tuple[int, int], list[int]] = {}
    for trial, row in enumerate(values):
        before = -1
        for moment in np.flatnonzero(~np.isnan(row)):
            found.setdefault((int(moment), before), []).append(trial)
            before = int(moment)
    return {step: np.array(trials) for step, trials in found.items()}
