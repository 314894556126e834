"""The proxy in front: a pure table from fleet and site to Envoy's resources, and what runs and feeds Envoy.

`table` decides who answers what, `resources` says it in Envoy's words, `pages` are what the edge itself shows,
`envoy` runs the binary and feeds it by files. Nothing here is needed for a visitor: kill all of it, and Envoy
goes on with its last good table.
"""
