"""The files that a session begins with.

first_files     put into its home before it is handed over
repositories    of a repository at a forge, without a build
unpacking       out of a stranger's archive
"""
