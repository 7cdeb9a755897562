"""Gene sets from files, matched with a network's genes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dashjax.errors import InputError
from dashjax.io import read_gene_sets
from dashjax.io.name_hints import name_hints


def read_members(path: Path, genes: Sequence[str]) -> dict[str, set[int]]:
    """Read gene sets (GMT), each as the places of its genes among the network's; others are left out.

    Raises:
        InputError: on a file that cannot be read or shares no gene with the network.
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
        raise InputError(f"{path}: none of its {len(unknown):,} genes is in the network{hints}")
    return members
