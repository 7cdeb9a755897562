"""`python -m dashjax.cli`, the same as `dashjax`."""

from dashjax.cli import main

main()
