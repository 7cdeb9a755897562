"""`python -m dashjax`, the same as `dashjax`."""

from dashjax.cli import main

main()
