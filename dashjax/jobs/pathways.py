"""Gene sets tested by the influence of their genes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from dashjax.errors import InputError
from dashjax.io import make_folder, read_gene_sets, read_gene_values, write_table
from dashjax.io.name_hints import name_hints
from dashjax.jobs.fitted import RANDOM_STARTS, StartOptions, choose_starts, read_fit
from dashjax.jobs.influence import PUSH, OnGenes, measure_influence
from dashjax.networks import PathwayTest, influence_table, pathway_table, pathway_test

#: Genes or permutations × sets tested in one call: each such array stays below 32 MB.
PER_CALL = 2**23


def pathways_files(
    model: Path,
    sets: Path,
    out: Path,
    influence: Path | None = None,
    permutations: int = 1000,
    min_size: int = 5,
    starts: StartOptions = RANDOM_STARTS,
    push: float = PUSH,
    on_genes: OnGenes = lambda done, total, text: None,
) -> tuple[pd.DataFrame, list[str]]:
    """Test gene sets for more influence than permuted gene labels give them, and write pathways.tsv and its figure.

    Influence is measured first and written as `influence_files` does, unless an earlier influence.tsv is given.

    Returns:
        The table, see `pathway_table`, and lines that say what was tested.

    Raises:
        InputError: on anything wrong with the files or arguments, before anything is written.
    """
    from dashjax.report.biology import pathways_figure
    from dashjax.report.write import write_figure

    if permutations < 1:
        raise InputError(f"--permutations: must be at least 1, got {permutations}")
    if min_size < 1:
        raise InputError(f"--min-size: must be at least 1, got {min_size}")
    if influence is not None and starts.expression is not None:
        raise InputError("--influence: was measured from starts of its own; leave out --expression")
    fitted = read_fit(model)
    members = read_members(sets, fitted.genes)
    places = [np.array(sorted(own), dtype=int) for own in members.values()]
    tested = np.flatnonzero([len(own) >= min_size for own in places])
    if not len(tested):
        raise InputError(
            f"{sets}: no gene set has {min_size} genes of the model, the largest has {max(map(len, places))}; "
            "--min-size lowers that"
        )
    if influence is None:
        begin = choose_starts(fitted, starts)
        measured = measure_influence(fitted, begin, push, on_genes)
        values = np.asarray(measured.mean)
    else:
        values = _known_influence(influence, fitted.genes)
    test = _test_sets(
        jax.random.key(starts.seed), values, [places[number] for number in tested], permutations, on_genes
    )
    table = pathway_table(test, tested, places, values, tuple(members), fitted.genes)
    make_folder(out)
    write_table(out / "pathways.tsv", table)
    if influence is None:
        write_table(out / "influence.tsv", influence_table(measured, fitted.network, fitted.genes))
    write_figure(out, "pathways", pathways_figure(table))
    found = table[table["benjamini_hochberg"] < 0.05]
    least = len(tested) / (permutations + 1)
    lines = [
        f"{len(tested):,} gene sets tested against {permutations:,} permutations, {len(places) - len(tested):,} left "
        f"out with fewer than {min_size} genes of the model",
        f"{len(found):,} at a false discovery rate of 5 %, {(table['bonferroni'] < 0.05).sum():,} after Bonferroni",
    ]
    if least >= 0.05:
        lines.append(
            f"Bonferroni cannot go below {min(least, 1.0):.2g} here: {20 * len(tested):,} --permutations would allow "
            "5 %"
        )
    return table, [*lines, f"pathways: {out / 'pathways.tsv'}"]


def read_members(path: Path, genes: Sequence[str]) -> dict[str, set[int]]:
    """Read gene sets (GMT), each as the places of its genes among the model's; others are left out.

    Raises:
        InputError: on a file that cannot be read or shares no gene with the model.
    """
    network = read_gene_sets(path)
    index = {gene: number for number, gene in enumerate(genes)}
    members: dict[str, set[int]] = {name: set() for name in network.regulators}
    for name, gene in zip(network.regulators, network.targets, strict=True):
        if gene in index:
            members[name].add(index[gene])
    if not any(members.values()):
        unknown = list(dict.fromkeys(network.targets))
        hints = "".join(f"; {text}" for text in name_hints(unknown, genes))
        raise InputError(f"{path}: none of its {len(unknown):,} genes is in the model{hints}")
    return members


def _known_influence(path: Path, genes: Sequence[str]) -> np.ndarray:
    values = read_gene_values(path, "influence")
    missing = [gene for gene in genes if gene not in values]
    if missing:
        raise InputError(f"{path}: lacks {len(missing)} of the model's {len(genes)} genes, '{missing[0]}' first")
    return np.array([values[gene] for gene in genes])


def _test_sets(
    key, influence: np.ndarray, sets: Sequence[np.ndarray], permutations: int, on_sets: OnGenes
) -> PathwayTest:
    """Test sets given as places of genes, so many at once as fit into memory."""
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
