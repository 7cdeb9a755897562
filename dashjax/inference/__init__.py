"""One call from data to a network."""

from dashjax.inference.infer import describe, infer, infer_network, remarks
from dashjax.inference.progress import progress_text
from dashjax.inference.tuning import Tuned

__all__ = ["Tuned", "describe", "infer", "infer_network", "progress_text", "remarks"]
