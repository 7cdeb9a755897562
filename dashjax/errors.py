"""The one error a user's mistake raises."""


class InputError(ValueError):
    """Input that cannot be used as given.

    The message is one line that names the file, the row and column or the argument, says what is
    wrong and, where there is one, the fix. The command line prints it and exits with code 2.

    Attributes:
        problem: what is wrong, in one line.
        argument: name of the argument that is, where it is one; the command line shows the option of that name.
    """

    def __init__(self, problem: str, argument: str | None = None):
        # Quoted input may bring line breaks of its own.
        self.problem, self.argument = " ".join(problem.split()), argument
        super().__init__(self.problem if argument is None else f"{argument}: {self.problem}")


def suggest(name: str, valid: list[str] | tuple[str, ...]) -> str:
    """Return `` (did you mean 'x'?)`` for the valid name closest to `name`, or an empty string."""
    import difflib

    by_lower = {v.lower(): v for v in valid}
    close = difflib.get_close_matches(name.lower(), list(by_lower), n=1)
    return f" (did you mean '{by_lower[close[0]]}'?)" if close else ""


def unknown(what: str, name: str, valid: list[str] | tuple[str, ...]) -> str:
    """Return ``unknown WHAT 'name' (did you mean 'x'?); valid: …``, which lists the valid names."""
    return f"unknown {what} '{name}'{suggest(name, valid)}; valid: {', '.join(valid)}"
