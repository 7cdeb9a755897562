"""Figures that join the conditions of a study."""

import numpy as np
import pandas as pd

from dashjax.report.figures import added_to_prior


def test_what_is_added_to_priors_is_drawn_per_condition_with_one_mark_per_method():
    rng = np.random.default_rng(0)

    def runs(methods, outside):
        rows = [
            {"method": m, "sparsity": s, "informedness_outside_prior": o, "informedness_inside_prior": np.nan}
            for m in methods
            for s, o in zip(rng.random(2), outside, strict=True)
        ]
        prior = {"method": "prior_only", "sparsity": 0.99, "informedness_outside_prior": 0.0}
        return pd.DataFrame([*rows, prior])

    tables = {"noise-0": runs(["dash", "imp"], [0.2, 0.4]), "noise-10": runs(["imp"], [-0.1, 0.3])}
    figure = added_to_prior(tables)
    above, below = np.reshape(figure.axes, (2, 2))
    assert [axes.get_title() for axes in above] == ["noise-0", "noise-10"]
    assert above[0].get_ylabel() == "missing edges found"
    assert below[0].get_ylabel() == "false prior edges dropped"
    assert all(axes.get_ylim()[0] < -0.1 for axes in (*above, *below))

    def drawn(axes, method):
        return next(line for line in axes.lines if line.get_label() == method)

    assert sorted(drawn(above[1], "imp").get_ydata()) == [-0.1, 0.3]
    assert drawn(above[0], "imp").get_marker() == drawn(above[1], "imp").get_marker()
    assert drawn(above[0], "imp").get_marker() != drawn(above[0], "dash").get_marker()
    assert list(drawn(above[0], "prior only").get_ydata()) == [0.0, 0.0]
    # Scores that do not exist leave their panel empty.
    assert not any(line.get_label() in ("dash", "imp") for line in below[0].lines)
    (legend,) = figure.legends
    assert sorted(text.get_text() for text in legend.get_texts()) == ["dash", "imp", "no run beats it", "prior only"]
