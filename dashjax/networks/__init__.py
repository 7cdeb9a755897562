"""From a field to a network, and how good that network is."""

from dashjax.networks.edges import edge_list, network_matrix
from dashjax.networks.metrics import (
    NetworkScores,
    auroc,
    average_precision,
    balanced_accuracy,
    early_precision,
    score_network,
)
from dashjax.networks.readout import effects, relative_effects

__all__ = [
    "NetworkScores",
    "auroc",
    "average_precision",
    "balanced_accuracy",
    "early_precision",
    "edge_list",
    "effects",
    "network_matrix",
    "relative_effects",
    "score_network",
]
