"""The kinds of address that nbviewer knows, each an implementation of `source.Source`."""
