"""A network: everything that is known after fitting, in the user's units and names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from dashjax.data import DENSE_GENES, Finding, Prior, Problem, Production, Units
from dashjax.data.units import WIDTH
from dashjax.dynamics import AbstractField, AbstractSpec, Direct, InUnits, field_of_arrays
from dashjax.errors import InputError
from dashjax.evidence import EdgePosterior, EnsemblePosterior, edges_at_precision
from dashjax.networks.anndata_out import to_anndata
from dashjax.networks.edges import edge_list
from dashjax.networks.readout import along_edges, relative_effects, strongest_edges
from dashjax.questions import (
    Influence,
    Measured,
    Response,
    measure_influence,
    measured_effects,
    perturb_members,
    predict_members,
    predict_rest,
)
from dashjax.questions.combined import INTERVAL
from dashjax.scoring import NetworkScores, score_network

if TYPE_CHECKING:
    import anndata
    import pandas as pd

    from dashjax.networks.starts import Change

#: Edges that are listed of a network too large for a matrix.
MOST_EDGES = 100_000
#: Least probability of an edge outside the prior that is listed.
LISTED = 0.01
#: What is said of dynamics that grow without bounds.
_NOT_FINITE = "the model does not stay finite; try a level nearer to the data's"
#: What a network's matrix may show.
_MATRICES = ("score", "probability", "effect", "effect_low", "effect_high", "returned", "frequency", "activation",
             "sign_agreement", "in_prior")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Network:
    """The result of fitting: edges, what they rest on, and how they were found.

    Examples:
        >>> from dashjax import make_problem, make_trajectories
        >>> course = make_trajectories([[0, 1, 2]], [[[1.0, 0.0], [0.5, 0.4], [0.2, 0.6]]])
        >>> problem = make_problem(course, ["GATA1", "TAL1"])
        >>> network = make_network(problem, {"ranking": np.array([[0.0, 0.9], [-0.2, 0.0]])}, {"method": "mine"})
        >>> network.edges[["source", "target", "score"]].values.tolist()
        [['GATA1', 'TAL1', 0.9], ['TAL1', 'GATA1', -0.2]]

    Attributes:
        genes: names, in the order of every array.
        units: how the user's numbers become those the fields were trained on.
        prior: what was believed before.
        regulators: numbers of the genes that may regulate; None for all.
        spec: what builds the field; None for rivals, which have none.
        fields: of all members, along a leading axis, in training units; None for rivals.
        posterior: of every edge, in training units; None for methods whose network is their weights.
        ranking: of rivals: scores (regulator, target), the larger the likelier, with the sign of the effect.
        precision: expected precision of the edges that a posterior returns.
        curves: errors, learning rate and pruning by epoch, of the first member.
        how: method, settings, seed and outcome by name, as plain values.
        findings: what the checks found in the data.
        measured: what interventions did at rest, in training units; None where none was measured.
        floor: level of each gene that stands for no expression, in the user's units; zero if None.
        chosen: signed weights (regulator, target) of the edges to go by instead of those that the method returns; None
            for those.
        provenance: the call that made it, its settings and files, versions and platform; see `dashjax.io.provenance`.
    """

    genes: tuple[str, ...]
    units: Units
    prior: Prior
    regulators: tuple[int, ...] | None = None
    spec: AbstractSpec | None = None
    fields: AbstractField | None = None
    posterior: EnsemblePosterior | None = None
    ranking: np.ndarray | None = None
    precision: float = 0.9
    curves: Mapping[str, np.ndarray] = field(default_factory=dict)
    how: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    measured: Measured | None = None
    floor: np.ndarray | None = None
    chosen: np.ndarray | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Say in a line what it is; `edges` and `findings` say the rest."""
        method, known = self.how.get("method", "no method"), self.prior.n_edges
        if len(self.genes) > DENSE_GENES:
            return f"Network({len(self.genes):,} genes, {method}, {known:,} prior edges)"
        found, own = int(self.returned.sum()), int(self.returned[self.prior.pairs()].sum())
        warned = sum(finding.level != "note" for finding in self.findings)
        says = f", {warned} warnings in findings" if warned else ""
        edges = f"{found:,} edges returned, {found - own:,} of them not among {known:,} prior edges"
        return f"Network({len(self.genes):,} genes, {method}: {edges}{says})"

    # --- edges -----------------------------------------------------------------------------------------------

    @cached_property
    def scores(self) -> np.ndarray:
        """What edges are ranked by, (regulator, target), with the sign of the effect.

        The probability where there is a posterior, otherwise a target's effects divided by the sum of their
        magnitudes; a rival's own scores.

        """
        if self.posterior is not None:
            mixture = self.posterior.posterior
            return np.where(np.asarray(mixture.activation) < 0.5, -1.0, 1.0) * np.asarray(mixture.probability)
        if self.ranking is not None:
            return self.ranking
        return np.asarray(relative_effects(self.field))

    @cached_property
    def returned(self) -> np.ndarray:
        """Which edges the method returns, booleans (regulator, target).

        Those of the stated expected precision where there is a posterior, otherwise all that are not exactly zero.
        """
        if self.posterior is not None:
            return np.asarray(edges_at_precision(self.posterior.posterior.probability, self.precision))
        return self.scores != 0

    @cached_property
    def acting(self) -> np.ndarray:
        """Signed weights (regulator, target) of the returned edges, which say how a perturbation reaches a gene."""
        return np.where(self.returned, self.scores, 0.0) if self.chosen is None else self.chosen

    @cached_property
    def edges(self) -> pd.DataFrame:
        """Edges as a table, the likeliest or strongest first.

        Columns: source, target; probability that the edge exists; effect, the change of the target's rate of change
        per unit of the regulator, in the user's units (of a regulator's activity: the change of the target's level
        per standard deviation of it), with effect_low and effect_high around 90 % of its posterior;
        returned; in_prior; score, what edges are ranked by; frequency, the share of members that return the edge;
        activation, the probability that it activates, given that it exists; sign_agreement, the share of members that
        agree on that. What a method does not tell is NaN. With a posterior, prior edges are listed however improbable,
        others from a probability of `LISTED` on.
        """
        import pandas as pd

        if len(self.genes) > DENSE_GENES:
            regulator, target, score = strongest_edges(self.field, MOST_EDGES)
            names = np.asarray(self.genes, dtype=object)
            table = pd.DataFrame({"source": names[regulator], "target": names[target]})
            nothing = {name: np.nan for name in ("probability", "effect", "effect_low", "effect_high")}
            return table.assign(
                **nothing, returned=True, in_prior=self.prior.states(regulator, target), score=score,
                frequency=np.nan, activation=np.nan, sign_agreement=np.nan,
            )  # fmt: skip
        score = self.scores
        listed = score
        if self.posterior is not None:
            # A listed prior edge of no probability at all still needs a line.
            least = np.where(score < 0, -1.0, 1.0) * np.maximum(np.abs(score), np.finfo(np.float32).tiny)
            listed = np.where((np.abs(score) >= LISTED) | self._in_prior, least, 0.0)
        table = edge_list(listed, self.genes)
        place = {gene: number for number, gene in enumerate(self.genes)}
        pairs = table["source"].map(place).to_numpy(int), table["target"].map(place).to_numpy(int)
        if self.posterior is not None:
            # Of equal probabilities, and many are 1, the effect that is surest not to be zero comes first.
            mixture = self.posterior.posterior
            sure = np.abs(np.asarray(mixture.effect)) / np.maximum(
                np.asarray(mixture.spread), np.finfo(np.float32).tiny
            )
            order = np.lexsort((-sure[pairs], -np.abs(listed[pairs])))
            table, pairs = table.iloc[order].reset_index(drop=True), (pairs[0][order], pairs[1][order])
        columns = ("probability", "effect", "effect_low", "effect_high", "returned", "in_prior", "score", "frequency",
                   "activation", "sign_agreement")  # fmt: skip
        return table[["source", "target"]].assign(**{name: self._matrix(name)[pairs] for name in columns})

    def matrix(self, column: str = "score") -> pd.DataFrame:
        """Return one of the edges' columns for every pair: a frame, regulator × target.

            network.matrix("probability").loc["GATA1", "TAL1"]

        Raises:
            InputError: on an unknown column, or more genes than a matrix can hold.
        """
        import pandas as pd

        if column not in _MATRICES:
            raise InputError(f"unknown value '{column}'; valid: {', '.join(_MATRICES)}", "column")
        if len(self.genes) > DENSE_GENES:
            raise InputError(f"{len(self.genes):,} genes are too many for a matrix of all pairs; see edges", "network")
        rows = range(len(self.genes)) if self.regulators is None else list(self.regulators)
        names = [self.genes[row] for row in rows]
        return pd.DataFrame(self._matrix(column)[list(rows)], index=names, columns=list(self.genes))

    def _matrix(self, name: str) -> np.ndarray:
        shape = len(self.genes), len(self.genes)
        if name == "score":
            return self.scores
        if name == "returned":
            return self.returned
        if name == "in_prior":
            return self._in_prior
        if name == "effect" and self.posterior is None:
            if self.fields is None:
                return np.full(shape, np.nan)
            return np.asarray(self.units.effects(self.field.effects()))
        if self.posterior is None:
            return np.full(shape, np.nan)
        mixture = self.posterior.posterior
        if name in ("effect", "effect_low", "effect_high"):
            sides = {"effect": 0.0, "effect_low": -INTERVAL, "effect_high": INTERVAL}[name]
            effect = np.asarray(mixture.effect + sides * mixture.spread)
            if self.how.get("carrier") == "activity":
                # Of an activity, which has no unit: what a standard deviation of it does, in the target's unit.
                return effect * np.asarray(self.units.scale) / WIDTH
            return np.asarray(self.units.effects(jnp.asarray(effect)))
        found = {"frequency": self.posterior.frequency, "sign_agreement": self.posterior.agreement}
        return np.asarray(found[name] if name in found else getattr(mixture, name))

    @cached_property
    def _in_prior(self) -> np.ndarray:
        known = np.zeros((len(self.genes), len(self.genes)), bool)
        known[self.prior.pairs()] = True
        return known

    def score(
        self,
        truth: np.ndarray,
        covered: np.ndarray | None = None,
        self_loops: bool = False,
        covered_targets: np.ndarray | None = None,
    ) -> NetworkScores:
        """Score the ranking and the returned edges against true edges; see `score_network`.

        Args:
            truth: true edges (regulator, target).
            covered: genes whose targets the truth covers, booleans (gene,); all if None.
            self_loops: whether pairs of a gene with itself count.
            covered_targets: genes whose regulators the truth covers, booleans (gene,); all if None.
        """
        # Rows and columns that do not count need not be compared at all.
        rows, columns = (
            np.arange(len(self.genes)) if part is None else np.flatnonzero(part) for part in (covered, covered_targets)
        )
        block = np.ix_(rows, columns)
        return _score(
            np.abs(self.scores[block]).astype(np.float32),
            np.asarray(np.asarray(truth)[block], np.float32),
            self._in_prior[block].astype(np.float32),
            self.returned[block],
            np.ones((len(rows), len(columns)), bool) if self_loops else rows[:, None] != columns,
        )

    def to_anndata(self, adata: anndata.AnnData, **settings: Any) -> None:
        """Write edges, numbers of targets and regulators, and cells' regulator activities into an AnnData.

        See `dashjax.networks.to_anndata` for where they go, and for the settings layer, gene_symbols and least_targets.
        """
        to_anndata(self, adata, **settings)

    # --- dynamics --------------------------------------------------------------------------------------------

    @property
    def field(self) -> AbstractField:
        """The first member's field, which saw all trajectories, in training units.

        Raises:
            InputError: where the method fits none.
        """
        return self._member(0)

    @property
    def members(self) -> int:
        """How many fields there are."""
        return 0 if self.fields is None else jax.tree.leaves(self.fields)[0].shape[0]

    def _member(self, number: int) -> AbstractField:
        if self.fields is None:
            raise InputError(f"{self.how.get('method', 'the method')} fits no dynamics", "network")
        return jax.tree.map(lambda leaf: leaf[number], self.fields)

    def dynamics(self, edges_only: bool = False) -> list[InUnits]:
        """Return every member's dynamics in the user's units.

        Args:
            edges_only: whether to drop what an edge-resolved field has beyond the returned edges.

        Raises:
            InputError: where edges cannot be told apart, or the method fits no dynamics.
        """
        fields = [self._member(number) for number in range(max(1, self.members))]
        if edges_only:
            if not all(isinstance(member, Direct) for member in fields):
                raise InputError("hidden units join the edges; it needs an edge-resolved method", "edges_only")
            fields = [along_edges(member, jnp.asarray(self.acting)) for member in fields]  # type: ignore[arg-type]
        return [InUnits(member, self.units) for member in fields]

    def predict(self, times: Sequence[float], starts: Any, edges_only: bool = False) -> pd.DataFrame:
        """Return the expression that follows from some starts, averaged over members.

        Args:
            times: increasing, the first being the start, in the user's unit.
            starts: states to start from, in the user's units: a frame (start × gene), a path, an AnnData, trajectories
                (their first states) or an array (start, gene).
            edges_only: see `dynamics`.

        Returns:
            A tidy frame with columns trajectory, time and one per gene.

        Raises:
            InputError: on times that do not increase, or starts that lack a gene.
        """
        import pandas as pd

        from dashjax.networks.starts import read_starts

        grid = np.asarray(times, float)
        if grid.ndim != 1 or len(grid) < 2 or not (np.diff(grid) > 0).all():
            raise InputError("needs at least two times, each later than the one before", "times")
        names, states = read_starts(starts, self.genes)
        paths = predict_members(self.dynamics(edges_only), jnp.asarray(states), jnp.asarray(grid))
        table = pd.DataFrame(paths.reshape(-1, len(self.genes)), columns=list(self.genes))
        table.insert(0, "time", np.tile(grid, len(names)))
        table.insert(0, "trajectory", np.repeat(np.asarray(names, dtype=object), len(grid)))
        return table

    def perturb(
        self,
        knock_out: Sequence[str] = (),
        over_express: Mapping[str, float] | None = None,
        starts: Any = None,
        times: Sequence[float] | None = None,
        edges_only: bool = False,
        seed: int = 0,
        knock_down: Mapping[str, float] | None = None,
    ) -> pd.DataFrame:
        """Change genes and say who responds over time, directly or downstream.

            network.perturb(knock_out=["GATA1"], over_express={"TAL1": 1.5}, starts=adata)
            network.perturb(knock_down={"GATA1": 0.5})

        Args:
            knock_out: genes to hold without expression: at zero, or where zero means average (logarithms of ratios,
                z-scores) at the lowest level that was seen, see `floor`.
            over_express: genes to hold, with their levels.
            starts: as `predict`; random states of the trained range if None.
            times: when to look, the first being the start; five relaxation times of the median gene if None.
            edges_only: see `dynamics`.
            seed: of random starts.
            knock_down: genes, with the share of their production that is left.

        Returns:
            See `response_table`.

        Raises:
            InputError: on unknown or repeated genes, or nothing to perturb.
        """
        from dashjax.questions import response_table

        response, changed = self.respond(
            knock_out, over_express or {}, starts, times, edges_only, seed, knock_down or {}
        )
        return response_table(response, self.acting, changed, self.genes)

    def respond(
        self,
        knock_out: Sequence[str],
        over_express: Mapping[str, float],
        starts: Any = None,
        times: Sequence[float] | None = None,
        edges_only: bool = False,
        seed: int = 0,
        knock_down: Mapping[str, float] | None = None,
    ) -> tuple[Response, np.ndarray]:
        """Return the trajectories behind `perturb`, and which genes are changed."""
        from dashjax.networks.starts import asked_change, starts_or_random

        change = asked_change(self.genes, knock_out, knock_down or {}, over_express, self.floor)
        dynamics = self.dynamics(edges_only)
        states, grid = starts_or_random(self, starts, times, seed)
        acting = None if (change.factor == 1).all() else self._production(change)
        response = perturb_members(dynamics, jnp.asarray(states), jnp.asarray(grid), jnp.asarray(change.levels), acting)
        if not np.isfinite(response.mean).all():
            raise InputError(f"{_NOT_FINITE}, or an earlier last time")
        return response, change.named

    def at_rest(
        self,
        knock_out: Sequence[str] = (),
        over_express: Mapping[str, float] | None = None,
        knock_down: Mapping[str, float] | None = None,
        starts: Any = None,
        edges_only: bool = False,
    ) -> pd.DataFrame:
        """Predict the levels at which genes settle under interventions, with an interval.

            network.at_rest(knock_out=["GATA1", "TAL1"])

        What was measured of interventions at rest is used as measured, less its noise, and adds up; the model adds what
        nobody measured; see `dashjax.questions.predict_rest`. Where nothing was measured, the interval is the members'
        spread alone.

        Args:
            knock_out: see `perturb`.
            over_express: see `perturb`.
            knock_down: see `perturb`.
            starts: states whose mean is settled from, as `predict`; the usual state at rest, or where none was measured
                the middle of the trained range, if None.
            edges_only: see `dynamics`.

        Returns:
            A frame in the genes' order with columns gene; usual, the level without the interventions; level, that with
            them, and low and high around 90 % of it; change, from usual to level.

        Raises:
            InputError: on unknown or repeated genes, nothing to change, or dynamics that do not stay finite.
        """
        import pandas as pd

        from dashjax.networks.starts import asked_change, read_starts

        change = asked_change(self.genes, knock_out, knock_down or {}, over_express or {}, self.floor)
        members = [one.field for one in self.dynamics(edges_only)]
        if starts is not None:
            begin = self.units.scaled_levels(jnp.asarray(read_starts(starts, self.genes)[1], jnp.float32)).mean(axis=0)
        else:
            begin = jnp.full(len(self.genes), 0.5) if self.measured is None else self.measured.usual
        # In training units, those of the fields and of what was measured.
        done = self.units.scaled_production(self._production(change))
        assert done is not None
        told = predict_rest(members, np.asarray(done.factor[0]), np.asarray(done.level[0]), begin, self.measured)
        if not np.isfinite(told.level).all():
            raise InputError(_NOT_FINITE)
        usual, level = (np.asarray(self.units.levels(part)) for part in (told.usual, told.level))
        wide = INTERVAL * np.asarray(told.deviation * self.units.scale)
        # Nothing is below no expression, where zero means that.
        least = -np.inf if self.floor is not None and self.floor.any() else np.minimum(usual, 0.0)
        level, low, high = (np.maximum(part, least) for part in (level, level - wide, level + wide))
        held = ~np.isnan(change.levels)
        level, low, high = (np.where(held, change.levels, part) for part in (level, low, high))
        return pd.DataFrame(
            {"gene": list(self.genes), "usual": usual, "level": level, "low": low, "high": high,
             "change": level - usual}
        )  # fmt: skip

    def _production(self, change: Change) -> Production:
        """Return what is asked to be done as a change of production, in the user's units, one row."""
        held, floor = ~np.isnan(change.levels), np.zeros(len(self.genes)) if self.floor is None else self.floor
        factor = np.where(held, 0.0, change.factor)
        level = np.where(held, change.levels, (1 - factor) * floor)
        return Production(jnp.asarray(factor[None], jnp.float32), jnp.asarray(level[None], jnp.float32))

    def influence(
        self, starts: Any = None, times: Sequence[float] | None = None, push: float = 0.1, seed: int = 0, **options
    ) -> pd.DataFrame:
        """Rank genes by how far a push of each carries through the first member's dynamics.

        Args:
            starts: as `perturb`.
            times: as `perturb`.
            push: share of the gene's trained range that is added to its level.
            seed: of random starts.
            **options: `edges_only`, and `on_genes` that is told of progress.

        Returns:
            See `influence_table`.
        """
        from dashjax.questions import influence_table

        measured = self.measure_influence(starts, times, push, seed, **options)
        return influence_table(measured, self.acting, self.genes)

    def measure_influence(
        self, starts: Any = None, times=None, push: float = 0.1, seed: int = 0, edges_only: bool = False, **options
    ) -> Influence:
        """Return the influence behind `influence`, in training units: those make genes of all units comparable."""
        from dashjax.networks.starts import starts_or_random

        states, grid = starts_or_random(self, starts, times, seed)
        member = self.dynamics(edges_only)[0]
        assert isinstance(member.field, AbstractField)
        scaled, when = self.units.scaled_levels(states), (grid - grid[0]) / float(self.units.time)
        return measure_influence(member.field, scaled, when, push, self.genes, **options)

    # --- files -----------------------------------------------------------------------------------------------

    def save(self, path) -> None:
        """Save the network whole: one npz of plain arrays, never a pickle; `load_network` brings it back."""
        from dashjax.networks.network_file import save_network

        save_network(path, self)

    def with_findings(self, findings: Sequence[Finding]) -> Network:
        """Return the network with what the checks found."""
        return replace(self, findings=tuple(findings))


