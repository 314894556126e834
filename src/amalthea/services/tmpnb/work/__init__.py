"""What a visitor makes, kept beyond the notebook server it was made in.

    tmpnb/work/<session>/blob/<sha256>           what one file held, packed; the hash is that of the plain bytes
    tmpnb/work/<session>/snapshot/<ulid>-<site>  a manifest: which files there were, and which bytes each held

Both are immutable, and whoever writes a blob writes the same bytes. So copies of a store are merged by union, and the
newest manifest is the one whose name is the greatest. Blobs are written first and their manifest last: a manifest that
can be read is whole, and a writer that dies leaves the one before. A site removes its own manifests but the last two.

Removing a blob is where sites could hurt each other: one may be about to name what another finds without a name. So a
site names only blobs that it wrote itself a moment ago, or that its own last manifest names, which nobody else removes
before its time. And a blob goes only when no manifest of any site has named it for a while, nor anybody written it.

What is read from a store is not trusted: it came through other people's accounts. Hashes, sizes and paths are checked,
and nothing is unpacked to more than its manifest says.

work       snapshots, restoring, archives of one session's files; `taking` is how a snapshot is made
saver      does it for every living session, again and again
sweeping   lets go of what was kept for its time; `cleaning` of what newer snapshots replaced
snapshot   the manifest; `keys` and `ulid` are the names, `paths` what a path may be
choosing   which files are worth keeping, and which there is room for
blobs      bytes under their hash; `zipping` a zip, piece by piece
"""
