"""Every method on every task with every prior, each result kept as soon as it is there."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd

from dashjax.compare.tasks import Task
from dashjax.data import make_prior
from dashjax.errors import InputError
from dashjax.evidence import edges_at_precision
from dashjax.io import make_folder
from dashjax.jobs.network import fit_network
from dashjax.networks import beeline_scores, edge_list, edge_universe, relative_effects, score_network
from dashjax.rivals import RIVALS
from dashjax.simulate import relocate_edges
from dashjax.sweep.store import write_atomically
from dashjax.training import METHODS, FitConfig, find_method

PRIOR_ONLY = "prior_only"
#: What is compared if the user does not say.
METHOD_NAMES = ("direct+dash+ensemble", *RIVALS, PRIOR_ONLY)
#: Shares of the true edges that are misplaced in the prior; None is no prior at all.
CORRUPTIONS: tuple[float | None, ...] = (None, 0.0, 0.1, 0.2, 0.4)
#: Expected precision of the edge set that an ensemble returns.
PRECISION = 0.9
#: What rivals found that do not weigh a prior, the same with every prior: by task and name, scores, seconds and memory.
Unweighted = dict[tuple[str, str], tuple[np.ndarray, float, float]]
#: Called with comparisons done, comparisons to do, and what is next.
OnProgress = Callable[[int, int, str], None]


def compare(
    tasks: Sequence[Task],
    out: Path,
    methods: Sequence[str] = METHOD_NAMES,
    corruptions: Sequence[float | None] = CORRUPTIONS,
    epochs: int = 60,
    seed: int = 0,
    on_progress: OnProgress = lambda done, total, text: None,
) -> pd.DataFrame:
    """Run methods on tasks; what `out` holds already is not run again, and what else it holds is added.

    All methods see the same trajectories and the same prior. Rivals that cannot weigh a prior rank its edges first.
    Scores count ordered pairs of genes without self loops; BEELINE's are as it defines them.

    Args:
        tasks: networks to infer.
        out: results folder.
        methods: names of rivals, of methods of ours, or prior_only.
        corruptions: priors, see `CORRUPTIONS`.
        epochs: of every run of ours.
        seed: of priors, methods and forests.
        on_progress: told before every comparison.

    Returns:
        A row per task, prior and method: those asked for, then what `out` has from earlier calls with the same seed and
        epochs.

    Raises:
        InputError: on an unknown method.
    """
    for name in methods:
        if name not in (*RIVALS, *METHODS, PRIOR_ONLY):
            raise InputError(f"--methods: unknown method '{name}'; valid: {', '.join([*RIVALS, PRIOR_ONLY, *METHODS])}")
    plan = [
        (task, corruption, name)
        for task in tasks
        for corruption in corruptions
        for name in methods
        if not (name == PRIOR_ONLY and corruption is None)
    ]
    make_folder(out / "rows")
    rows, asked = [], set()
    unweighted: Unweighted = {}
    for done, (task, corruption, name) in enumerate(plan):
        what = {"task": task.name, "group": task.group, "corruption": corruption, "method": name}
        settings = what | {"seed": seed, "epochs": epochs if name in METHODS else None}
        path = out / "rows" / f"{hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:16]}.json"
        on_progress(done, len(plan), f"{name} on {task.name}, {describe_prior(corruption)}")
        if not path.exists():
            _keep(path, settings | _run(task, corruption, name, epochs, seed, unweighted))
        rows.append(json.loads(path.read_text()))
        asked.add(path)
    on_progress(len(plan), len(plan), "")
    earlier = (json.loads(path.read_text()) for path in sorted((out / "rows").glob("*.json")) if path not in asked)
    rows += [row for row in earlier if row["seed"] == seed and row["epochs"] in (None, epochs)]
    return pd.DataFrame(rows)


def describe_prior(corruption: float | None) -> str:
    """Say what a prior is."""
    return "no prior" if corruption is None else f"prior {corruption:.0%} misplaced"


def _keep(path: Path, row: dict) -> None:
    write_atomically(path, lambda part: part.write_text(json.dumps(row)))


def _run(
    task: Task, corruption: float | None, name: str, epochs: int, seed: int, unweighted: Unweighted
) -> dict[str, float]:
    prior = np.zeros_like(task.truth)
    if corruption is not None:
        prior = relocate_edges(np.random.default_rng([seed, 5]), task.truth, corruption)
    if name in RIVALS and not RIVALS[name].knows_prior:
        if (task.name, name) not in unweighted:
            unweighted[task.name, name] = _measured(lambda: RIVALS[name].infer(task.trajectories, prior, seed))
        network, seconds, peak = unweighted[task.name, name]
        network = RIVALS[name].with_prior(network, prior)
        predicted = network != 0
    else:
        (network, predicted), seconds, peak = _measured(lambda: _infer(task, prior, name, epochs, seed))
    pairs = edge_universe(len(task.genes))
    scores = score_network(
        jnp.asarray(network), jnp.asarray(task.truth), jnp.asarray(prior), jnp.asarray(predicted), pairs
    )
    beeline = beeline_scores(edge_list(network, task.genes), edge_list(task.truth, task.genes))
    return {
        **{key: float(value) for key, value in vars(scores).items()},
        **{f"beeline_{key}": value for key, value in vars(beeline).items()},
        "seconds": seconds,
        "peak_memory_mib": peak,
    }


def _measured(call: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return what a call returns, its seconds, and its peak of memory in MiB."""
    forget_peak()
    began = time.perf_counter()
    found = call()
    return found, time.perf_counter() - began, peak_mebibytes()


def _infer(task: Task, prior: np.ndarray, name: str, epochs: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a signed ranking of all pairs, and the edges that the method returns."""
    if name == PRIOR_ONLY:
        return prior, prior != 0
    if name in RIVALS:
        network = RIVALS[name].infer(task.trajectories, prior, seed)
        return network, network != 0
    fitted = fit_network(task.trajectories, make_prior(prior), find_method(name), FitConfig(epochs=epochs), seed=seed)
    if fitted.posterior is None:
        network = np.asarray(relative_effects(fitted.result.field))
        return network, network != 0
    posterior = fitted.posterior.posterior
    probability = posterior.probability
    sign = np.where(np.asarray(posterior.activation) < 0.5, -1.0, 1.0)
    return sign * np.asarray(probability), np.asarray(edges_at_precision(probability, PRECISION))


def forget_peak() -> None:
    """Let the process's peak memory start again, where the system can (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


def peak_mebibytes() -> float:
    """Return the peak of resident memory in MiB since `forget_peak`; NaN where the system does not tell."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return float("nan")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