@jax.jit
def _score(network, truth, prior, predicted, pairs):
    return score_network(network, truth, prior, predicted, pairs)


def make_network(
    problem: Problem,
    arrays: Mapping[str, np.ndarray],
    how: Mapping[str, Any],
    spec: AbstractSpec | None = None,
    members: Sequence[Mapping[str, np.ndarray]] = (),
    precision: float = 0.9,
) -> Network:
    """Put a network together from what a fit left.

    Args:
        problem: what was known before.
        arrays: by name, as the engine keeps them: `ranking` of a rival; `field_…` and curves of a run; `posterior_…`,
            `frequency` and `agreement` of an ensemble.
        how: method, settings and outcome.
        spec: what builds the field.
        members: arrays of an ensemble's members; the run itself if empty.
        precision: see `Network`.
    """
    fields = posterior = None
    if spec is not None:
        runs = members or [arrays]
        stacked = {
            name.removeprefix("field_"): np.stack([run[name] for run in runs])
            for name in arrays
            if name.startswith("field_")
        }
        fields = field_of_arrays(spec, len(problem.genes), stacked)
    if "posterior_probability" in arrays:
        parts = {name: arrays[f"posterior_{name}"] for name in EdgePosterior.__dataclass_fields__}
        mixture = EdgePosterior(**parts)  # type: ignore[arg-type]
        posterior = EnsemblePosterior(mixture, arrays["frequency"], arrays["agreement"])  # type: ignore[arg-type]
    ranking = arrays.get("ranking")
    curves = {name: arrays[name] for name in CURVES if name in arrays}
    return Network(
        problem.genes, problem.units, problem.prior, problem.regulators, spec, fields, posterior, ranking, precision,
        curves, _counted(problem) | dict(how), problem.findings, measured_effects(problem.rest), problem.floor,
    )  # fmt: skip


def _counted(problem: Problem) -> dict[str, int]:
    """Return how many trajectories and samples at rest there were."""
    return {"trajectories": problem.observed.n_trajectories, "samples": len(problem.samples)}


#: Names of the curves that a run keeps.
CURVES = ("train_error", "validation_error", "learning_rate", "pruned")
