"""What a page asks of a fitted model: who regulates how much, the paths it takes, and what knock-outs do.

How much is asked depends on the network's size alone, so that a page is the same each time it is made.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from dashjax.data import DENSE_GENES, Trajectories
from dashjax.dynamics import under
from dashjax.errors import InputError
from dashjax.networks import Network
from dashjax.questions import influence_table, member_paths, response_times

#: Genes whose courses a page keeps, and numbers of all of them.
COURSE_GENES, COURSE_VALUES = 300, 120_000
#: Points of a path, at least.
PATH_POINTS = 24
#: States that influence and knock-outs are followed from, and regulators that are knocked out.
STARTS, KNOCKED = 8, 5
#: Multiplications that an answer may take: some seconds.
MOST_WORK = 5e10


@dataclass(frozen=True)
class Paths:
    """Fitted paths of some trajectories and genes, in the user's units.

    Attributes:
        rows: numbers of the trajectories.
        genes: numbers of the genes.
        times: (trajectory, time).
        mean: over members, (trajectory, time, gene); None where the network has no dynamics.
        low: the lowest of the members; None for a single one.
        high: the highest.
    """

    rows: np.ndarray
    genes: np.ndarray
    times: np.ndarray
    mean: np.ndarray | None = None
    low: np.ndarray | None = None
    high: np.ndarray | None = None


@dataclass(frozen=True)
class KnockOut:
    """What a knock-out does.

    Attributes:
        gene: that is knocked out.
        table: of `response_table`.
        words: from where it is followed, and for how long.
    """

    gene: str
    table: pd.DataFrame
    words: str


def regulator_table(network: Network, observed: Trajectories | None) -> pd.DataFrame:
    """Return regulators, those of most expected targets first.

    Args:
        network: as fitted.
        observed: in the user's units; its first states are what influence is measured from.

    Returns:
        A frame with columns gene; expected_targets, the sum of the probabilities of its edges, or without a posterior
        the number returned; targets, new, activates, represses: returned edges; in_prior; and, where the dynamics are
        small enough, influence and standard_error. Genes that regulate nothing are left out.
    """
    genes = len(network.genes)
    if genes > DENSE_GENES:
        edges = network.edges
        counts = edges.assign(new=~edges["in_prior"].astype(bool), activates=edges["score"] > 0)
        table = counts.groupby("source", sort=False).agg(
            targets=("target", "size"), new=("new", "sum"), in_prior=("in_prior", "sum"), activates=("activates", "sum")
        )
        table = table.assign(expected_targets=table["targets"], represses=table["targets"] - table["activates"])
        table = table.rename_axis("gene").reset_index()
    else:
        others = ~np.eye(genes, dtype=bool)
        returned, known = network.returned & others, np.zeros((genes, genes), bool)
        known[network.prior.pairs()] = True
        likely = returned if network.posterior is None else np.asarray(network.posterior.posterior.probability) * others
        positive = network.scores > 0
        table = pd.DataFrame(
            {
                "gene": list(network.genes),
                "expected_targets": likely.sum(axis=1).astype(float),
                "targets": returned.sum(axis=1),
                "new": (returned & ~known).sum(axis=1),
                "in_prior": (known & others).sum(axis=1),
                "activates": (returned & positive).sum(axis=1),
                "represses": (returned & ~positive).sum(axis=1),
            }
        )
        measured = _influence(network, observed)
        if measured is not None:
            table = table.merge(measured[["gene", "influence", "standard_error"]], on="gene", how="left")
        # A posterior leaves every allowed pair some probability, which is not yet a regulator.
        table = table[(table["expected_targets"] >= 0.1) | (table["in_prior"] > 0) | (table["targets"] > 0)]
    return table.sort_values("expected_targets", ascending=False, kind="stable", ignore_index=True)


def _influence(network: Network, observed: Trajectories | None) -> pd.DataFrame | None:
    genes = len(network.genes)
    if network.fields is None or genes < 2 or 4.0 * STARTS * 10 * genes**3 > MOST_WORK:
        return None
    starts, times, _ = _starts(network, observed)
    try:
        return influence_table(network.measure_influence(starts, times), network.acting, network.genes)
    except InputError:  # dynamics that do not stay finite
        return None


def _starts(network: Network, observed: Trajectories | None) -> tuple[np.ndarray, np.ndarray, str]:
    """Return states to start from in the user's units, times to look at, and what they are."""
    dynamics = network.dynamics()[0]
    if observed is None or not observed.n_trajectories:
        states = np.asarray(network.units.levels(jax.random.uniform(jax.random.key(0), (STARTS, len(network.genes)))))
        times, words = np.asarray(response_times(dynamics)), f"from {STARTS} random states"
    else:
        rows = np.unique(np.linspace(0, observed.n_trajectories - 1, STARTS).round().astype(int))
        states = np.asarray(observed.expression)[rows, 0]
        last = np.asarray(observed.times)[:, -1] - np.asarray(observed.times)[:, 0]
        times = np.asarray(response_times(dynamics, float(np.median(last))))
        words = f"from {len(rows)} observed states"
    return states, times, f"{words}, over a time of {times[-1]:.3g}"


