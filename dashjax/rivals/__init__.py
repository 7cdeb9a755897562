"""What a user would pick instead: simple and well-known methods of network inference, behind one interface.

Each scores every (regulator, target) pair from the same trajectories that ours sees, or from the same samples at rest.
Needs the extra `compare`.
"""

from dashjax.rivals.base import Rival, prior_first, transitions_of
from dashjax.rivals.forests import DYNGENIE3, GENIE3, GENIE3_REST
from dashjax.rivals.knockouts import KNOCKOUT_EFFECT, KNOCKOUT_ZSCORE
from dashjax.rivals.linear import CORRELATION, LASSO, RIDGE
from dashjax.rivals.precision_matrix import PORTIA
from dashjax.rivals.prior_baselines import OUT_DEGREE, PRIOR_ONLY
from dashjax.rivals.sindy import SINDY

#: All rivals by name.
RIVALS: dict[str, Rival] = {
    rival.name: rival
    for rival in (
        *(DYNGENIE3, GENIE3, LASSO, RIDGE, SINDY, CORRELATION),
        *(KNOCKOUT_EFFECT, KNOCKOUT_ZSCORE, PORTIA, GENIE3_REST),
        *(OUT_DEGREE, PRIOR_ONLY),
    )
}

__all__ = ["PRIOR_ONLY", "RIVALS", "Rival", "prior_first", "transitions_of"]
