"""Networks, whatever their format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dashjax.io.edge_tables import is_edge_table, is_headerless, parse_edge_table, parse_headerless, read_gene_sets
from dashjax.io.matrices import is_bare, is_market, is_triplets, parse_bare, parse_market, parse_named, parse_triplets
from dashjax.io.named import NamedNetwork
from dashjax.io.table_files import TableFile


@dataclass(frozen=True)
class NetworkFormat:
    """A format of networks; see `NETWORK_FORMATS`.

    Attributes:
        name: what it is called.
        recognises: says whether rows are of this format, given the expression's genes.
        parse: reads the rows, given what to name in messages and the expression's genes.
    """

    name: str
    recognises: Callable[[list[list[str]], Sequence[str]], bool]
    parse: Callable[[list[list[str]], Path | str, Sequence[str]], NamedNetwork]


#: What `read_network` tells apart by a file's rows: the first format that recognises them reads them.
NETWORK_FORMATS: dict[str, NetworkFormat] = {
    entry.name: entry
    for entry in (
        NetworkFormat(
            "edge table", lambda rows, _: is_edge_table(rows), lambda rows, path, _: parse_edge_table(rows, path)
        ),
        NetworkFormat("MatrixMarket", lambda rows, _: is_market(rows), parse_market),
        NetworkFormat("triplets", is_triplets, parse_triplets),
        NetworkFormat("headerless edges", is_headerless, lambda rows, path, _: parse_headerless(rows, path)),
        NetworkFormat("bare matrix", lambda rows, _: is_bare(rows), parse_bare),
    )
}


def read_network(path: Path | str, genes: Sequence[str] = ()) -> NamedNetwork:
    """Read a network, whatever its format: its edges by name, not yet matched with anything.

        read_network("prior.csv")                    # edge table: source,target[,weight][,sign]
        read_network("ToyMotifData.txt")             # netZoo: regulator, target, weight without a header
        read_network("chea.gmt")                     # gene sets: regulator, description, targets
        read_network("matrix.csv", genes)            # regulator × target, with names or in the order of `genes`
        read_network("triplets.csv", genes)          # 1-based numbers, also MatrixMarket's

    Told apart by the name (`.gmt`, `.parquet`) and the first row, in the order of `NETWORK_FORMATS`: an edge table's
    header, MatrixMarket's, triplets, a headerless edge, a bare matrix; else it is a matrix with names.

    Args:
        path: the file.
        genes: the expression's genes, for matrices that name none.

    Raises:
        InputError: on anything that cannot be read, naming file, row and column.
    """
    if Path(path).suffix.lower() == ".gmt":
        return read_gene_sets(path)
    rows = TableFile(Path(path)).rows
    for entry in NETWORK_FORMATS.values():
        if entry.recognises(rows, genes):
            return entry.parse(rows, path, genes)
    return parse_named(rows, path)
