"""From a field to a network, and how good that network is."""

from dashjax.networks.beeline import BeelineScores, beeline_scores
from dashjax.networks.edges import edge_list, network_matrix
from dashjax.networks.influence import (
    Influence,
    gene_influence,
    has_influence,
    influence_table,
    random_starts,
    response_times,
)
from dashjax.networks.metrics import (
    NetworkScores,
    RegulatorScores,
    SignScores,
    auroc,
    average_precision,
    balanced_accuracy,
    early_precision,
    edge_universe,
    score_network,
    score_regulators,
    score_signs,
)
from dashjax.networks.pathways import (
    PathwayTest,
    benjamini_hochberg,
    bonferroni,
    pathway_table,
    pathway_test,
)
from dashjax.networks.perturbation import RELATIONS, Clamped, Response, path_lengths, perturb, response_table
from dashjax.networks.readout import along_edges, effects, relative_effects, strongest_edges

__all__ = [
    "RELATIONS",
    "BeelineScores",
    "Clamped",
    "Influence",
    "NetworkScores",
    "PathwayTest",
    "RegulatorScores",
    "Response",
    "SignScores",
    "along_edges",
    "auroc",
    "average_precision",
    "balanced_accuracy",
    "beeline_scores",
    "benjamini_hochberg",
    "bonferroni",
    "early_precision",
    "edge_list",
    "edge_universe",
    "effects",
    "gene_influence",
    "has_influence",
    "influence_table",
    "network_matrix",
    "path_lengths",
    "pathway_table",
    "pathway_test",
    "perturb",
    "random_starts",
    "relative_effects",
    "response_table",
    "response_times",
    "score_network",
    "score_regulators",
    "score_signs",
    "strongest_edges",
]
