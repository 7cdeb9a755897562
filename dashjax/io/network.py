"""Networks, whatever their format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dashjax.io.edge_tables import is_edge_table, is_headerless, parse_edge_table, parse_headerless, read_gene_sets
from dashjax.io.matrices import is_bare, is_market, is_triplets, parse_bare, parse_market, parse_named, parse_triplets
from dashjax.io.named import NamedNetwork
from dashjax.io.tables import parquet_rows, read_rows


def read_network(path: Path | str, genes: Sequence[str] = ()) -> NamedNetwork:
    """Read a network, whatever its format: its edges by name, not yet matched with anything.

        read_network("prior.csv")                    # edge table: source,target[,weight][,sign]
        read_network("ToyMotifData.txt")             # netZoo: regulator, target, weight without a header
        read_network("chea.gmt")                     # gene sets: regulator, description, targets
        read_network("matrix.csv", genes)            # regulator × target, with names or in the order of `genes`
        read_network("triplets.csv", genes)          # 1-based numbers, also MatrixMarket's

    Told apart by the name (`.gmt`, `.parquet`) and the first row, in this order: an edge table's header,
    MatrixMarket's, triplets, a headerless edge, a bare matrix, a matrix with names.

    Args:
        path: the file.
        genes: the expression's genes, for matrices that name none.

    Raises:
        InputError: on anything that cannot be read, naming file, row and column.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".gmt":
        return read_gene_sets(path)
    rows = parquet_rows(path) if suffix == ".parquet" else read_rows(path)
    if is_edge_table(rows):
        return parse_edge_table(rows, path)
    if is_market(rows):
        return parse_market(rows, path, genes)
    if is_triplets(rows, genes):
        return parse_triplets(rows, path, genes)
    if is_headerless(rows, genes):
        return parse_headerless(rows, path)
    return parse_bare(rows, path, genes) if is_bare(rows) else parse_named(rows, path)
