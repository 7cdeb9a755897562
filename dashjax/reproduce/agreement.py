"""Saying where runs agree with the published figures, which methods differ, and whether they beat the prior alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from dashjax.sweep import PRIOR_ONLY

#: How close to a published figure counts as agreeing, in per cent points of balanced accuracy.
AGREEMENT = 3.0
#: The ordering by balanced accuracy that the paper reports.
PUBLISHED_ORDER = ("dash", "bioprune", "pinn_mp", "imp", "pathreg", "dense")

#: A paired test's p below which two methods count as different.
SIGNIFICANT = 0.05


def ordering(table: pd.DataFrame, metric: str = "balanced_accuracy") -> str:
    """Say in one sentence how methods rank by the mean of a metric, and which neighbours the seeds tell apart.

    Neighbours are compared by a paired t-test over the seeds that both finished, two-sided, not corrected for the
    number of pairs.

    Args:
        table: runs, with columns method, seed, status and the metric; one setting per method.
        metric: a column of it.
    """
    healthy = table[(table["method"] != PRIOR_ONLY) & (table["status"] != "diverged")]
    values = healthy.pivot_table(index="seed", columns="method", values=metric)
    names = values.mean().sort_values(ascending=False, kind="stable").index.to_list()
    if len(values) < 2 or len(names) < 2:
        return ""
    text = str(names[0])
    for above, below in zip(names, names[1:], strict=False):
        difference = (values[above] - values[below]).dropna().to_numpy()
        text += f" {'>' if _tell_apart(difference) else '='} {below}"
    return (
        f"By {metric.replace('_', ' ')}, {len(values)} seeds: {text} (= where a paired t-test has p ≥ {SIGNIFICANT:g})."
    )


def _tell_apart(difference: np.ndarray) -> bool:
    """Say whether a mean difference is unlike zero."""
    from scipy.stats import ttest_1samp  # late: it takes a second

    if len(difference) < 2 or np.ptp(difference) == 0:
        return bool(difference.size and difference[0] != 0)
    return bool(ttest_1samp(difference, 0.0).pvalue < SIGNIFICANT)


def agreement(rows: Sequence[dict[str, Any]]) -> str:
    """Say in one paragraph where a condition agrees with the published figures and where not."""
    known = [
        (row["method"], 100 * row["balanced_accuracy"]["mean"], row["published_balanced_accuracy"])
        for row in rows
        if row["published_balanced_accuracy"] is not None and row["balanced_accuracy"]["mean"] is not None
    ]
    prior = next((row for row in rows if row["method"] == PRIOR_ONLY), None)
    parts = []
    if known:
        close = [f"{m} ({ours:.1f} against {theirs:g})" for m, ours, theirs in known if abs(ours - theirs) <= AGREEMENT]
        far = [f"{m} ({ours:.1f} against {theirs:g})" for m, ours, theirs in known if abs(ours - theirs) > AGREEMENT]
        parts.append(f"Balanced accuracy within {AGREEMENT:g} points of the published: {', '.join(close) or 'none'}.")
        parts.append(f"Further away: {', '.join(far) or 'none'}.")
        ours_by_method = {m: ours for m, ours, _ in known}
        present = [m for m in PUBLISHED_ORDER if m in ours_by_method]
        ranked = sorted(present, key=lambda m: -ours_by_method[m])
        parts.append(
            f"The published ordering {' > '.join(present)} holds."
            if ranked == present
            else f"The published ordering is {' > '.join(present)}; ours is {' > '.join(ranked)}."
        )
    else:
        parts.append("No published figures are known for this table.")
    if prior is not None and prior["balanced_accuracy"]["mean"] is not None:
        bar, bar_rank = prior["balanced_accuracy"]["mean"], prior["aupr"]["mean"]
        fitted = [row for row in rows if row["method"] != PRIOR_ONLY and row["aupr"]["mean"] is not None]
        above = [row["method"] for row in fitted if (row["balanced_accuracy"]["mean"] or 0.0) > bar]
        ranks = [f"{row['method']} ({row['aupr']['mean']:.3f})" for row in fitted if row["aupr"]["mean"] > bar_rank]
        parts.append(
            f"The prior alone has balanced accuracy {100 * bar:.1f} and AUPR {bar_rank:.3f}; above it in balanced "
            f"accuracy: {', '.join(above) or 'no method'}; in AUPR: {', '.join(ranks) or 'no method'}."
        )
    return " ".join(parts)
