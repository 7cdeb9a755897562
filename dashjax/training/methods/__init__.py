"""Methods by name. A new one is a file that defines a `Method`, and its name in `METHODS`."""

from dashjax.errors import InputError, unknown
from dashjax.training.methods.base import DEFAULT_TRUST, Method, Setting
from dashjax.training.methods.dash import bioprune, dash, dense, imp
from dashjax.training.methods.direct import direct_dash, direct_dash_ensemble, direct_dash_ensemble_steps, direct_l1
from dashjax.training.methods.dst import dst
from dashjax.training.methods.flow import sparseflow, synflow
from dashjax.training.methods.gated import cnode, cnode_released, l0, l0_released, pathreg, pathreg_released
from dashjax.training.methods.pinn import pinn, pinn_dash, pinn_mp, pinn_mp_87

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        dense,
        pinn,
        pinn_mp,
        bioprune,
        imp,
        synflow,
        sparseflow,
        dst,
        l0,
        cnode,
        pathreg,
        dash,
        pinn_dash,
        direct_l1,
        direct_dash,
        direct_dash_ensemble,
        direct_dash_ensemble_steps,
        pinn_mp_87,
        l0_released,
        cnode_released,
        pathreg_released,
    )
}


def find_method(name: str) -> Method:
    """Return a method by name.

    Raises:
        InputError: on an unknown name; the message lists the known ones.
    """
    if name not in METHODS:
        raise InputError(unknown("method", name, list(METHODS)))
    return METHODS[name]


__all__ = ["DEFAULT_TRUST", "METHODS", "Method", "Setting", "find_method"]
