"""Pieces of work: what a lane does in one call, and what is still missing until a cell has its network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from dashjax.engine.cell import AnyCell, Cell, RivalCell
from dashjax.training import FitConfig

#: Train a run, ask whether its paths miss the observations, weigh the evidence along one run, mix what the members of
#: an ensemble say, estimate edges without any run, or let a rival rank them.
Kind = Literal["train", "judge", "weigh", "mix", "estimate", "rank"]
#: Named arrays of one finished piece, as the store keeps them.
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Item:
    """One thing to do.

    Attributes:
        kind: what.
        identity: of what comes out.
        cell: whose network it is for; a fallback's where that took over.
        member: number of an ensemble's member; None for a run of its own.
        needs: identities of the finished items that it looks at.
        given: what the store has of these.
        hides: whether some of the prior's edges are hidden from it.
    """

    kind: Kind
    identity: str
    cell: AnyCell
    member: int | None = None
    needs: tuple[str, ...] = ()
    given: tuple[Arrays, ...] = ()
    hides: bool = False

    @property
    def group(self) -> tuple:
        """What items must share to be one call of one compiled program."""
        cell = self.cell
        if isinstance(cell, RivalCell) or self.kind in ("mix", "estimate"):
            return self.kind, self.identity
        problem = cell.problem
        timing = int(cell.hyper.schedule.first_epoch), int(cell.hyper.schedule.every)
        evidence = cell.method.evidence if self.kind == "weigh" else None
        return (
            self.kind,
            cell.run_config,
            evidence,
            problem.data_fingerprint,
            problem.regulators,
            timing,
            self.member is None,
        )

    @property
    def epochs(self) -> int:
        """Epochs that it trains."""
        return self.cell.run_epochs if self.kind == "train" else 0


@dataclass(frozen=True)
class Chunk:
    """Items that one call of a compiled program takes to their end.

    Attributes:
        items: all of one group.
    """

    items: tuple[Item, ...]

    @property
    def kind(self) -> Kind:
        """What is done."""
        return self.items[0].kind

    @property
    def config(self) -> FitConfig:
        """What shapes the program."""
        cell = self.items[0].cell
        assert isinstance(cell, Cell)
        return cell.run_config


def missing_items(cell: AnyCell, found: Mapping[str, Arrays]) -> list[Item]:
    """Return what can be done now for a cell; nothing where its network is found or all else waits for other items.

    Args:
        cell: whose network is wanted.
        found: what is there, by identity.
    """
    if cell.source in found:
        return []
    if isinstance(cell, RivalCell):
        return [Item("rank", cell.source, cell)]
    if cell.resolved.method.estimator is not None:
        return [Item("estimate", cell.identity, cell.resolved)]
    if cell.method.evidence is None:
        return [Item("train", cell.identity, cell)]
    if cell.method.fallback is None:
        return _missing_parts(cell, cell, found)
    # The first member, which sees all trajectories, tells whether the others are worth training.
    first = cell.identity_of_run(0)
    if first not in found:
        return [Item("train", first, cell, 0)]
    if cell.judgement not in found:
        return [Item("judge", cell.judgement, cell, 0, (first,))]
    return _missing_parts(cell, cell.fallback if misses(found[cell.judgement]) else cell, found)


def work_left(cell: AnyCell, found: Mapping[str, Arrays]) -> tuple[int, int]:
    """Return the epochs to train and the pieces to judge or weigh until a cell has its network, as far as is known.

    Args:
        cell: whose network is wanted.
        found: what is there, by identity.
    """
    if cell.source in found:
        return 0, 0
    if isinstance(cell, RivalCell) or cell.resolved.method.estimator is not None:
        return 0, 1
    if cell.method.evidence is None:
        return cell.run_epochs, 0
    fitted, pieces = cell, 0
    if cell.method.fallback is not None:
        if cell.judgement not in found:
            pieces = 1
        elif misses(found[cell.judgement]):
            fitted = cell.fallback
    weighed = [fitted.identity_of_evidence(number) for number in range(fitted.runs)]
    weighed += [fitted.identity_of_evidence(0, hidden=True)] if cell.hides else []
    runs = sum(fitted.identity_of_run(number) not in found for number in range(fitted.runs))
    return runs * fitted.run_epochs, pieces + sum(identity not in found for identity in weighed)


def misses(judged: Arrays) -> bool:
    """Say whether whole paths miss the observations by more than single steps do."""
    return float(judged["path_error"]) > float(judged["step_error"])


def _missing_parts(wanted: Cell, fitted: Cell, found: Mapping[str, Arrays]) -> list[Item]:
    """Return what can be done now for a posterior: members to train, trained ones to weigh, or all to mix."""
    runs = [fitted.identity_of_run(number) for number in range(fitted.runs)]
    weighed = [fitted.identity_of_evidence(number) for number in range(fitted.runs)]
    items = []
    for number, (run, evidence) in enumerate(zip(runs, weighed, strict=True)):
        if run not in found:
            items.append(Item("train", run, fitted, number))
        elif evidence not in found:
            items.append(Item("weigh", evidence, fitted, number, (run,)))
    if wanted.hides:
        weighed.append(fitted.identity_of_evidence(0, hidden=True))
        if runs[0] in found and weighed[-1] not in found:
            items.append(Item("weigh", weighed[-1], fitted, 0, (runs[0],), hides=True))
    return items or [Item("mix", wanted.identity, fitted, None, (runs[0], *weighed))]


def field_arrays(arrays: Arrays) -> dict[str, Any]:
    """Return the leaves of a run's field by name."""
    return {name.removeprefix("field_"): value for name, value in arrays.items() if name.startswith("field_")}
