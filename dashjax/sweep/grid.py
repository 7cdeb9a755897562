"""Grids: what a sweep runs, as a validated file, and its expansion into combinations."""

from __future__ import annotations

import itertools
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from dashjax.dynamics import FIELDS
from dashjax.errors import LARGEST_SEED, InputError, suggest, unknown
from dashjax.io.tables import read_text
from dashjax.methods import DEFAULT_TRUST, find_method
from dashjax.simulate.generator import LARGEST_SYSTEM
from dashjax.training import OBJECTIVES

Share = Annotated[float, Field(ge=0, le=1)]
Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED)]
Hidden = Annotated[int, Field(ge=1, le=100_000)]
Epochs = Annotated[int, Field(ge=1, le=10_000_000)]


#: Runs of a grid, and bytes of its file, beyond which there is a mistake.
LARGEST_GRID, LARGEST_TEXT = 1_000_000, 2**24


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SimulatedSystem(_Strict):
    """A system drawn by the generator."""

    kind: Literal["simulated"]
    genes: Annotated[int, Field(ge=5, le=LARGEST_SYSTEM)]
    seed: Seed = 0


class EquationSystem(_Strict):
    """A published system of equations."""

    kind: Literal["equations"]
    equations: str
    names: str | None = None
    seed: Seed = 0


class UserData(_Strict):
    """A user's own files; lists are swept, and a list inside the list of priors is several sources of one prior.

    Samples at rest and interventions go with every expression.
    """

    expression: Annotated[tuple[str, ...], Field(min_length=1)]
    prior: tuple[str | tuple[str, ...] | None, ...] = (None,)
    regulators: str | None = None
    truth: str | None = None
    genes: str | None = None
    steady: str | None = None
    interventions: str | None = None
    layer: str | None = None
    time: str | None = None
    trajectory: str | None = None
    bins: Annotated[int, Field(ge=2)] | None = None
    perturbation: str | None = None
    control: str | None = None
    gene_symbols: str | None = None
    normalise: Literal["log1p"] | None = None
    transpose: bool = False
    match: Literal["exact", "intersect", "union"] = "exact"
    validation: Annotated[float, Field(gt=0, lt=1)] = 0.1

    @field_validator("expression", "prior", mode="before")
    @classmethod
    def _lists(cls, value: Any) -> Any:
        return value if isinstance(value, list | tuple) else [value]


class TrajectoryPlan(_Strict):
    """How many trajectories to simulate for what, and when they are observed."""

    train: Annotated[int, Field(ge=1)] = 140
    validation: Annotated[int, Field(ge=1)] = 10
    test: Annotated[int, Field(ge=1)] = 10
    times: tuple[float, ...] = (0.0, 2.0, 3.0, 7.0, 9.0)

    @field_validator("times")
    @classmethod
    def _increasing(cls, times: tuple[float, ...]) -> tuple[float, ...]:
        if len(times) < 2 or not all(map(math.isfinite, times)) or any(b <= a for a, b in itertools.pairwise(times)):
            raise ValueError("needs at least two times, each later than the one before")
        return times


