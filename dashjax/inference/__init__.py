"""One call from data to a network."""

from dashjax.inference.infer import describe, infer, infer_network, remarks
from dashjax.inference.progress import progress_text
from dashjax.inference.tuning import Tuned, folds_of, tune_setting

__all__ = ["Tuned", "describe", "folds_of", "infer", "infer_network", "progress_text", "remarks", "tune_setting"]
