"""Making a field sparse: masks, schedules, scores and the pruner that joins them."""

from dashjax.sparsity.masks import (
    Masks,
    apply_masks,
    count_alive,
    full_masks,
    mask_layers,
    prune_lowest,
    prune_masks,
    sparsity,
)
from dashjax.sparsity.pruner import PrunerState, Variant, init_pruner, prune
from dashjax.sparsity.schedules import (
    Schedule,
    genome_schedule,
    make_schedule,
    no_pruning,
    simulated_schedule,
)
from dashjax.sparsity.scores import dash_input_layer, dash_one_layer, dash_output_layer, dash_scores

__all__ = [
    "Masks",
    "PrunerState",
    "Schedule",
    "Variant",
    "apply_masks",
    "count_alive",
    "dash_input_layer",
    "dash_one_layer",
    "dash_output_layer",
    "dash_scores",
    "full_masks",
    "genome_schedule",
    "init_pruner",
    "make_schedule",
    "mask_layers",
    "no_pruning",
    "prune",
    "prune_lowest",
    "prune_masks",
    "simulated_schedule",
    "sparsity",
]
