"""Claim: on simulated systems too large for forests to be run whole, ours ranks edges better and sooner.

Every method sees the same trajectories of a generated system (160 of five times, noise sd .025 and .05). GENIE3 and
dynGENIE3 treat one target after the other, so both run on a random sample of the targets with all their trees, and
their seconds are multiplied by genes/targets (`seconds`; `seconds_measured` is what they took). All are scored on the
edges of those targets; ours and ridge also on all (`aupr_all`). Methods take turns in one process on the same cores.

    python benchmarks/large_systems.py [--genes 350,1000] [--noise 0.025,0.05] [--targets 50] [--priors none,0.2]
"""

from __future__ import annotations

import argparse
import time
from functools import partial

import jax.numpy as jnp
import numpy as np
from common import save

from dashjax.data import make_prior
from dashjax.inference import infer
from dashjax.problems import load_problems
from dashjax.rivals import RIVALS, prior_first
from dashjax.rivals.forests import dyngenie3_network, genie3_network
from dashjax.scoring import edge_universe, score_network
from dashjax.simulate import relocate_edges

OURS = "posterior"


def main() -> None:
    """Run methods in turn and write the results after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--genes", default="350,1000")
    parser.add_argument("--noise", default="0.025,0.05")
    parser.add_argument("--targets", type=int, default=50)
    parser.add_argument("--priors", default="none,0.2")
    parser.add_argument("--epochs", type=int, default=60)
    arguments = parser.parse_args()
    rows: list[dict] = []
    for genes in arguments.genes.split(","):
        for noise in arguments.noise.split(","):
            (problem,) = load_problems("simulated", only=f"simulated {genes}, noise {float(noise):g}")
            sample = np.sort(np.random.default_rng([11, 9]).permutation(int(genes))[: arguments.targets])
            corruptions = [None if word == "none" else float(word) for word in arguments.priors.split(",")]
            for row in compare_on(problem, sample, corruptions, arguments.epochs):
                rows.append(row)
                print({key: round(value, 3) if isinstance(value, float) else value for key, value in row.items()})
                save("large_systems", rows, command=f"python benchmarks/large_systems.py --targets {arguments.targets}")


def compare_on(problem, sample, corruptions, epochs):
    """Yield a row per method and prior of one problem."""
    genes, none = len(problem.genes), np.zeros_like(problem.truth)
    pairs = edge_universe(genes)
    in_sample = pairs & np.isin(np.arange(genes), sample)
    found = {}
    for name, rank, whole in (
        ("ridge", RIVALS["ridge"].infer, True),
        ("genie3", partial(genie3_network, targets=sample), False),
        ("dyngenie3", partial(dyngenie3_network, targets=sample), False),
    ):
        found[name] = (*_timed(lambda rank=rank: rank(problem.given, none, 0)), whole)
    for corruption in corruptions:
        prior = none
        if corruption is not None:
            prior = relocate_edges(np.random.default_rng([0, 5]), problem.truth, corruption)
        ours = partial(_ours, problem, prior, epochs)
        results = {OURS: (*_timed(ours), True)} | {
            name: (prior_first(scores, prior) if prior.any() else scores, seconds, whole)
            for name, (scores, seconds, whole) in found.items()
        }
        if corruption is not None:
            results["prior_only"] = (prior, 0.0, True)
        for name, (scores, seconds, whole) in results.items():
            share = 1.0 if whole else len(sample) / genes
            yield {
                "task": problem.name,
                "corruption": corruption,
                "method": name,
                "measured_targets": genes if whole else len(sample),
                "aupr": _aupr(scores, problem.truth, in_sample),
                "aupr_all": _aupr(scores, problem.truth, pairs) if whole else None,
                "seconds": seconds / share,
                "seconds_measured": seconds,
            }


def _ours(problem, prior, epochs):
    return infer(problem.with_prior(make_prior(prior)), OURS, epochs=epochs).scores


def _timed(call):
    began = time.perf_counter()
    scores = call()
    return scores, time.perf_counter() - began


def _aupr(scores, truth, pairs) -> float:
    network, true = jnp.asarray(scores), jnp.asarray(truth)
    return float(score_network(network, true, jnp.zeros_like(true), network != 0, jnp.asarray(pairs)).aupr)


if __name__ == "__main__":
    main()
