"""What a comparison on measured data says in words: what the data add to the prior, and what they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from dashjax.methods import METHODS
from dashjax.rivals import DEGREE, PRIOR_ONLY

#: By how much AUPR must rise over that of the prior for the data to add much, or a little: to this multiple of it, or
#: by this share of what it lacks to 1, whichever is less.
MUCH, LITTLE = (2.0, 0.5), (1.1, 0.1)
#: What sees no data, in words.
BLIND = {PRIOR_ONLY.name: "the prior", DEGREE.name: "out-degree", DEGREE.aliases[0]: "out-degree"}
#: Differences below this are those of single precision.
SLACK = 1e-6


def what_data_add(means: pd.DataFrame) -> list[str]:
    """Say for every group of measured problems what the data add to the prior, a paragraph each.

    The best of our methods is set beside the best of what sees no data: chance, the prior as it is, its out-degrees.
    Where pairs of the prior are scored too, a second sentence says the same of all others.

    Args:
        means: of `write_comparison`; groups whose priors were drawn from the truth are left out, and so are those that
            none of ours was run on.
    """
    names = {name for method in METHODS.values() for name in (method.name, *method.aliases)}
    paragraphs = []
    for group, part in means[means["own_prior"]].groupby("group", sort=False):
        methods = list(part["method"])
        ours = [name for name in methods if name in names]
        if ours:
            others = [name for name in methods if name not in names and name not in BLIND]
            paragraphs.append(f"{group}: {_of_group(part, ours, others)}")
    return paragraphs


def _of_group(means: pd.DataFrame, ours: Sequence[str], others: Sequence[str]) -> str:
    whole, outside = (dict(zip(means["method"], means[name], strict=True)) for name in ("aupr", "aupr_outside_prior"))
    text = _beside(whole, float(means["chance"].mean()), ours)
    if others:
        best = max(others, key=lambda name: whole[name])
        text += f" Of the others that see the data, {best} has most: {_short(whole[best])}."
    if PRIOR_ONLY.name in whole and any(abs(outside[name] - whole[name]) > SLACK for name in whole):
        # There, the prior alone is an order by chance.
        text += f" Outside the prior: {_beside(outside, outside[PRIOR_ONLY.name], ours)}"
    return text


def _beside(aupr: Mapping[str, float], chance: float, ours: Sequence[str]) -> str:
    """Set the best of some methods beside the best of what sees no data: chance, where the prior is no better."""
    best = max(ours, key=lambda name: aupr[name])
    blind = {BLIND[name]: value for name, value in aupr.items() if name in BLIND and value > chance + SLACK}
    bar = max(blind, key=lambda name: blind[name], default="chance")
    floor = blind.get(bar, chance)
    against = f"{_short(floor)} for {bar}" + (f" alone (chance {_short(chance)})" if blind else "")
    if aupr[best] >= _raised(floor, LITTLE):
        added = "much" if aupr[best] >= _raised(floor, MUCH) else "a little"
    else:
        added = "nothing" + (f" that {bar} does not say" if blind else "")
    return f"{best} {_short(aupr[best])} against {against}: the data add {added}."


def _raised(floor: float, least: tuple[float, float]) -> float:
    multiple, share = least
    return min(multiple * floor, floor + share * (1 - floor))


def _short(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")
