"""The engine: the only place that batches, stores, resumes and distributes, for one network and for a million."""

from dashjax.engine.cell import AnyCell, Cell, RivalCell
from dashjax.engine.engine import (
    collect,
    find_network,
    forget_peak,
    network_of,
    peak_mebibytes,
    run_cells,
    score_cell,
)
from dashjax.engine.local import local_executor, usable_cores
from dashjax.engine.pace import OnProgress, Progress
from dashjax.engine.store import MemoryStore, Store, read_manifest

__all__ = [
    "AnyCell",
    "Cell",
    "MemoryStore",
    "OnProgress",
    "Progress",
    "RivalCell",
    "Store",
    "collect",
    "find_network",
    "forget_peak",
    "local_executor",
    "network_of",
    "peak_mebibytes",
    "read_manifest",
    "run_cells",
    "score_cell",
    "usable_cores",
]
