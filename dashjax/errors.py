"""The one error a user's mistake raises."""


class InputError(ValueError):
    """Input that cannot be used as given.

    The message is one line that names the file, the row and column or the argument, says what is
    wrong and, where there is one, the mend. The command line prints it and exits with code 2.
    """

    def __init__(self, message: str):
        # Quoted input may bring line breaks of its own.
        super().__init__(" ".join(message.split()))


def suggest(name: str, valid: list[str] | tuple[str, ...]) -> str:
    """Return `` (did you mean 'x'?)`` for the valid name closest to `name`, or an empty string."""
    import difflib

    by_lower = {v.lower(): v for v in valid}
    close = difflib.get_close_matches(name.lower(), list(by_lower), n=1)
    return f" (did you mean '{by_lower[close[0]]}'?)" if close else ""


def unknown(what: str, name: str, valid: list[str] | tuple[str, ...]) -> str:
    """Return ``unknown WHAT 'name' (did you mean 'x'?); valid: …``, which lists the valid names."""
    return f"unknown {what} '{name}'{suggest(name, valid)}; valid: {', '.join(valid)}"
