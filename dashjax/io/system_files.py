"""Published equation systems: `node,eqn` tables with a file that orders the genes."""

from __future__ import annotations

from pathlib import Path

from dashjax.errors import InputError
from dashjax.io.files import write_atomically
from dashjax.io.genes import read_gene_names
from dashjax.io.tables import read_rows, refuse_repeated_columns
from dashjax.simulate import System, make_system
from dashjax.simulate.equations import INPUT_GENE


def read_system(equations: Path | str, names: Path | str | None = None) -> System:
    """Read an equation system.

    Args:
        equations: CSV with columns `node` and `eqn`; an equation is `input gene` or an expression over
            `fAct(REGULATOR, EC50, n)`, gene names, numbers and `+ - * / ( )`.
        names: gene names in the order wanted, `_input` marking constant genes; the equations' own order
            without it.

    Raises:
        InputError: on unknown or repeated genes, a disagreement between the two files, or an equation
            outside the grammar; the message names file and row.
    """
    rows = read_rows(equations)
    lower = [cell.lower() for cell in rows[0]]
    if "node" not in lower or "eqn" not in lower:
        raise InputError(f"{equations}, row 1: expected columns node and eqn, found '{','.join(rows[0])[:60]}'")
    if len(rows) < 2:
        raise InputError(f"{equations}: no equations below the header")
    refuse_repeated_columns(rows[0], equations)
    node, eqn = lower.index("node"), lower.index("eqn")
    by_gene: dict[str, tuple[str, str]] = {}
    for number, row in enumerate(rows[1:], start=2):
        where = f"{equations}, row {number}"
        if len(row) != len(lower):
            raise InputError(f"{where}: {len(row)} columns, the header has {len(lower)}")
        if not row[node].isidentifier():
            raise InputError(f"{where}, column node: '{row[node][:40]}' is not a gene name that equations can use")
        if row[node] in by_gene:
            raise InputError(f"{where}: gene '{row[node]}' appears twice")
        by_gene[row[node]] = (row[eqn], where)
    if names is None:
        genes = list(by_gene)
    else:
        genes, inputs = read_gene_names(names)
        missing = [gene for gene in genes if gene not in by_gene]
        if missing or len(genes) != len(by_gene):
            extra = [gene for gene in by_gene if gene not in set(genes)]
            raise InputError(
                f"{names}: {len(missing)} of its genes have no equation ({', '.join(missing[:3])}) and "
                f"{len(extra)} equations have no name there ({', '.join(extra[:3])})"
            )
        for gene, is_input in zip(genes, inputs, strict=True):
            if is_input != (by_gene[gene][0] == INPUT_GENE) and any(inputs):
                raise InputError(
                    f"{by_gene[gene][1]}: '{gene}' is {'an input' if is_input else 'no input'} in {names}, "
                    f"but its equation says otherwise"
                )
    return make_system(genes, [by_gene[gene][0] for gene in genes], [by_gene[gene][1] for gene in genes])


def write_system(path: Path | str, system: System) -> None:
    """Write a system as a `node,eqn` CSV that `read_system` reads back."""
    lines = [f'"{gene}","{text}"' for gene, text in zip(system.genes, system.equations, strict=True)]
    content = '"node","eqn"\n' + "\n".join(lines) + "\n"
    write_atomically(Path(path), lambda part: part.write_text(content, encoding="utf-8"))
