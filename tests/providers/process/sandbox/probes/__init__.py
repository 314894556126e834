"""What somebody tries who wants out of a session: uploaded there and run by a kernel, so only the standard library.

Each function returns what it got hold of; nothing is what a test hopes for.
"""
