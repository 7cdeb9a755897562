"""The one error a user's mistake raises."""


class InputError(ValueError):
    """Input that cannot be used as given.

    The message is one line that names the file, the row and column or the argument, says what is
    wrong and, where there is one, the fix. The command line prints it and exits with code 2.

    Examples:
        >>> try:
        ...     raise InputError("must be positive, got -1", "epochs")
        ... except InputError as error:
        ...     str(error), error.argument
        ('epochs: must be positive, got -1', 'epochs')

    Attributes:
        problem: what is wrong, in one line.
        argument: name of the argument that is, where it is one; the command line shows the option of that name.
    """

    def __init__(self, problem: str, argument: str | None = None):
        # Quoted input may bring line breaks of its own.
        self.problem, self.argument = " ".join(problem.split()), argument
        super().__init__(self.problem if argument is None else f"{argument}: {self.problem}")


#: Seeds beyond this begin anew: JAX takes their last 32 bits.
LARGEST_SEED = 2**32 - 1


def refuse_outside(value: float, low: float, high: float, argument: str) -> None:
    """Refuse a number that is not in a range, or is none.

    Raises:
        InputError: naming the argument and the bound.
    """
    if not value >= low:
        raise InputError(f"must be at least {low:,g}, got {value:g}", argument)
    if value > high:
        raise InputError(f"must be at most {high:,.0f}, got {value:,.0f}", argument)


def suggest(name: str, valid: list[str] | tuple[str, ...]) -> str:
    """Return `` (did you mean 'x'?)`` for the valid name closest to `name`, or an empty string."""
    import difflib

    by_lower = {v.lower(): v for v in valid}
    close = difflib.get_close_matches(name.lower(), list(by_lower), n=1)
    return f" (did you mean '{by_lower[close[0]]}'?)" if close else ""


def unknown(what: str, name: str, valid: list[str] | tuple[str, ...]) -> str:
    """Return ``unknown WHAT 'name' (did you mean 'x'?); valid: …``, which lists the valid names."""
    return f"unknown {what} '{name}'{suggest(name, valid)}; valid: {', '.join(valid)}"
