"""Gene influence: how far a push of one gene carries through the fitted dynamics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from dashjax.dynamics import AbstractDynamics, AbstractField, FixedSteps, integrate, solve_trajectories
from dashjax.dynamics.solve import Solve
from dashjax.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

#: Relaxation times (1/decay of the median gene) that are followed, and at how many times they are looked at.
RELAXATIONS, POINTS = 5.0, 10

#: Of a gene's range; beyond this there is a mistake.
LARGEST_PUSH = 1e6


class Influence(eqx.Module):
    """Influence of genes on all others.

    Attributes:
        mean: over starts.
        standard_error: of that mean; NaN for a single start.
    """

    mean: Float[Array, " gene"]
    standard_error: Float[Array, " gene"]


def random_starts(key: PRNGKeyArray, starts: int, genes: int) -> Float[Array, "start gene"]:
    """Draw states U(0, 1), as the paper does (DASH, appendix)."""
    return jax.random.uniform(key, (starts, genes))


def response_times(field: AbstractDynamics, horizon: float | None = None) -> Float[Array, " time"]:
    """Return `POINTS` equally spaced times after 0, and 0 itself.

    Args:
        field: the dynamics.
        horizon: the last of them; if None, `RELAXATIONS` relaxation times of the median gene that decays, so that it
            does not depend on the unit of time.
    """
    if horizon is None:
        decay = np.asarray(field.decay())
        horizon = RELAXATIONS / float(np.median(decay[decay > 0])) if (decay > 0).any() else RELAXATIONS
    return jnp.linspace(0.0, horizon, POINTS + 1)


def has_influence(field: AbstractField) -> Bool[Array, " gene"]:
    """Return which genes have any weight into the field; the influence of the others is exactly zero."""
    acting = jnp.any(field.layers()[0] != 0, axis=(0, 1))
    return acting if field.inputs is None else jnp.zeros(field.decay().size, bool).at[field.inputs].set(acting)


def gene_influence(
    field: AbstractDynamics,
    starts: Float[Array, "start gene"],
    times: Float[Array, " time"],
    genes: Int[Array, " chosen"] | None = None,
    push: float = 0.1,
    method: Solve | None = None,
    batch_size: int = 4,
) -> Influence:
    """Push one gene at the first time and average |Δ| of all others over the later times (DASH, appendix).

        influence = jax.jit(gene_influence)(field, random_starts(key, 200, k), response_times(field))

    Memory is (time + a few · batch_size) × start × gene numbers, whatever the number of genes chosen.

    Examples:
        >>> from dashjax import DirectSpec
        >>> field = DirectSpec().init(jax.random.key(0), 3)
        >>> gene_influence(field, jnp.full((4, 3), 0.5), jnp.array([0.0, 1.0, 2.0])).mean.shape
        (3,)

    Args:
        field: the dynamics.
        starts: states to push from.
        times: increasing, the first when the gene is pushed.
        genes: whose influence is wanted; everyone's if None.
        push: added to the gene's expression.
        method: how to solve from time to time; one exponential midpoint step if None.
        batch_size: genes that are followed at once.
    """
    method = FixedSteps(1) if method is None else method
    count = starts.shape[1]

    def of_gene(gene):
        others = jnp.arange(count) != gene

        def follow(state, interval):
            duration, reference = interval
            state, _ = integrate(field, state, jnp.broadcast_to(duration, state.shape[:1]), method)
            return state, jnp.sum(jnp.abs(state - reference), axis=-1, where=others)

        pushed = starts.at[:, gene].add(push)
        _, change = jax.lax.scan(follow, pushed, (jnp.diff(times), unpushed[1:]))
        of_start = jnp.mean(change, axis=0) / (count - 1)
        return Influence(jnp.mean(of_start), jnp.std(of_start, ddof=1) / len(starts) ** 0.5)

    # Δ is a small difference of states, so they must not be rounded to an accelerator's coarser products.
    with jax.default_matmul_precision("highest"):
        unpushed = jnp.moveaxis(solve_trajectories(field, starts, times[None], method), 1, 0)
        return jax.lax.map(of_gene, jnp.arange(count) if genes is None else genes, batch_size=batch_size)


def influence_table(influence: Influence, network: np.ndarray, genes: Sequence[str]) -> pd.DataFrame:
    """Return genes with their influence and what they regulate, the most influential first.

    Args:
        influence: of all genes.
        network: signed weights (regulator, target); self loops do not count.
        genes: names in the arrays' order.

    Returns:
        A frame with columns gene, influence, standard_error, out_degree, activates and represses (the targets by sign),
        and total_effect, the sum of the magnitudes of the gene's weights. Regulators are the rows of non-zero
        out_degree.
    """
    import pandas as pd

    network = np.where(np.eye(len(genes), dtype=bool), 0.0, np.asarray(network))
    table = pd.DataFrame(
        {
            "gene": list(genes),
            "influence": np.asarray(influence.mean),
            "standard_error": np.asarray(influence.standard_error),
            "out_degree": (network != 0).sum(axis=1),
            "activates": (network > 0).sum(axis=1),
            "represses": (network < 0).sum(axis=1),
            "total_effect": np.abs(network).sum(axis=1),
        }
    )
    return table.sort_values(["influence", "total_effect"], ascending=False, kind="stable", ignore_index=True)


#: Called with genes done, genes to do, and a few words.
OnGenes = Callable[[int, int, str], None]
#: Genes between two progress reports.
GENES_PER_CALL = 32


def measure_influence(
    field: AbstractField,
    starts: Float[Array, "start gene"],
    times: Float[Array, " time"],
    push: float,
    genes: Sequence[str],
    on_genes: OnGenes = lambda done, total, text: None,
) -> Influence:
    """Return the influence of all genes; those without any weight into the field are not simulated.

    Args:
        field: the dynamics.
        starts: states to push from.
        times: see `gene_influence`.
        push: added to a gene's expression.
        genes: their names.
        on_genes: told of progress.

    Raises:
        InputError: on a push of zero, a single gene, or a model that does not stay finite.
    """
    if not 0 < abs(push) <= LARGEST_PUSH:
        raise InputError(f"must be a number other than zero, at most {LARGEST_PUSH:,.0f}, got {push:g}", "push")
    if len(genes) < 2:
        raise InputError("influence: a single gene has none to influence")
    field = field.compact()
    acting = np.flatnonzero(np.asarray(has_influence(field)))
    measure = jax.jit(gene_influence)
    mean, error = np.zeros(len(genes)), np.zeros(len(genes))
    on_genes(0, len(acting), "")
    for begin in range(0, len(acting), GENES_PER_CALL):
        chosen = acting[begin : begin + GENES_PER_CALL]
        # Filled up to one length, so that one program serves.
        padded = np.resize(chosen, GENES_PER_CALL)
        piece = measure(field, jnp.asarray(starts), jnp.asarray(times), jnp.asarray(padded), push)
        mean[chosen] = np.asarray(piece.mean)[: len(chosen)]
        error[chosen] = np.asarray(piece.standard_error)[: len(chosen)]
        on_genes(begin + len(chosen), len(acting), "")
    if not np.isfinite(mean).all():
        gene = genes[int(np.argmax(~np.isfinite(mean)))]
        raise InputError(f"influence: the model does not stay finite when '{gene}' is pushed; try an earlier last time")
    return Influence(mean, error)  # type: ignore[arg-type]
