"""Our methods against what users would pick instead, on public and simulated data with known networks."""

from dashjax.compare.results import table_of, write_comparison
from dashjax.compare.run import CORRUPTIONS, METHOD_NAMES, compare
from dashjax.compare.tasks import DATASETS, Task, load_tasks

__all__ = ["CORRUPTIONS", "DATASETS", "METHOD_NAMES", "Task", "compare", "load_tasks", "table_of", "write_comparison"]
