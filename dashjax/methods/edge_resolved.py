"""Edge-resolved methods: one weight per regulator and target, and the prior as what shrinks or prunes it less."""

from dataclasses import replace

from dashjax.dynamics import DirectSpec
from dashjax.evidence import AlongPaths, AlongSteps, ByActivity
from dashjax.methods.method import Method
from dashjax.sparsity import PriorWeightedL1, make_schedule, no_pruning
from dashjax.training import OneStep, WholeTrajectory

#: An epoch that no run reaches.
NEVER = 10**6

direct_l1 = Method(
    "direct+l1",
    "edge-resolved field, prior-weighted L1 by proximal steps; strength: λ, in units of Adam's steps",
    schedule=lambda epochs, strength: no_pruning(),
    complete=False,
    field=DirectSpec(),
    penalty=PriorWeightedL1(),
    strength=0.3,
    strengths=(0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7),
    weights=lambda strength: {"strengths": (strength, 0.0)},
)
direct_dash = Method(
    "direct+dash",
    "edge-resolved field, pruned by DASH's one-layer score",
    trust=None,
    field=DirectSpec(),
)
posterior = Method(
    "posterior",
    "edge-resolved fields on resampled whole trajectories, L1 and one late DASH cut; its network is the posterior of "
    "its edges; strength: λ of the L1",
    trust=(0.05, 0.05),
    # Late, so that magnitudes mean something; once, because the posterior and not the cut decides on edges.
    schedule=lambda epochs, strength: make_schedule(max(1, epochs // 2), 0.9, NEVER, 0.0),
    field=DirectSpec(),
    objective=WholeTrajectory(),
    penalty=PriorWeightedL1(),
    strength=0.1,
    weights=lambda strength: {"strengths": (strength, 0.0)},
    learning_rate=2e-3,
    epochs=40,
    evidence=AlongPaths(),
    members=3,
    fallback="posterior_steps",
    alternative="activity",
    aliases=("direct+dash+ensemble",),
)
posterior_steps = replace(
    posterior,
    name="posterior_steps",
    summary="the same from single steps: where the dynamics are noisy or disturbed, not only the observations",
    objective=OneStep(),
    evidence=AlongSteps(),
    fallback=None,
    alternative=None,
    aliases=("direct+dash+ensemble+steps",),
)
activity = Method(
    "activity",
    "regressions on regulators' activities in all samples, calibrated on the prior's own edges: for measured data, "
    "where a regulator's messenger RNA says little of what it does; needs a prior, fits no dynamics",
    estimator=ByActivity(),
    complete=False,
    epochs=0,
)
