"""Files in and out: one module per format, every complaint naming file, row and column."""

from dashjax.io.beeline import read_beeline, write_ranked_edges
from dashjax.io.dream4 import read_dream4, read_dream4_experiments
from dashjax.io.edge_tables import read_edges, read_gene_sets
from dashjax.io.experiments import read_interventions, read_steady, write_interventions, write_steady
from dashjax.io.export import write_decoupler, write_graphml
from dashjax.io.expression import EXPRESSION_FORMATS, ExpressionFormat, read_expression
from dashjax.io.files import check_writable, make_folder, write_atomically
from dashjax.io.frames import expression_from_frame, network_from_frame
from dashjax.io.genes import read_gene_names, read_gene_values
from dashjax.io.h5ad import expression_from_anndata, read_h5ad
from dashjax.io.inferelator import read_gold_standard, read_inferelator
from dashjax.io.load import load_expression, load_prior_network
from dashjax.io.matching import (
    Edges,
    Match,
    align_edges,
    align_network,
    read_prior,
    read_regulators,
    read_similarity,
    similarity_edges,
)
from dashjax.io.named import (
    CellOptions,
    Expression,
    NamedNetwork,
    NamedSamples,
    Samples,
    expression_at_rest,
    no_trajectories,
)
from dashjax.io.network_formats import NETWORK_FORMATS, NetworkFormat, read_network
from dashjax.io.phoenix_csv import read_phoenix, write_phoenix
from dashjax.io.system_files import read_system, write_system
from dashjax.io.tables import write_table
from dashjax.io.tidy import read_tidy, write_tidy

__all__ = [
    "CellOptions",
    "EXPRESSION_FORMATS",
    "Edges",
    "Expression",
    "ExpressionFormat",
    "Match",
    "NETWORK_FORMATS",
    "NamedNetwork",
    "NamedSamples",
    "NetworkFormat",
    "Samples",
    "align_edges",
    "align_network",
    "check_writable",
    "expression_at_rest",
    "expression_from_anndata",
    "expression_from_frame",
    "load_expression",
    "load_prior_network",
    "make_folder",
    "network_from_frame",
    "no_trajectories",
    "read_beeline",
    "read_dream4",
    "read_dream4_experiments",
    "read_edges",
    "read_expression",
    "read_gene_names",
    "read_gene_sets",
    "read_gene_values",
    "read_gold_standard",
    "read_h5ad",
    "read_inferelator",
    "read_interventions",
    "read_network",
    "read_phoenix",
    "read_prior",
    "read_regulators",
    "read_similarity",
    "read_steady",
    "read_system",
    "read_tidy",
    "similarity_edges",
    "write_atomically",
    "write_decoupler",
    "write_graphml",
    "write_interventions",
    "write_phoenix",
    "write_ranked_edges",
    "write_steady",
    "write_system",
    "write_table",
    "write_tidy",
]
