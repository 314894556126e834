"""The nouns and the contracts: frozen structs and Protocols, no input or output.

Everything above this floor talks in these words, so a provider, a store or a service can be exchanged
without its neighbours noticing. Each contract has a suite in `tests/contracts` that every implementation
inherits.
"""
