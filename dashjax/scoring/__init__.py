"""How good a network is: against a reference, beside its prior, and as BEELINE counts."""

from dashjax.scoring.beeline_metrics import BeelineScores, beeline_scores
from dashjax.scoring.calibration import Reliability, expected_calibration_error, reliability
from dashjax.scoring.metrics import (
    NetworkScores,
    RegulatorScores,
    SignScores,
    auroc,
    average_precision,
    balanced_accuracy,
    early_precision,
    edge_universe,
    informedness,
    score_network,
    score_regulators,
    score_signs,
)

__all__ = [
    "BeelineScores",
    "NetworkScores",
    "RegulatorScores",
    "Reliability",
    "SignScores",
    "auroc",
    "average_precision",
    "balanced_accuracy",
    "beeline_scores",
    "early_precision",
    "edge_universe",
    "expected_calibration_error",
    "informedness",
    "reliability",
    "score_network",
    "score_regulators",
    "score_signs",
]
