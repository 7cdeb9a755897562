"""Gene regulatory networks from expression, experiments and prior knowledge, in JAX.

`infer_network` is the one call of a notebook; `fit` is one run as one pure function, and everything else feeds it or
reads its result.
"""

from dashjax import interrupts  # noqa: F401  First, for the others take seconds in which Ctrl-C must work.

# isort: split
from dashjax import plot
from dashjax.data import (
    Prior,
    Problem,
    Split,
    Trajectories,
    combine_priors,
    make_prior,
    make_problem,
    make_sparse_prior,
    make_trajectories,
    shared_targets,
)
from dashjax.dynamics import Adaptive, Direct, DirectSpec, FixedSteps, Phoenix, PhoenixSpec
from dashjax.errors import InputError
from dashjax.evidence import EdgePosterior, PosteriorConfig, edge_posterior, edges_at_precision, ensemble_posterior
from dashjax.inference import infer_network
from dashjax.methods import METHODS, find_method
from dashjax.networks import (
    Network,
    edge_list,
    effects,
    load_network,
    relative_effects,
    strongest_edges,
)
from dashjax.problems import read_problem
from dashjax.questions import gene_influence, pathway_test, perturb
from dashjax.scoring import score_network
from dashjax.simulate import generate_system, relocate_edges, simulate_study
from dashjax.sparsity import genome_schedule, make_schedule, no_pruning, simulated_schedule, sparsity
from dashjax.training import (
    FitConfig,
    FitResult,
    Hyperparameters,
    OneStep,
    WholeTrajectory,
    fit,
    make_hyperparameters,
)

#: The same in two letters, as other packages call theirs.
pl = plot

__version__ = "0.1.0"

__all__ = [
    "plot",
    "pl",
    "infer_network",
    "Network",
    "load_network",
    "Problem",
    "read_problem",
    "make_problem",
    "InputError",
    "METHODS",
    "find_method",
    "fit",
    "FitConfig",
    "FitResult",
    "Hyperparameters",
    "make_hyperparameters",
    "OneStep",
    "WholeTrajectory",
    "Trajectories",
    "Split",
    "make_trajectories",
    "Prior",
    "make_prior",
    "make_sparse_prior",
    "combine_priors",
    "shared_targets",
    "Phoenix",
    "PhoenixSpec",
    "Direct",
    "DirectSpec",
    "FixedSteps",
    "Adaptive",
    "make_schedule",
    "simulated_schedule",
    "genome_schedule",
    "no_pruning",
    "sparsity",
    "edge_posterior",
    "ensemble_posterior",
    "EdgePosterior",
    "PosteriorConfig",
    "edges_at_precision",
    "effects",
    "relative_effects",
    "strongest_edges",
    "edge_list",
    "score_network",
    "gene_influence",
    "pathway_test",
    "perturb",
    "generate_system",
    "simulate_study",
    "relocate_edges",
]
