"""A problem: everything that is known before a network is fitted."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from dashjax.data.interventions import Intervention, RestSamples, floor_of, production_of, rest_samples
from dashjax.data.prior import Prior, no_prior
from dashjax.data.trajectories import Split, Trajectories, pieces_of, single_transitions
from dashjax.data.units import Units, units_of
from dashjax.errors import InputError


@dataclass(frozen=True)
class Finding:
    """One thing found in data or a prior by the checks.

    Attributes:
        level: "note" for what is as it may be, "warning" for what is probably not meant, "error" for what stops a fit.
        source: the file or argument.
        text: one sentence.
    """

    level: Literal["note", "warning", "error"]
    source: str
    text: str


@dataclass(frozen=True)
class HoldOut:
    """What a run validates on.

    Attributes:
        count: pieces of data held out.
        drawn: whether a run's seed draws them; otherwise they are the last ones.
        whole: whether pieces are whole trajectories, or else single transitions; see `pieces_of` if None.
    """

    count: int
    drawn: bool = True
    whole: bool | None = None


@dataclass(frozen=True, eq=False)
class Problem:
    """A network to infer: the data, the belief before them, and the truth where it is known.

    Examples:
        >>> from dashjax import make_trajectories
        >>> courses = make_trajectories([[0, 1, 2]] * 10, [[[1.0], [0.5], [0.2]]] * 10)
        >>> problem = make_problem(courses, ["GATA1"], validation=0.2)
        >>> parts = problem.split(seed=0)
        >>> parts.train.n_trajectories, parts.validation.n_trajectories
        (8, 2)

    Attributes:
        name: what tables call it; problems of one group are averaged there.
        genes: names, in the order of every array.
        observed: trajectories to train and validate on, in training units.
        units: how the user's numbers became those.
        prior: prior edges; none is a prior without edges.
        hold_out: what a run validates on.
        regulators: numbers of the genes that may regulate, increasing; None for all.
        truth: true edges (regulator, target), signed where signs are known; None where nobody knows.
        covered: genes whose targets the truth covers, booleans (gene,); only these rows are scored. None for all.
        covered_targets: genes whose regulators the truth covers, booleans (gene,); only these columns are scored. None
            for all.
        self_loops: whether pairs of a gene with itself are scored.
        test: trajectories to test on, in training units; None for none.
        rest: samples at rest, in training units; None for none.
        trajectories: names of the trajectories.
        samples: names of the samples at rest.
        group: name of the group.
        source: where the data came from.
        notes: what was done to the data on the way, one sentence each.
        findings: what the checks found.
        fingerprint: identity of all that determines the numbers of a run.
        data_fingerprint: identity of genes, trajectories and hold-out alone, which problems with other priors share.
    """

    name: str
    genes: tuple[str, ...]
    observed: Trajectories
    units: Units
    prior: Prior
    hold_out: HoldOut
    regulators: tuple[int, ...] | None = None
    truth: np.ndarray | None = None
    covered: np.ndarray | None = None
    covered_targets: np.ndarray | None = None
    self_loops: bool = False
    test: Trajectories | None = None
    rest: RestSamples | None = None
    trajectories: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()
    group: str = ""
    source: str = ""
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    fingerprint: str = ""
    data_fingerprint: str = ""

    @cached_property
    def pieces(self) -> Trajectories:
        """What is trained on or held out one by one: trajectories, or single transitions where those are few."""
        if self.hold_out.whole is None:
            return pieces_of(self.observed)
        return self.observed if self.hold_out.whole else single_transitions(self.observed)

    @property
    def whole(self) -> bool:
        """Whether whole trajectories are held out."""
        return self.pieces is self.observed

    @cached_property
    def given(self) -> Trajectories:
        """The observations in the user's units."""
        return self.units.given(self.observed)

    @cached_property
    def given_rest(self) -> RestSamples | None:
        """The samples at rest in the user's units."""
        return None if self.rest is None else self.units.given_rest(self.rest)

    @property
    def states(self) -> np.ndarray:
        """Return every observation of a trajectory and every sample at rest, (state, gene), in training units."""
        seen = np.asarray(self.observed.expression)[np.asarray(self.observed.observed)]
        return seen if self.rest is None else np.concatenate([seen, np.asarray(self.rest.levels)])

    @cached_property
    def floor(self) -> np.ndarray:
        """Return the level of each gene that stands for no expression, (gene,), in the user's units."""
        return floor_of(np.asarray(self.units.levels(jnp.asarray(self.states))))

    @property
    def may_regulate(self) -> np.ndarray:
        """Return which genes may regulate, booleans (gene,)."""
        allowed = np.zeros(len(self.genes), bool)
        allowed[slice(None) if self.regulators is None else list(self.regulators)] = True
        return allowed

    @property
    def scored(self) -> np.ndarray:
        """Return which pairs are scored, booleans (regulator, target)."""
        pairs = np.full((len(self.genes), len(self.genes)), True)
        if self.covered is not None:
            pairs &= np.asarray(self.covered)[:, None]
        if self.covered_targets is not None:
            pairs &= np.asarray(self.covered_targets)
        return pairs if self.self_loops else pairs & ~np.eye(len(self.genes), dtype=bool)

    def rows(self, seed: int, fold: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Return which pieces a run trains on, and which it validates on.

        Fold f validates on the f-th part of a permutation that depends on the data alone; every part has the size of
        the hold-out, so that all runs of a problem have the same shapes.
        """
        count, held = self.pieces.n_trajectories, self.hold_out.count
        if fold:
            order = np.random.default_rng(int(self.data_fingerprint, 16)).permutation(count)
            part = np.s_[(fold - 1) * held : fold * held]
            return np.delete(order, part), order[part]
        if not self.hold_out.drawn:
            return np.arange(count - held), np.arange(count - held, count)
        order = np.random.default_rng([seed, 3]).permutation(count)
        return np.sort(order[held:]), np.sort(order[:held])

    def split(self, seed: int, fold: int = 0) -> Split:
        """Return the data of a run."""
        train, held = self.rows(seed, fold)
        return Split(self.pieces[train], self.pieces[held], self.test, self.rest)

    def with_prior(self, prior: Prior) -> Problem:
        """Return the same data with another prior."""
        return _identified(replace(self, prior=prior))

    def with_folds(self, folds: int) -> Problem:
        """Return the same problem with so many equal folds; what does not divide is always trained on.

        Raises:
            InputError: where there are fewer pieces than folds.
        """
        count = self.pieces.n_trajectories
        if folds < 2 or count // folds == 0:
            raise InputError(f"{folds} folds of {count} pieces of data; needs at least two each", "tune")
        return _identified(replace(self, hold_out=HoldOut(count // folds, whole=self.hold_out.whole)))


def make_problem(
    observed: Trajectories,
    genes: Sequence[str] | None = None,
    prior: Prior | None = None,
    *,
    units: Units | None = None,
    validation: float | HoldOut = 0.1,
    regulators: np.ndarray | None = None,
    truth: np.ndarray | None = None,
    test: Trajectories | None = None,
    steady: np.ndarray | None = None,
    interventions: Sequence[Intervention] = (),
    data_fingerprint: str = "",
    **named,
) -> Problem:
    """Put a problem together from data in the user's units.

    Examples:
        >>> from dashjax.data.trajectories import make_trajectories
        >>> rises = make_trajectories([[0, 4, 9]] * 5, [[[10.0, 1.0], [20.0, 1.5], [30.0, 2.0]]] * 5)
        >>> problem = make_problem(rises, ["GATA1", "TAL1"], validation=0.2)
        >>> [len(rows) for rows in problem.rows(seed=0)], problem.observed.expression[0, 1].round(2).tolist()
        ([4, 1], [0.5, 0.5])

    Args:
        observed: trajectories to train and validate on.
        genes: names in the arrays' order; G1, G2, … if None.
        prior: prior edges in the same order; none if None.
        units: units to train in, `units_of(observed)` if None; they must be those of `test` too.
        validation: share of the pieces held out, drawn by every run's seed; or what is held out.
        regulators: which genes may regulate, booleans (gene,); all if None.
        truth: true edges (regulator, target), where they are known.
        test: trajectories to test on.
        steady: samples at rest (sample, gene), NaN where a level is missing.
        interventions: what was done, in experiments named by `trajectories` and `samples`.
        data_fingerprint: identity of the data where they were simulated, whose last digits differ between machines;
            hash of the data if empty.
        **named: name, covered, covered_targets, self_loops, trajectories, samples, group, source, notes, findings.

    Raises:
        InputError: on sizes that do not agree, or a share that leaves nothing to train on.
    """
    count = observed.n_genes
    genes = tuple(f"G{n + 1}" for n in range(count)) if genes is None else tuple(genes)
    prior = no_prior(count) if prior is None else prior
    if len(genes) != count:
        raise InputError(f"{len(genes)} names for {count} genes", "genes")
    if prior.edges.shape != (count, count):
        raise InputError(f"a network of shape {tuple(prior.edges.shape)} for {count} genes", "prior")
    if truth is not None and np.shape(truth) != (count, count):
        raise InputError(f"a network of shape {np.shape(truth)} for {count} genes", "truth")
    rest = None
    if steady is not None and len(steady):
        if np.ndim(steady) != 2 or np.shape(steady)[1] != count:
            raise InputError(f"expected levels (sample, gene) of {count} genes, got {np.shape(steady)}", "steady")
        rest = rest_samples(steady)
    if not observed.n_trajectories and rest is None:
        raise InputError("neither trajectories nor samples at rest", "expression")
    observed, rest = _treated(observed, rest, interventions, genes, named)
    units = units_of(observed, rest) if units is None else units
    scaled = units.scaled(observed)
    allowed = None
    if regulators is not None and not np.all(regulators):
        allowed = tuple(int(n) for n in np.flatnonzero(regulators))
        if not allowed:
            raise InputError("no gene may regulate", "regulators")
    hold_out = validation if isinstance(validation, HoldOut) else _share(validation, pieces_of(scaled).n_trajectories)
    problem = Problem(
        named.pop("name", "data"),
        genes,
        scaled,
        units,
        prior,
        hold_out,
        allowed,
        None if truth is None else np.asarray(truth),
        test=None if test is None else units.scaled(test),
        rest=None if rest is None else units.scaled_rest(rest),
        data_fingerprint=data_fingerprint,
        **named,
    )
    return _identified(problem)


def _treated(
    observed: Trajectories, rest: RestSamples | None, interventions: Sequence[Intervention], genes, named
) -> tuple[Trajectories, RestSamples | None]:
    """Return trajectories and samples with what was done to them."""
    if not interventions:
        return observed, rest
    experiments = [*named.get("trajectories", ()), *named.get("samples", ())]
    levels, shares = np.asarray(observed.expression, np.float64), np.asarray(observed.observed)[..., None]
    levels = (levels * shares).sum(axis=1) / np.maximum(shares.sum(axis=1), 1)
    everything = np.asarray(observed.expression)[np.asarray(observed.observed)]
    if rest is not None:
        levels = np.concatenate([levels, rest.levels])
        everything = np.concatenate([everything, rest.levels])
    if len(experiments) != len(levels):
        raise InputError(f"{len(experiments)} names for {len(levels)} trajectories and samples", "interventions")
    production = production_of(interventions, experiments, genes, levels, floor_of(everything))
    split = observed.n_trajectories
    parts = [jax.tree.map(lambda leaf, part=part: leaf[part], production) for part in (np.s_[:split], np.s_[split:])]
    courses, samples = (None if part is None or not part.touched.any() else part for part in parts)
    return replace(observed, production=courses), None if rest is None else replace(rest, production=samples)


def _share(share: float, pieces: int) -> HoldOut:
    if not 0 < share < 1:
        raise InputError(f"must be between 0 and 1, got {share:g}", "validation")
    if not pieces:
        return HoldOut(0)
    held = max(1, round(share * pieces))
    if held >= pieces:
        raise InputError(f"{share:g} of {pieces} pieces of data leaves nothing to train on", "validation")
    return HoldOut(held)


def _identified(problem: Problem) -> Problem:
    """Return a problem with its fingerprints."""
    data = problem.data_fingerprint or _hash(
        (problem.observed, problem.test, problem.rest, problem.units), *problem.genes
    )
    return replace(
        problem,
        data_fingerprint=data,
        fingerprint=_hash(
            (problem.prior, problem.truth, problem.covered, problem.covered_targets),
            data,
            problem.hold_out,
            problem.regulators,
            problem.self_loops,
        ),
    )


def _hash(arrays, *words) -> str:
    """Return 16 hexadecimal digits of arrays' bytes and other values' text."""
    digest = hashlib.sha256("\n".join(map(str, words)).encode())
    for leaf in jax.tree.leaves(arrays):
        array = np.asarray(leaf)
        digest.update(f"{array.shape} {array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def identity_of(*words) -> str:
    """Return 16 hexadecimal digits that depend on the text of some values alone."""
    return _hash((), *words)
