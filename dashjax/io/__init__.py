"""Files in and out: one module per kind of thing, every complaint naming file, row and column."""

from dashjax.io.equations import read_system, write_system
from dashjax.io.expression import Expression, read_expression, read_gene_names, read_phoenix, write_phoenix
from dashjax.io.model import load_model, save_model
from dashjax.io.prior import read_prior, read_regulators, write_edges
from dashjax.io.tables import make_folder

__all__ = [
    "Expression",
    "load_model",
    "make_folder",
    "read_expression",
    "read_gene_names",
    "read_phoenix",
    "read_prior",
    "read_regulators",
    "read_system",
    "save_model",
    "write_edges",
    "write_phoenix",
    "write_system",
]
