"""In-silico knock-outs, over-expression and their combinations, and whom they reach along the network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from dashjax.data import Production
from dashjax.dynamics import AbstractDynamics, FixedSteps, solve_trajectories, under
from dashjax.dynamics.solve import Solve

if TYPE_CHECKING:
    import pandas as pd

#: How a perturbation reaches a gene: it is held itself, by an edge, by a longer path, or not at all.
RELATIONS = ("perturbed", "direct", "downstream", "unconnected")

#: Share of the strongest response below which a gene is not drawn, and of the levels below which it is rounding.
SMALL_RESPONSE, ROUNDING = 0.02, 1e-6
#: How responses and predictions are integrated from one of their times to the next: a tenth of what is followed.
SOLVE = FixedSteps(3)


class Clamped(AbstractDynamics):
    """Dynamics in which some genes stay at the level they start from, whatever regulates them.

    Attributes:
        dynamics: of all genes.
        held: which genes stay.
    """

    dynamics: AbstractDynamics
    held: Bool[Array, " gene"]

    def regulation(self, expression: Float[Array, "*batch gene"]) -> Float[Array, "*batch gene"]:
        """Return the level towards which each gene is driven if it is not held."""
        return self.dynamics.regulation(expression)

    def decay(self) -> Float[Array, " gene"]:
        """Return each gene's rate, zero for held ones: they neither decay nor are produced."""
        return jnp.where(self.held, 0.0, self.dynamics.decay())


class Response(eqx.Module):
    """Trajectories with and without a perturbation, from the same starts.

    Attributes:
        times: increasing, the first when the perturbation begins.
        unperturbed: expression without it.
        perturbed: expression with it.
    """

    times: Float[Array, " time"]
    unperturbed: Float[Array, "start time gene"]
    perturbed: Float[Array, "start time gene"]

    @property
    def of_starts(self) -> Float[Array, "start gene"]:
        """Return Δ of each gene from each start, averaged over the later times."""
        return jnp.mean((self.perturbed - self.unperturbed)[:, 1:], axis=1)

    @property
    def mean(self) -> Float[Array, " gene"]:
        """Return Δ averaged over starts and later times."""
        return jnp.mean(self.of_starts, axis=0)

    @property
    def final(self) -> Float[Array, " gene"]:
        """Return Δ at the last time, averaged over starts."""
        return jnp.mean((self.perturbed - self.unperturbed)[:, -1], axis=0)


def perturb(
    dynamics: AbstractDynamics,
    starts: Float[Array, "start gene"],
    times: Float[Array, " time"],
    levels: Float[Array, " gene"],
    method: Solve | None = None,
    acting: Production | None = None,
) -> Response:
    """Hold genes at given levels from the first time on, and follow all others.

    A knocked-out gene is held at 0, as in a strain that lacks it, an over-expressed one at a level of its own, as under
    a promoter that nothing regulates. Production alone is not switched off or multiplied: a gene that the model gives
    no decay, as it does inputs, would not notice.

        levels = jnp.full(k, jnp.nan).at[gene].set(0.0)
        response = jax.jit(perturb)(field, starts, response_times(field), levels)

    Examples:
        >>> from dashjax import DirectSpec
        >>> field, levels = DirectSpec().init(jax.random.key(0), 3), jnp.array([0.0, jnp.nan, jnp.nan])
        >>> response = perturb(field, jnp.full((4, 3), 0.5), jnp.array([0.0, 1.0]), levels)
        >>> response.perturbed.shape, response.perturbed[:, -1, 0].tolist()
        ((4, 2, 3), [0.0, 0.0, 0.0, 0.0])

    Args:
        dynamics: a fitted field.
        starts: states to start from, as they are without the perturbation.
        times: when to look; the first is the start.
        levels: of the held genes; NaN leaves a gene free.
        method: how to solve from time to time; `SOLVE` if None.
        acting: what is done to the production of genes that are not held, one row for all starts; nothing if None.
    """
    method = SOLVE if method is None else method
    held = ~jnp.isnan(levels)
    changed = jnp.where(held, levels, starts)
    # A response is a small difference of states, so they must not be rounded to an accelerator's coarser products.
    with jax.default_matmul_precision("highest"):
        return Response(
            times,
            solve_trajectories(dynamics, starts, times[None], method),
            solve_trajectories(Clamped(under(dynamics, acting), held), changed, times[None], method),
        )


