"""Levels of samples at rest without their noise, as far as interventions tell what is noise.

After a stated intervention most genes stay where they were: what differs from the usual level by no more than others do
is error of measurement, and would as a regulator's level do harm (in 99 of 100 knock-outs a regulator's variation is
nothing else). A shift is a mixture of no shift and a wide normal one. Their share and width, common to all genes, and
each gene's usual level and noise are fitted by expectation maximisation, a gene's noise with some strength borrowed
from all (Smyth 2004); what counts is a shift's posterior mean (Johnstone & Silverman, "Needles and straw in
haystacks", 2004). Samples of which nothing is stated, as of patients or strains, may all differ; where they do, they
count as they are.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from dashjax.data.interventions import RestSamples

#: Steps of expectation maximisation.
STEPS = 60
#: Samples' worth of the noise common to all genes that each gene's own is estimated with.
BORROWED = 4.0
#: Least noise, and least variance of real shifts in squares of the common noise.
LEAST, NARROWEST = 1e-5, 4.0
#: Median absolute deviations in a standard deviation of a normal distribution.
MEDIAN_DEVIATION = 1.4826
#: Samples with a stated intervention from which on these tell what is noise.
FEW_STATED = 5
#: Noise by which samples of which nothing is stated differ, from which on they differ indeed.
VARIED = 2.0


class Settled(eqx.Module):
    """Samples at rest, told apart from their noise.

    Attributes:
        usual: level of every gene where nothing was done to it.
        noise: standard deviation of the measurements around it.
        levels: of every gene in every sample, without noise.
        error: standard deviation of what these levels are not known by.
        varied: samples that differ in more than noise though nothing is stated of them; their levels are as measured.
    """

    usual: Float[Array, " gene"]
    noise: Float[Array, " gene"]
    levels: Float[Array, "sample gene"]
    error: Float[Array, "sample gene"]
    varied: Bool[Array, " sample"]


@jax.jit
def settle(rest: RestSamples) -> Settled:
    """Return the levels that regulators had in samples at rest; see the module."""
    acting, levels = rest.acting, rest.levels
    free = rest.counted & ~acting.touched
    # An input that is held in every sample, as a stimulus is at zero, makes none of them a stated one.
    inputs = acting.touched.all(axis=0)
    stated = (acting.touched & ~inputs).any(axis=1)
    telling = jnp.where(stated.sum() >= FEW_STATED, stated, True)
    seen = jnp.where(free & telling[:, None], levels, jnp.nan)
    usual = jnp.where(inputs, jnp.median(levels, axis=0), jnp.nan_to_num(jnp.nanmedian(seen, axis=0)))
    noise = MEDIAN_DEVIATION * jnp.nan_to_num(jnp.nanmedian(jnp.abs(seen - usual), axis=0))
    noise = jnp.maximum(noise, LEAST)
    score = (levels - usual) / noise

    square = jnp.mean(score**2, axis=0, where=free & ~stated[:, None])
    differ = (jnp.nanmedian(square) > VARIED**2) & ((~stated).sum() >= 3)
    varied = ~stated & (differ | (stated.sum() < FEW_STATED))
    fitting = free & ~varied[:, None]
    count = jnp.maximum(fitting.sum(axis=0), 1)

    def moved(share, width, usual, noise):
        """Return the probability that a level moved, and what is left of its shift."""
        ratio = width / noise**2
        log_odds = jnp.log(share / (1 - share)) - 0.5 * jnp.log1p(ratio)
        log_odds = log_odds + 0.5 * ((levels - usual) / noise) ** 2 * ratio / (1 + ratio)
        probability = jax.nn.sigmoid(log_odds)
        return probability, probability * ratio / (1 + ratio)

    def step(fitted, _):
        share, width, usual, noise = fitted
        probability, _ = moved(share, width, usual, noise)
        shifted, still = probability * fitting, (1 - probability) * fitting
        total = jnp.maximum(shifted.sum(), 1e-6)
        common = jnp.median(noise)
        width = jnp.maximum(jnp.sum(shifted * (levels - usual) ** 2) / total - common**2, NARROWEST * common**2)
        share = jnp.clip(total / count.sum(), 1e-3, 0.5)
        usual = jnp.where(still.sum(axis=0) > 0.5, (still * levels).sum(axis=0) / (still.sum(axis=0) + 1e-9), usual)
        square = (still * (levels - usual) ** 2).sum(axis=0) + BORROWED * common**2
        noise = jnp.sqrt(square / jnp.maximum(still.sum(axis=0) - 1 + BORROWED, 1.0))
        return (share, width, usual, jnp.maximum(noise, LEAST)), None

    first = jnp.asarray(0.1), 25 * jnp.median(noise) ** 2, usual, noise
    # Of samples that all vary nothing tells noise from the rest.
    fitted = jax.lax.scan(step, first, length=STEPS)[0]
    enough = fitting.any(axis=1).sum() >= FEW_STATED
    share, width, usual, noise = jax.tree.map(lambda now, before: jnp.where(enough, now, before), fitted, first)
    probability, kept = moved(share, width, usual, noise)
    # A level moved, and is then known up to noise, or did not.
    unsure = kept * noise**2 + (1 - probability) / jnp.maximum(probability, 1e-6) * (kept * (levels - usual)) ** 2
    error = jnp.where(free & ~varied[:, None], jnp.sqrt(unsure), jnp.where(acting.factor == 0, 0.0, noise))
    without = jnp.where(varied[:, None], levels, usual + kept * (levels - usual))
    # What a gene was held at is known; what is left of its production is seen by its level alone.
    held = jnp.where(acting.factor == 0, acting.level, levels)
    found = jnp.where(acting.touched, held, jnp.where(free, without, usual))
    return Settled(usual, noise, found, error, varied)
