"""What the published studies of simulated expression ran, and what they found."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dashjax.errors import InputError, unknown

#: Method and (sparsity, balanced accuracy) in per cent, read off the published plots (± 0.5): Hossain et al., NeurIPS
#: 2024, SIM350 at 5 % noise. None where the paper's plot shows no value.
PUBLISHED_SIM350: dict[str, tuple[float | None, float | None]] = {
    "dense": (10.0, 58.6),
    "cnode": (6.2, 55.8),
    "l0": (33.8, 54.9),
    "pathreg": (56.5, 61.9),
    "dst": (92.8, None),
    "sparseflow": (96.0, None),
    "imp": (95.9, 70.8),
    "bioprune": (83.6, 87.3),
    "pinn_mp": (87.1, 82.3),
    "dash": (94.6, 90.6),
    # The same figures beside our runs of what the paper's code does, and of the share it settled on.
    "cnode_released": (6.2, 55.8),
    "l0_released": (33.8, 54.9),
    "pathreg_released": (56.5, 61.9),
    "pinn_mp_87": (87.1, 82.3),
}
#: Epochs of the published runs, at most.
PUBLISHED_EPOCHS = 500

#: The paper's methods, and the two that set its baselines in scale.
PAPER_METHODS = (
    "dense",
    "cnode",
    "l0",
    "pathreg",
    "dst",
    "synflow",
    "sparseflow",
    "imp",
    "pinn",
    "pinn_mp",
    "bioprune",
    "dash",
    "pinn+dash",
)
#: Named variants of some, as the released code runs them or with the published setting.
RELEASED_METHODS = ("cnode_released", "l0_released", "pathreg_released", "pinn_mp_87")
#: Ours, one weight per edge.
EDGE_METHODS = ("direct+dash", "direct+l1", "posterior")
CORE_METHODS = ("dense", "imp", "sparseflow", "pinn_mp", "bioprune", "dash")


@dataclass(frozen=True)
class Condition:
    """One table of a study.

    Attributes:
        name: its folder and heading.
        genes: size of the system.
        noise: standard deviation of the observation noise.
        prior_corruption: share of prior edges misplaced.
        field: base model.
        published: published (sparsity, balanced accuracy) by method, in per cent.
    """

    name: str
    genes: int = 350
    noise: float = 0.025
    prior_corruption: float = 0.05
    field: str = "phoenix"
    published: tuple[tuple[str, tuple[float | None, float | None]], ...] = ()


@dataclass(frozen=True)
class SimulatedStudy:
    """A study of simulated expression.

    Attributes:
        name: what the command line calls it.
        title: heading of its report.
        conditions: its tables.
        methods: methods in every table.
        seeds: runs per method and condition.
        epochs: of every run.
        tries: settings tried per tuned method; None for all of a method's own grid.
        folds: cross-validation folds per setting.
        objective: what training trajectories are compared with; the paper's is "one_step".
    """

    name: str
    title: str
    conditions: tuple[Condition, ...]
    methods: tuple[str, ...] = PAPER_METHODS
    seeds: int = 5
    epochs: int = 200
    tries: int | None = None
    folds: int = 3
    objective: str = "one_step"

    def only(self, condition: str) -> SimulatedStudy:
        """Return the study with one of its conditions.

        Raises:
            InputError: on an unknown one; the message lists the known ones.
        """
        known = {c.name: c for c in self.conditions}
        if condition not in known:
            raise InputError(unknown("table", condition, list(known)), "only")
        return replace(self, conditions=(known[condition],))

    def quick(self) -> SimulatedStudy:
        """Return a study small enough for a coffee: its first two conditions, two seeds, 60 epochs, three settings."""
        few = self.conditions[:1] if len(self.methods) > len(CORE_METHODS) else self.conditions[:2]
        methods = tuple(method for method in self.methods if method not in RELEASED_METHODS)
        return replace(self, conditions=few, methods=methods, seeds=2, epochs=60, tries=3, folds=2)

    def shrunk(self, share: float) -> SimulatedStudy:
        """Return the study on generated systems of a share of the genes, with 40 epochs and two settings tried."""
        smaller = tuple(replace(c, genes=max(10, round(share * c.genes)), published=()) for c in self.conditions)
        title = f"{self.title} (here {100 * share:.0f} % of the genes)"
        return replace(self, title=title, conditions=smaller, epochs=40, tries=2)


_FIVE_PERCENT = Condition("noise-5", noise=0.025, prior_corruption=0.05, published=tuple(PUBLISHED_SIM350.items()))

SIMULATED_STUDIES: dict[str, SimulatedStudy] = {
    study.name: study
    for study in (
        SimulatedStudy(
            "sim350",
            "350 genes at 0, 5 and 10 % noise",
            methods=(*PAPER_METHODS, *RELEASED_METHODS, *EDGE_METHODS),
            conditions=(
                _FIVE_PERCENT,
                Condition("noise-0", noise=0.0, prior_corruption=0.0),
                Condition("noise-10", noise=0.05, prior_corruption=0.1),
            ),
        ),
        SimulatedStudy(
            "sim690",
            "350 against 690 genes at 5 % noise",
            (replace(_FIVE_PERCENT, name="genes-350"), Condition("genes-690", genes=690)),
            CORE_METHODS,
        ),
        SimulatedStudy(
            "prior-noise",
            "350 genes without noise, priors of 0 to 40 % misplaced edges",
            tuple(
                Condition(f"corruption-{percent}", noise=0.0, prior_corruption=percent / 100)
                for percent in (0, 5, 10, 20, 40)
            ),
            CORE_METHODS,
        ),
        SimulatedStudy(
            "mlp",
            "350 genes at 5 % noise with a plain perceptron as base model",
            (Condition("perceptron", field="mlp"), replace(_FIVE_PERCENT, name="phoenix")),
            CORE_METHODS,
        ),
        SimulatedStudy(
            "edges",
            "350 genes, whole trajectories: edge-resolved fields beside two-layer ones",
            (
                Condition("noise-5", noise=0.025, prior_corruption=0.05),
                Condition("noise-10", noise=0.05, prior_corruption=0.1),
                Condition("noise-10-corruption-20", noise=0.05, prior_corruption=0.2),
            ),
            ("dash", "pinn", *EDGE_METHODS),
            objective="whole_trajectory",
        ),
        SimulatedStudy(
            "added",
            "What is added to the prior: missing edges found, false ones dropped",
            (
                Condition("noise-5"),
                Condition("noise-5-corruption-20", prior_corruption=0.2),
                Condition("noise-5-corruption-40", prior_corruption=0.4),
                Condition("noise-10-corruption-20", noise=0.05, prior_corruption=0.2),
                Condition("genes-1000-corruption-20", genes=1000, prior_corruption=0.2),
            ),
            (*CORE_METHODS, "pinn", *EDGE_METHODS),
            tries=3,
            folds=2,
        ),
    )
}