def predict_members(
    members: Sequence[AbstractDynamics],
    starts: Float[Array, "start gene"],
    times: Float[Array, " time"],
) -> Float[np.ndarray, "start time gene"]:
    """Return the trajectories that follow from some starts, averaged over an ensemble's members."""
    return member_paths(members, starts, jnp.asarray(times)[None]).mean(axis=0)


def member_paths(
    members: Sequence[AbstractDynamics],
    starts: Float[Array, "start gene"],
    times: Float[Array, "#start time"],
) -> Float[np.ndarray, "member start time gene"]:
    """Return the trajectories that follow from some starts by each of an ensemble's members."""
    follow = jax.jit(solve_trajectories, static_argnums=3)
    states, grid = jnp.asarray(starts, jnp.float32), jnp.asarray(times, jnp.float32)
    return np.stack([np.asarray(follow(member, states, grid, SOLVE)) for member in members])


def perturb_members(
    members: Sequence[AbstractDynamics],
    starts: Float[Array, "start gene"],
    times: Float[Array, " time"],
    levels: Float[Array, " gene"],
    acting: Production | None = None,
) -> Response:
    """Return the response to a perturbation of every member from every start, as so many starts.

    Their spread is then that between starts and between members.
    """
    respond = jax.jit(perturb)
    states, grid = jnp.asarray(starts, jnp.float32), jnp.asarray(times, jnp.float32)
    held = jnp.asarray(levels, jnp.float32)
    found = [respond(member, states, grid, held, acting=acting) for member in members]
    paths = [jnp.concatenate([getattr(one, name) for one in found]) for name in ("unperturbed", "perturbed")]
    return Response(grid, *paths)


def path_lengths(network: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """Return the fewest edges from any source to each gene, infinite where there is no path.

    Args:
        network: edges (regulator, target), non-zero.
        sources: booleans (gene,), at distance 0.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    edges = csr_array((np.asarray(network) != 0).astype(float))
    return dijkstra(edges, unweighted=True, indices=np.flatnonzero(sources), min_only=True)


def response_table(
    response: Response, network: np.ndarray, perturbed: np.ndarray, genes: Sequence[str]
) -> pd.DataFrame:
    """Return genes with their response and how the perturbation reaches them, the strongest response first.

    Args:
        response: to the perturbation.
        network: signed weights (regulator, target).
        perturbed: which genes are held, booleans (gene,).
        genes: names in the arrays' order.

    Returns:
        A frame with columns gene; relation, `perturbed`, `direct` (an edge from a perturbed gene), `downstream` (a
        longer path) or `unconnected`; path_length, the fewest edges; response, Δ averaged over starts and later times,
        spread, its standard deviation over starts and members, response_low and response_high, which nine in ten of
        them lie between; final, Δ at the last time; unperturbed and perturbed, the mean
        levels then. Perturbed genes stand on top.
    """
    import pandas as pd

    length = path_lengths(network, perturbed)
    steps = np.select([np.isinf(length)], [3], np.minimum(length, 2)).astype(int)
    table = pd.DataFrame(
        {
            "gene": list(genes),
            "relation": np.array(RELATIONS, dtype=object)[steps],
            "path_length": pd.array(np.where(np.isinf(length), np.nan, length), dtype="Int64"),
            "response": np.asarray(response.mean),
            "spread": np.asarray(jnp.std(response.of_starts, axis=0)),
            "response_low": np.quantile(np.asarray(response.of_starts), 0.05, axis=0),
            "response_high": np.quantile(np.asarray(response.of_starts), 0.95, axis=0),
            "final": np.asarray(response.final),
            "unperturbed": np.asarray(response.unperturbed[:, -1]).mean(axis=0),
            "perturbed": np.asarray(response.perturbed[:, -1]).mean(axis=0),
        }
    )
    order = np.lexsort((-np.abs(table["response"].to_numpy()), ~np.asarray(perturbed, bool)))
    return table.iloc[order].reset_index(drop=True)


def responders(table: pd.DataFrame) -> pd.DataFrame:
    """Return the genes whose response is worth a bar, the strongest first.

    Args:
        table: of `response_table`.
    """
    others = table[table["relation"] != "perturbed"]
    size = others["response"].abs()
    least = ROUNDING * max(1e-12, table["unperturbed"].abs().max())
    return others[(size > least) & (size >= SMALL_RESPONSE * size.max())]
