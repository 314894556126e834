"""The notebook viewer: an address in, a page out; a drop-in for nbviewer.org."""
