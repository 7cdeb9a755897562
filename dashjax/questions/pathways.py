"""Pathways whose genes together have more influence than as many genes drawn at random."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from dashjax.questions.influence import OnGenes

if TYPE_CHECKING:
    import pandas as pd

#: Permuted labels that are held in memory at once, 32 MB of them: 1,000 permutations of 8,000 genes.
BATCH = 2**23


class PathwayTest(eqx.Module):
    """Permutation tests of gene sets.

    Attributes:
        score: summed influence of the set's genes.
        expected: its mean over permutations of the gene labels.
        z: standard deviations of those that the score lies above their mean; NaN where they do not vary.
        p: empirical probability of a score at least as large.
    """

    score: Float[Array, " set"]
    expected: Float[Array, " set"]
    z: Float[Array, " set"]
    p: Float[Array, " set"]


def pathway_test(
    key: PRNGKeyArray,
    influence: Float[Array, " gene"],
    members: Bool[Array, "set gene"],
    permutations: int = 1000,
    batch_size: int | None = None,
) -> PathwayTest:
    """Compare each set's summed influence with its sums under permuted gene labels (DASH, appendix).

    All sets see the same permutations, and all of a batch of permutations are one matrix product. p counts the observed
    labels as one more permutation, so it is never zero (Phipson & Smyth, Statistical Applications in Genetics and
    Molecular Biology 2010).

    Memory is (batch_size + set) × gene + permutation × set numbers.

    Examples:
        >>> influence, members = jnp.array([5.0, 4.0, 0.1, 0.2, 0.1]), jnp.array([[True, True, False, False, False]])
        >>> found = pathway_test(jax.random.key(0), influence, members)
        >>> found.score.tolist(), bool(found.p[0] < 0.2)  # one of ten pairs of genes has as much
        ([9.0], True)

    Args:
        key: draws the permutations.
        influence: of every gene.
        members: which genes belong to which set.
        permutations: how many.
        batch_size: permutations held at once; as many as `BATCH` numbers allow if None.
    """
    batch_size = max(1, BATCH // influence.size) if batch_size is None else batch_size
    membership = members.astype(influence.dtype)

    def sums(influence):
        return jnp.matmul(membership, influence, precision="highest")

    def of_permutation(key):
        return sums(jax.random.permutation(key, influence))

    keys = jax.random.split(key, permutations)
    score, null = sums(influence), jax.lax.map(of_permutation, keys, batch_size=min(batch_size, permutations))
    mean, spread = jnp.mean(null, axis=0), jnp.std(null, axis=0)
    # Equal sums in another order differ by rounding, and still count as equal.
    rounding = 1e-5 * jnp.abs(score)
    p = (1 + jnp.sum(null >= score - rounding, axis=0)) / (1 + permutations)
    varies = spread > rounding
    z = jnp.where(varies, (score - mean) / jnp.where(varies, spread, 1.0), jnp.nan)
    return PathwayTest(score, mean, z, p)


def bonferroni(p: np.ndarray) -> np.ndarray:
    """Return p-values corrected for the family-wise error of all of them."""
    return np.minimum(np.asarray(p, float) * len(p), 1.0)


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Return p-values adjusted for the false discovery rate (Benjamini & Hochberg, J. R. Stat. Soc. B 1995)."""
    from scipy.stats import false_discovery_control

    return false_discovery_control(p, method="bh")


def pathway_table(
    test: PathwayTest,
    tested: Int[np.ndarray, " set"],
    members: Sequence[np.ndarray],
    influence: np.ndarray,
    pathways: Sequence[str],
    genes: Sequence[str],
) -> pd.DataFrame:
    """Return gene sets with their tests, the most surprising first and those left out at the end.

    Args:
        test: of the tested sets.
        tested: their places among all.
        members: per set, the places of its genes.
        influence: of every gene.
        pathways: names of all sets.
        genes: names in the arrays' order.

    Returns:
        A frame with columns pathway, genes (of the set that the model has), tested, score (their summed influence),
        mean (per gene), expected, z, p, bonferroni and benjamini_hochberg (over the tested sets), and strongest, the up
        to five members of the most influence.
    """
    import pandas as pd

    def strongest(places):
        top = places[np.argsort(-influence[places], kind="stable")][:5]
        return " ".join(genes[place] for place in top)

    table = pd.DataFrame({"pathway": list(pathways), "genes": [len(places) for places in members], "tested": False})
    p = np.asarray(test.p)
    columns = {
        "score": test.score,
        "mean": np.asarray(test.score) / np.maximum(table["genes"].to_numpy()[tested], 1),
        "expected": test.expected,
        "z": test.z,
        "p": p,
        "bonferroni": bonferroni(p),
        "benjamini_hochberg": benjamini_hochberg(p),
    }
    table.loc[tested, "tested"] = True
    for name, values in columns.items():
        table[name] = np.nan
        table.loc[tested, name] = np.asarray(values, float)
    table["strongest"] = [strongest(np.asarray(places)) for places in members]
    return table.sort_values(["p", "z"], ascending=[True, False], kind="stable", ignore_index=True)


#: Genes or permutations × sets tested in one call: each such array stays below 32 MB.
PER_CALL = 2**23


def permutation_tests(
    key, influence: np.ndarray, sets: Sequence[np.ndarray], permutations: int, on_sets: OnGenes
) -> PathwayTest:
    """Test sets given as places of genes, as many at once as fit into memory."""
    compiled = jax.jit(lambda members: pathway_test(key, jnp.asarray(influence, jnp.float32), members, permutations))
    at_once = max(1, PER_CALL // max(len(influence), permutations))
    pieces = []
    for begin in range(0, len(sets), at_once):
        chosen = sets[begin : begin + at_once]
        members = np.zeros((len(chosen), len(influence)), bool)
        for row, places in zip(members, chosen, strict=True):
            row[places] = True
        pieces.append(jax.tree.map(np.asarray, compiled(members)))
        on_sets(begin + len(chosen), len(sets), "gene sets tested")
    return jax.tree.map(lambda *parts: np.concatenate(parts), *pieces)
