"""amalthea: the public services of a notebook community, on several accounts, behind one edge."""

__version__ = "0.1.0"