def knock_out_regulators(network: Network, table: pd.DataFrame, observed: Trajectories | None) -> list[KnockOut]:
    """Return what knocking out the first regulators does; nothing without dynamics, or where they are too large."""
    genes = len(network.genes)
    work = 8.0 * KNOCKED * network.members * STARTS * 33 * genes**2
    if network.fields is None or genes < 2 or genes > DENSE_GENES or work > MOST_WORK:
        return []
    starts, times, words = _starts(network, observed)
    found = []
    for gene in table["gene"].head(KNOCKED):
        try:
            found.append(KnockOut(gene, network.perturb([gene], starts=starts, times=times.tolist()), words))
        except InputError:  # dynamics that do not stay finite
            continue
    return found


def follow_courses(network: Network, observed: Trajectories, edges: pd.DataFrame) -> Paths | None:
    """Return the paths that a network's members take from the first observations.

    Genes of likely edges come first, and there are as many genes and trajectories as a page may keep.

    Args:
        network: as fitted.
        observed: in the user's units.
        edges: its edges, the likeliest first.
    """
    if not observed.n_trajectories or observed.times.shape[1] < 2:
        return None
    times = np.asarray(observed.times)
    points = times.shape[1]
    between = -(-PATH_POINTS // (points - 1))
    dynamic = network.fields is not None and len(network.genes) <= DENSE_GENES
    # Without a path only observations are kept.
    kept = 4 * ((points - 1) * between + 1) if dynamic else points
    likely = edges[edges["returned"].astype(bool)].head(5000)
    ends = likely[["target", "source"]].to_numpy().ravel()
    # The first to be seen is the target of most regulators.
    first = likely["target"].value_counts().index[:1]
    order = list(dict.fromkeys([*first, *ends, *network.genes]))[: max(10, min(COURSE_GENES, COURSE_VALUES // kept))]
    place = {gene: number for number, gene in enumerate(network.genes)}
    genes = np.array([place[gene] for gene in order])
    rows = np.arange(observed.n_trajectories)[: max(1, COURSE_VALUES // (kept * len(genes)))]
    share = np.arange(between) / between
    steps = times[rows, :-1, None] + (times[rows, 1:] - times[rows, :-1])[..., None] * share
    fine = np.concatenate([steps.reshape(len(rows), -1), times[rows, -1:]], axis=1)
    if not dynamic:
        return Paths(rows, genes, fine)
    production = jax.tree.map(lambda leaf: leaf[rows], observed.production)
    members = [under(one, production) for one in network.dynamics()]
    found = member_paths(members, jnp.asarray(observed.expression)[rows, 0], jnp.asarray(fine))[..., genes]
    if not np.isfinite(found).all():
        return Paths(rows, genes, fine)
    several = len(found) > 1
    return Paths(
        rows, genes, fine, found.mean(axis=0), found.min(axis=0) if several else None,
        found.max(axis=0) if several else None,
    )  # fmt: skip
