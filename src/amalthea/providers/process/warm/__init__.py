"""Notebook servers in a tenth of a second: a process that has everything imported, and forks."""
