"""One posterior from several fits: what they agree on, and how far."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from dashjax.data import Prior, RestSamples, Trajectories
from dashjax.dynamics import AbstractField
from dashjax.dynamics.solve import Solve
from dashjax.evidence.edge_posterior import EdgePosterior
from dashjax.evidence.kinds import AbstractEvidence, AlongPaths
from dashjax.evidence.posterior import PosteriorConfig, edge_posterior, edges_at_precision


class EnsemblePosterior(eqx.Module):
    """The members' posteriors, averaged and compared.

    Attributes:
        posterior: their mixture; `spread` holds the spread within and between members.
        frequency: share of members that return the edge at the asked precision.
        agreement: share of members that give it the sign most of them give.
    """

    posterior: EdgePosterior
    frequency: Float[Array, "regulator target"]
    agreement: Float[Array, "regulator target"]


def ensemble_posterior(
    key: PRNGKeyArray,
    fields: AbstractField,
    observed: Trajectories,
    prior: Prior,
    precision: float = 0.9,
    solve: Solve | None = None,
    config: PosteriorConfig | None = None,
    regulators: Bool[Array, " gene"] | None = None,
    evidence: AbstractEvidence | None = None,
    rest: RestSamples | None = None,
) -> EnsemblePosterior:
    """Weigh the evidence once along each member's paths, and average.

    Members differ in how they smooth the observations, which is the part of the uncertainty that one posterior does
    not know of; averaging over them brings probabilities closer to frequencies.

    Examples:
        >>> from dashjax import DirectSpec, make_prior, make_trajectories
        >>> levels = jax.random.uniform(jax.random.key(0), (6, 3, 3))
        >>> courses = make_trajectories([[0, 1, 2]] * 6, list(levels))
        >>> fields = jax.vmap(lambda key: DirectSpec().init(key, 3))(jax.random.split(jax.random.key(0), 2))
        >>> found = ensemble_posterior(jax.random.key(1), fields, courses, make_prior(jnp.zeros((3, 3))))
        >>> found.posterior.probability.shape, found.frequency.shape
        ((3, 3), (3, 3))

    Args:
        key: for the chains.
        fields: the members' fields, every leaf with a leading member axis.
        observed: all trajectories as observed, not resampled.
        prior: prior edges.
        precision: expected precision of the edge sets whose overlap `frequency` counts.
        solve: how to integrate while initial states are estimated.
        config: how long to sample.
        regulators: which genes may regulate; all if None.
        evidence: along what it is weighed, `AlongPaths()` if None.
        rest: samples at rest as observed.
    """
    evidence = AlongPaths() if evidence is None else evidence
    count = jax.tree.leaves(fields)[0].shape[0]
    # The same for all members, and so outside of their loop.
    courses = evidence.prepare(observed) if observed.n_trajectories else ()

    def member(key_and_field):
        key, field = key_and_field
        return edge_posterior(key, field, observed, prior, solve, config, regulators, evidence, courses, rest)

    return mix_posteriors(jax.lax.map(member, (jax.random.split(key, count), fields)), precision)


@jax.jit
def mix_posteriors(posteriors: EdgePosterior, precision: float) -> EnsemblePosterior:
    """Average the members' posteriors, and say how far they agree.

    Args:
        posteriors: of the members, every leaf with a leading member axis.
        precision: expected precision of the edge sets whose overlap `frequency` counts.
    """
    returned = jax.lax.map(lambda probability: edges_at_precision(probability, precision), posteriors.probability)
    mean = jax.tree.map(lambda leaf: leaf.mean(axis=0), posteriors)
    spread = jnp.sqrt(jnp.mean(posteriors.spread**2, axis=0) + jnp.var(posteriors.effect, axis=0))
    # A sign counts as often as the member believes in the edge.
    weight = posteriors.probability.sum(axis=0)
    activation = jnp.sum(posteriors.activation * posteriors.probability, axis=0)
    activation = jnp.where(weight > 0, activation / jnp.where(weight > 0, weight, 1.0), 0.5)
    activating = jnp.mean(posteriors.activation > 0.5, axis=0)
    mixture = eqx.tree_at(lambda p: (p.spread, p.activation), mean, (spread, activation))
    return EnsemblePosterior(mixture, returned.mean(axis=0), jnp.maximum(activating, 1 - activating))
