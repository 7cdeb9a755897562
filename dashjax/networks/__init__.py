"""The network that a fit finds: its edges, its dynamics, its file."""

from dashjax.networks.anndata_out import activities, to_anndata
from dashjax.networks.edges import edge_list, network_matrix
from dashjax.networks.network import Network, make_network
from dashjax.networks.network_file import load_network, save_network
from dashjax.networks.readout import along_edges, effects, relative_effects, strongest_edges

__all__ = [
    "Network",
    "activities",
    "along_edges",
    "edge_list",
    "effects",
    "load_network",
    "make_network",
    "network_matrix",
    "relative_effects",
    "save_network",
    "strongest_edges",
    "to_anndata",
]
