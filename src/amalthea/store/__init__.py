"""Bytes by key: three places to keep them, and wrappers of the same contract around those.

`memory`, `filesystem` and `bucket` are places. `guarded` (a time limit and a circuit breaker), `retrying` and
`replicated` wrap any store. `opening` makes a site's store out of URLs; it is the way in for other packages.
"""
