"""What a user would pick instead: simple and well-known methods of network inference, behind one interface.

Each scores every (regulator, target) pair from the same data that ours sees: trajectories, samples at rest,
or all samples.
Needs the extra `compare`.
"""

from dashjax.errors import InputError, unknown
from dashjax.rivals.base import Rival, prior_first, transitions_of
from dashjax.rivals.forests import DYNGENIE3, GENIE3, GENIE3_REST
from dashjax.rivals.knockouts import KNOCKOUT_EFFECT, KNOCKOUT_ZSCORE
from dashjax.rivals.linear import CORRELATION, LASSO, RIDGE
from dashjax.rivals.precision_matrix import PORTIA
from dashjax.rivals.prior_baselines import DEGREE, PRIOR_ONLY
from dashjax.rivals.samples import ACTIVITY_RIDGE, ACTIVITY_RIDGE_DEGREE, MRNA_RIDGE
from dashjax.rivals.sindy import SINDY

#: All rivals by name.
RIVALS: dict[str, Rival] = {
    rival.name: rival
    for rival in (
        *(DYNGENIE3, GENIE3, LASSO, RIDGE, SINDY, CORRELATION),
        *(KNOCKOUT_EFFECT, KNOCKOUT_ZSCORE, PORTIA, GENIE3_REST),
        *(MRNA_RIDGE, ACTIVITY_RIDGE, ACTIVITY_RIDGE_DEGREE, DEGREE, PRIOR_ONLY),
    )
}


def find_rival(name: str) -> Rival:
    """Return a rival by its name, or by one that it had before.

    Raises:
        InputError: on an unknown name; the message lists the known ones.
    """
    renamed = (rival for rival in RIVALS.values() if name in rival.aliases)
    rival = RIVALS.get(name) or next(renamed, None)
    if rival is None:
        raise InputError(unknown("method", name, list(RIVALS)))
    return rival


__all__ = ["DEGREE", "PRIOR_ONLY", "RIVALS", "Rival", "find_rival", "prior_first", "transitions_of"]
