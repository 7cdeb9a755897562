"""Sparse, interpretable neural-ODE models of gene regulation, swept at accelerator scale.

`dashjax.fit` is one run as one pure function; everything else feeds it or reads its result.
"""

from dashjax.data import (
    Prior,
    Split,
    Trajectories,
    combine_priors,
    make_prior,
    make_sparse_prior,
    make_trajectories,
    shared_targets,
)
from dashjax.dynamics import Adaptive, Direct, DirectSpec, FixedSteps, Phoenix, PhoenixSpec
from dashjax.errors import InputError
from dashjax.evidence import EdgePosterior, PosteriorConfig, edge_posterior, edges_at_precision, ensemble_posterior
from dashjax.networks import (
    edge_list,
    effects,
    gene_influence,
    pathway_test,
    perturb,
    relative_effects,
    score_network,
    strongest_edges,
)
from dashjax.simulate import generate_system, relocate_edges, simulate_study
from dashjax.sparsity import genome_schedule, make_schedule, no_pruning, simulated_schedule, sparsity
from dashjax.training import (
    METHODS,
    FitConfig,
    FitResult,
    Hyperparameters,
    OneStep,
    WholeTrajectory,
    find_method,
    fit,
    make_hyperparameters,
)

__version__ = "0.1.0"

__all__ = [
    "METHODS",
    "Adaptive",
    "Direct",
    "DirectSpec",
    "EdgePosterior",
    "FitConfig",
    "FitResult",
    "FixedSteps",
    "Hyperparameters",
    "InputError",
    "OneStep",
    "Phoenix",
    "PhoenixSpec",
    "PosteriorConfig",
    "Prior",
    "Split",
    "Trajectories",
    "WholeTrajectory",
    "combine_priors",
    "edge_list",
    "edge_posterior",
    "edges_at_precision",
    "effects",
    "ensemble_posterior",
    "find_method",
    "fit",
    "gene_influence",
    "generate_system",
    "genome_schedule",
    "make_hyperparameters",
    "make_prior",
    "make_schedule",
    "make_sparse_prior",
    "make_trajectories",
    "no_pruning",
    "pathway_test",
    "perturb",
    "relative_effects",
    "relocate_edges",
    "score_network",
    "shared_targets",
    "simulate_study",
    "simulated_schedule",
    "sparsity",
    "strongest_edges",
]
