"""`python -m amalthea`: what providers run, since it needs no script on the path."""

from amalthea.cli import main

main()
