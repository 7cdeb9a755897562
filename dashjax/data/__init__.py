"""What is known before fitting: expression over time, prior beliefs, units, and the problem they make together."""

from dashjax.data.interventions import (
    KINDS,
    Intervention,
    Production,
    RestSamples,
    floor_of,
    no_intervention,
    rest_samples,
)
from dashjax.data.prior import (
    DENSE_GENES,
    Prior,
    combine_priors,
    make_prior,
    make_sparse_prior,
    matrix_from_edges,
    no_prior,
    prior_from_edges,
    shared_targets,
)
from dashjax.data.problem import Finding, HoldOut, Problem, identity_of, make_problem
from dashjax.data.settled import Settled, settle
from dashjax.data.trajectories import (
    LARGEST_EXPRESSION,
    Split,
    Trajectories,
    canonical_order,
    join,
    make_trajectories,
    pieces_of,
    single_transitions,
)
from dashjax.data.units import Units, as_given, time_only, units_of

__all__ = [
    "DENSE_GENES",
    "LARGEST_EXPRESSION",
    "Finding",
    "HoldOut",
    "Intervention",
    "KINDS",
    "Prior",
    "Problem",
    "Production",
    "RestSamples",
    "Settled",
    "Split",
    "Trajectories",
    "Units",
    "as_given",
    "canonical_order",
    "combine_priors",
    "floor_of",
    "identity_of",
    "join",
    "make_prior",
    "make_problem",
    "make_sparse_prior",
    "make_trajectories",
    "matrix_from_edges",
    "no_intervention",
    "no_prior",
    "pieces_of",
    "prior_from_edges",
    "rest_samples",
    "settle",
    "shared_targets",
    "single_transitions",
    "time_only",
    "units_of",
]