def _listed(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


class MethodEntry(_Strict):
    """A method and the values of its λ and strength to sweep; what is not given is the grid's or the method's."""

    name: str
    lambda_1: tuple[Share, ...] = (DEFAULT_TRUST[0],)
    lambda_2: tuple[Share, ...] = (DEFAULT_TRUST[1],)
    strength: tuple[float, ...] = ()
    target_sparsity: Share | None = None
    epochs: Epochs | None = None

    _lists = field_validator("lambda_1", "lambda_2", "strength", mode="before")(_listed)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for strength in self.strength:
            find_method(self.name).check_strength(strength)
        return self

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        find_method(name)
        return name


class Grid(_Strict):
    """Everything a sweep runs: the product of data or noise × corruption, methods (and their λ) and seeds."""

    system: Annotated[SimulatedSystem | EquationSystem, Field(discriminator="kind")] | None = None
    data: UserData | None = None
    trajectories: TrajectoryPlan = TrajectoryPlan()
    noise: tuple[Annotated[float, Field(ge=0, le=10)], ...] = (0.025,)
    prior_corruption: tuple[Share, ...] = (0.05,)
    methods: Annotated[tuple[MethodEntry, ...], Field(min_length=1)]
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)] = (0, 1, 2)
    epochs: Epochs | None = None
    field: str = "phoenix"
    objective: str = "one_step"
    hidden: Hidden | None = None
    hidden_layers: Annotated[int, Field(ge=1)] = 1
    folds: Annotated[int, Field(ge=0)] = 0
    trajectories_per_step: Annotated[int, Field(ge=1)] = 1

    _lists = field_validator("noise", "prior_corruption", mode="before")(_listed)

    @property
    def files(self) -> list[str]:
        """Return the files that its data or its system are read from."""
        if self.data is not None:
            named: list[Any] = [getattr(self.data, key) for key in _FILES]
        else:
            named = [getattr(self.system, key, None) for key in ("equations", "names")]
        return list(dict.fromkeys(_flat(named)))

    @field_validator("field")
    @classmethod
    def _known_field(cls, name: str) -> str:
        if name not in FIELDS:
            raise ValueError(unknown("field", name, list(FIELDS)))
        return name

    @field_validator("objective")
    @classmethod
    def _known_objective(cls, name: str) -> str:
        if name not in OBJECTIVES:
            raise ValueError(unknown("objective", name, list(OBJECTIVES)))
        return name

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.system is None) == (self.data is None):
            raise ValueError("system, data: give one of the two")
        if self.data is not None:
            simulated = {"trajectories", "noise", "prior_corruption"} & self.model_fields_set
            if simulated:
                raise ValueError(f"{sorted(simulated)[0]}: only a simulated system has it")
        return self

    @model_validator(mode="after")
    def _depth_has_a_field(self) -> Self:
        if self.hidden_layers > 1 and self.field != "mlp":
            raise ValueError(f"hidden_layers: only field mlp can have {self.hidden_layers}")
        return self

    @model_validator(mode="after")
    def _enough_folds(self) -> Self:
        plan = self.trajectories
        if self.data is not None:
            return self
        most = (plan.train + plan.validation) // plan.validation
        if self.folds > most:
            raise ValueError(
                f"folds: {self.folds} folds of {plan.validation} validation trajectories out of "
                f"{plan.train + plan.validation}; at most {most}"
            )
        return self

    @field_validator("seeds", mode="before")
    @classmethod
    def _counted(cls, seeds: Any) -> Any:
        if type(seeds) is int:
            if seeds > LARGEST_GRID:
                raise ValueError(f"{seeds:,} seeds, more than {LARGEST_GRID:,}")
            return list(range(seeds))
        if isinstance(seeds, list | tuple) and len({str(seed) for seed in seeds}) < len(seeds):
            twice = next(seed for number, seed in enumerate(seeds) if seed in seeds[:number])
            raise ValueError(f"seed {twice} appears twice")
        return seeds

    @field_validator("methods", mode="before")
    @classmethod
    def _named(cls, methods: Any) -> Any:
        if not isinstance(methods, list | tuple):
            return methods
        return [{"name": method} if isinstance(method, str) else method for method in methods]


class _OnceLoader(yaml.SafeLoader):
    """Reads plain values only, and no key twice, of which the first would be lost."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key.value, str)]
        for number, key in enumerate(keys):
            if key in keys[:number] and key != "<<":
                raise yaml.constructor.ConstructorError(None, None, f"key '{key}' appears twice", node.start_mark)
        return super().construct_mapping(node, deep)


@dataclass(frozen=True)
class Combination:
    """One combination of a grid's values: what makes a cell, before its problem is there.

    Attributes:
        method: name, as the grid states it.
        seed: seeds the weights, the noise, the order of steps and the prior's corruption.
        noise: standard deviation of the observation noise.
        prior_corruption: share of prior edges moved to false places; None with a user's data.
        expression: number of the user's expression, from 0; None with a simulated system.
        prior: number of the user's prior.
        lambda_1: trust of the input layer in the prior.
        lambda_2: trust of the output layer in the prior.
        strength: the method's own number, see its summary; None for methods without one.
        fold: see `Problem.rows`.
        epochs: of every run; None for the method's own.
        target_sparsity: least pruned share at which a model may be selected; None for the method's own.
    """

    method: str
    seed: int
    noise: float
    prior_corruption: float | None
    expression: int | None
    prior: int | None
    lambda_1: float
    lambda_2: float
    strength: float | None
    fold: int
    epochs: int | None
    target_sparsity: float | None


def expand(grid: Grid) -> list[Combination]:
    """Return a grid's combinations; methods with fixed λ or without a strength run once for all values of it."""
    found = []
    folds = range(1, grid.folds + 1) if grid.folds else (0,)
    sources: list[tuple[float, float | None, int | None, int | None]]
    if grid.data is None:
        sources = [(noise, corruption, None, None) for noise in grid.noise for corruption in grid.prior_corruption]
    else:
        files = itertools.product(range(len(grid.data.expression)), range(len(grid.data.prior)))
        sources = [(0.0, None, *pair) for pair in files]
    for source, entry, seed, fold in itertools.product(sources, grid.methods, grid.seeds, folds):
        method = find_method(entry.name)
        trusts = [method.trust] if method.trust else list(itertools.product(entry.lambda_1, entry.lambda_2))
        strengths = (entry.strength or (method.strength,)) if method.strength is not None else (None,)
        epochs = entry.epochs or grid.epochs
        for trust, strength in itertools.product(trusts, strengths):
            found.append(Combination(entry.name, seed, *source, *trust, strength, fold, epochs, entry.target_sparsity))
    return list(dict.fromkeys(found))


