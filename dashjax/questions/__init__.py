"""What one asks of fitted dynamics: who has influence, which pathways do, and who responds to a perturbation."""

from dashjax.questions.combined import Measured, Prediction, measured_effects, predict_rest
from dashjax.questions.influence import (
    Influence,
    OnGenes,
    gene_influence,
    has_influence,
    influence_table,
    measure_influence,
    random_starts,
    response_times,
)
from dashjax.questions.pathways import (
    PathwayTest,
    benjamini_hochberg,
    bonferroni,
    pathway_table,
    pathway_test,
    permutation_tests,
)
from dashjax.questions.perturbation import (
    RELATIONS,
    Clamped,
    Response,
    member_paths,
    path_lengths,
    perturb,
    perturb_members,
    predict_members,
    response_table,
)

__all__ = [
    "RELATIONS",
    "Clamped",
    "Influence",
    "Measured",
    "OnGenes",
    "PathwayTest",
    "Prediction",
    "Response",
    "benjamini_hochberg",
    "bonferroni",
    "gene_influence",
    "has_influence",
    "influence_table",
    "measure_influence",
    "measured_effects",
    "member_paths",
    "path_lengths",
    "pathway_table",
    "pathway_test",
    "permutation_tests",
    "perturb",
    "perturb_members",
    "predict_members",
    "predict_rest",
    "random_starts",
    "response_table",
    "response_times",
]
