"""Methods by name. A new one is a file that defines a `Method`, and its name in `METHODS`."""

from dashjax.errors import InputError, unknown
from dashjax.methods.dash import bioprune, dash, dense, imp
from dashjax.methods.dst import dst
from dashjax.methods.edge_resolved import activity, direct_dash, direct_l1, posterior, posterior_steps
from dashjax.methods.flow import sparseflow, synflow
from dashjax.methods.gated import cnode, cnode_released, l0, l0_released, pathreg, pathreg_released
from dashjax.methods.method import DEFAULT_TRUST, Method, Setting
from dashjax.methods.pinn import pinn, pinn_dash, pinn_mp, pinn_mp_87
from dashjax.methods.selection import ScoredSetting, score_setting, sparsest_within_one_error

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        posterior,
        posterior_steps,
        activity,
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
        pinn_mp_87,
        l0_released,
        cnode_released,
        pathreg_released,
    )
}


#: What is fitted unless the user says otherwise: the most accurate on every kind of data that we know of.
DEFAULT_METHOD = posterior.name


def find_method(name: str) -> Method:
    """Return a method by its name, or by one that it had before.

    Examples:
        >>> find_method("dash").summary
        'pruning by magnitude and prior'

    Raises:
        InputError: on an unknown name; the message lists the known ones.
    """
    if name in METHODS:
        return METHODS[name]
    renamed = next((method for method in METHODS.values() if name in method.aliases), None)
    if renamed is None:
        raise InputError(unknown("method", name, list(METHODS)))
    return renamed


__all__ = [
    "DEFAULT_METHOD",
    "DEFAULT_TRUST",
    "METHODS",
    "Method",
    "ScoredSetting",
    "Setting",
    "find_method",
    "score_setting",
    "sparsest_within_one_error",
]