def count_runs(grid: Grid) -> int:
    """Return how many combinations a grid has at most, without making any."""
    data = grid.data
    sources = len(grid.noise) * len(grid.prior_corruption) if data is None else len(data.expression) * len(data.prior)
    settings = sum(len(m.lambda_1) * len(m.lambda_2) * max(1, len(m.strength)) for m in grid.methods)
    return sources * settings * len(grid.seeds) * max(1, grid.folds)


def load_grid(path: Path | str) -> Grid:
    """Read a grid from YAML.

    `${NAME:-default}` stands for an environment variable. Relative paths are looked up from
    the current folder, then from the grid file's folder and the folders above it.

    Raises:
        InputError: on a missing file, invalid YAML, an unknown key (naming the valid ones) or a value out
            of range.
    """
    path = Path(path)
    text = read_text(path, LARGEST_TEXT)
    text = re.sub(r"\$\{(\w+)(?::-([^}]*))?\}", lambda m: os.environ.get(m[1], m[2] or ""), text)
    try:
        content = yaml.load(text, _OnceLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", row {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InputError(f"{path}{where}: not valid YAML ({getattr(error, 'problem', error)})") from None
    except RecursionError:
        raise InputError(f"{path}: not valid YAML (nested too deeply)") from None
    grid = parse_grid(content, str(path))
    folders = [Path.cwd(), *path.resolve().parents]
    if grid.data is not None:
        grid = grid.model_copy(update={"data": _found_data(grid.data, folders, str(path))})
    if isinstance(grid.system, EquationSystem):
        found = {
            name: _find(value, folders, f"{path}, system.{name}")
            for name in ("equations", "names")
            if (value := getattr(grid.system, name)) is not None
        }
        grid = grid.model_copy(update={"system": grid.system.model_copy(update=found)})
    return grid


def parse_grid(content: Any, source: str = "grid") -> Grid:
    """Check a grid given as plain Python values.

    Raises:
        InputError: with one line that names the key and the fix.
    """
    if not isinstance(content, dict):
        raise InputError(f"{source}: expected keys {', '.join(Grid.model_fields)}, found {type(content).__name__}")
    try:
        grid = Grid.model_validate(content)
    except ValidationError as error:
        raise InputError(f"{source}: {_explain(_worst(error.errors()))}") from None
    if (count := count_runs(grid)) > LARGEST_GRID:
        raise InputError(f"{source}: {count:,} runs, more than {LARGEST_GRID:,}; split the grid")
    return grid


def _found_data(data: UserData, folders: Sequence[Path], source: str) -> UserData:
    """Return a user's files with their places."""

    def place(key: str, value):
        if isinstance(value, tuple):
            return tuple(place(key, one) for one in value)
        return value if value is None else _find(value, folders, f"{source}, data.{key}")

    return data.model_copy(update={key: place(key, getattr(data, key)) for key in _FILES})


#: What of a user's data names files.
_FILES = ("expression", "prior", "regulators", "truth", "genes", "steady", "interventions")


def _flat(value: Any) -> list[str]:
    """Return the names in lists of lists."""
    if value is None:
        return []
    return [name for part in value for name in _flat(part)] if isinstance(value, list | tuple) else [value]


def _find(value: str, folders: Sequence[Path], where: str) -> str:
    for folder in folders:
        if (folder / value).exists():
            return str((folder / value).resolve())
    raise InputError(f"{where}: no such file '{value}'")


def _worst(errors: Sequence[Any]) -> Any:
    """Return the error to tell: an unknown key, which explains why another is missing, or the first."""
    return next((error for error in errors if error["type"] == "extra_forbidden"), errors[0])


def _explain(error: Any) -> str:
    parts = [str(part) for part in error["loc"] if part not in ("simulated", "equations")]
    parts = parts or [str(part) for part in error["loc"]]
    key = ".".join(parts)
    if error["type"] == "extra_forbidden":
        model = _model_at(error["loc"])
        valid = list(model.model_fields)
        return f"unknown key '{key}'{suggest(parts[-1], valid)}; valid: {', '.join(valid)}"
    if error["type"] == "missing":
        return f"key '{key}' is missing"
    message = error["msg"].removeprefix("Value error, ")
    where = f"{key}: " if key else ""
    return f"{where}{message}" + ("" if error["type"] == "value_error" else f", got {error['input']!r:.60}")


def _model_at(location: Sequence[Any]) -> type[BaseModel]:
    if location[0] == "data" and len(location) > 1:
        return UserData
    if location[0] == "system" and len(location) > 1:
        return EquationSystem if "equations" in location[:2] else SimulatedSystem
    if location[0] == "trajectories" and len(location) > 1:
        return TrajectoryPlan
    return MethodEntry if location[0] == "methods" and len(location) > 1 else Grid
