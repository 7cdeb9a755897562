"""Gates and path penalties: L0 (Louizos 2018), C-NODE (Aliee 2021), PathReg (Aliee 2022).

Each as its own paper defines it, and as the released DASH code runs it (`…_released`): there the L0 penalty never
enters the loss, path penalties are means over gene pairs, and gates sit on inputs.
"""

from dashjax.methods.method import Method
from dashjax.sparsity import (
    GatedPathPenalty,
    GatePenalty,
    HardConcrete,
    NoPenalty,
    PathPenalty,
    ReleasedPathPenalty,
    no_pruning,
)

#: Half-decades from weak to strong.
_L0_STRENGTHS = tuple(10 ** (-9 + 0.5 * step) for step in range(9))
_PATH_STRENGTHS = tuple(10 ** (-8 + 0.5 * step) for step in range(9))
#: λ_path/λ₀ of PathReg: a gate of a 40-unit field lies on some hundreds of paths.
PATH_SHARE = 0.01


def _no_cuts(epochs: int, strength: float):
    return no_pruning()


l0 = Method(
    "l0",
    "hard-concrete gate on every weight; strength: λ₀, price of an open gate",
    schedule=_no_cuts,
    complete=False,
    gate=HardConcrete(),
    penalty=GatePenalty(HardConcrete()),
    strength=1e-7,
    strengths=_L0_STRENGTHS,
    weights=lambda strength: {"strengths": (strength, 0.0)},
)
cnode = Method(
    "cnode",
    "L1 on the end-to-end path matrix; strength: λ₁",
    schedule=_no_cuts,
    complete=False,
    penalty=PathPenalty(),
    strength=1e-6,
    strengths=_PATH_STRENGTHS,
    weights=lambda strength: {"strengths": (strength, 0.0)},
)
pathreg = Method(
    "pathreg",
    f"gates, priced by open gates and by open paths; strength: λ₀, with λ_path = {PATH_SHARE:g} λ₀",
    schedule=_no_cuts,
    complete=False,
    gate=HardConcrete(),
    penalty=GatedPathPenalty(HardConcrete()),
    strength=1e-7,
    strengths=_L0_STRENGTHS,
    weights=lambda strength: {"strengths": (strength, PATH_SHARE * strength)},
)

_RELEASED_GATE = HardConcrete(per_input=True)
_RELEASED_SHARP_GATE = HardConcrete(temperature=1 / 50, per_input=True)
l0_released = Method(
    "l0_released",
    "gates on inputs at temperature 1/50 and no penalty (released code)",
    schedule=_no_cuts,
    complete=False,
    gate=_RELEASED_SHARP_GATE,
    penalty=NoPenalty(),
)
cnode_released = Method(
    "cnode_released",
    "mean path matrix at λ₁ = 1e-3, with gates (released code)",
    schedule=_no_cuts,
    complete=False,
    gate=_RELEASED_GATE,
    penalty=PathPenalty(mean=True),
    weights=lambda strength: {"strengths": (1e-3, 0.0)},
)
pathreg_released = Method(
    "pathreg_released",
    "mean path matrices at λ₁ = 1e-3 and λ_path = 1e-4, no L0 penalty (released code)",
    schedule=_no_cuts,
    complete=False,
    gate=_RELEASED_GATE,
    penalty=ReleasedPathPenalty(_RELEASED_GATE),
    weights=lambda strength: {"strengths": (1e-3, 1e-4)},
)
