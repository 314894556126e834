"""A replicated store equals a dict, whatever minority of its stores fails, hangs, forgets to answer or is emptied.

One process writes, as the model demands; it may be restarted. A repair in peace leaves all stores equal.
"""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from amalthea.model.errors import ObjectExists, ObjectMissing
from amalthea.store.debts import RECORDS
from amalthea.store.memory import MemoryStore
from amalthea.store.replicated import ReplicatedStore
from tests.contracts.store import listed_keys
from tests.store.faulty import FaultyStore, Mood
from tests.store.jumping import JumpingLoop

LIMIT = 10.0
KEYS = ("a", "a/b", "a-b")
BODIES = st.binary(max_size=3)


class ReplicatedAsDict(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=JumpingLoop)
        self.stores = {name: FaultyStore(MemoryStore()) for name in ("south", "north", "east")}
        self.store = self.opened()
        self.model: dict[str, bytes] = {}

    def opened(self) -> ReplicatedStore:
        return ReplicatedStore(self.stores, limit=LIMIT, failures=2, pause=LIMIT, seconds=self.runner.get_loop().time)

    def teardown(self) -> None:
        self.runner.run(self.store.aclose())
        self.runner.close()

    @property
    def peace(self) -> bool:
        return all(store.mood is Mood.WELL for store in self.stores.values())

    @rule(key=st.sampled_from(KEYS), body=BODIES)
    def put(self, key: str, body: bytes) -> None:
        self.runner.run(self.store.put(key, body))
        self.model[key] = body

    @rule(key=st.sampled_from(KEYS), body=BODIES)
    def create(self, key: str, body: bytes) -> None:
        if key in self.model:
            with pytest.raises(ObjectExists):
                self.runner.run(self.store.put(key, body, if_absent=True))
        else:
            self.runner.run(self.store.put(key, body, if_absent=True))
            self.model[key] = body

    @rule(key=st.sampled_from(KEYS))
    def delete(self, key: str) -> None:
        self.runner.run(self.store.delete(key))
        self.model.pop(key, None)

    @precondition(lambda self: self.peace)
    @rule(name=st.sampled_from(["south", "north", "east"]), mood=st.sampled_from(Mood))
    def lose(self, name: str, mood: Mood) -> None:
        self.stores[name].mood = mood

    @rule()
    def end_of_the_loss(self) -> None:
        """The store is back, but not yet repaired: the next loss may be another one."""
        for store in self.stores.values():
            store.mood = Mood.WELL
        self.runner.run(asyncio.sleep(2 * LIMIT))

    @rule()
    def repair(self) -> None:
        self.end_of_the_loss()
        self.runner.run(self.store.repair())
        for store in self.stores.values():
            assert self.runner.run(self.contents(store)) == self.model

    async def contents(self, store: FaultyStore) -> dict[str, bytes]:
        return {key: await store.get(key) for key in await listed_keys(store) if not key.startswith(RECORDS)}

    @precondition(lambda self: self.peace)
    @rule(name=st.sampled_from(["south", "north", "east"]))
    def empty(self, name: str) -> None:
        """A disk is replaced by an empty one."""
        self.repair()
        self.stores[name].inner = MemoryStore()
        self.repair()

    @rule()
    def restart(self) -> None:
        self.runner.run(self.store.aclose())
        self.store = self.opened()
        self.runner.run(self.store.refresh())

    @invariant()
    def equal(self) -> None:
        self.runner.run(self.compare())

    async def compare(self) -> None:
        for prefix, after in (("", ""), ("a", "a-b")):
            expected = sorted(key for key in self.model if key.startswith(prefix) and key > after)
            assert await listed_keys(self.store, prefix, after=after) == expected
        for key in KEYS:
            if key in self.model:
                assert await self.store.get(key) == self.model[key]
            else:
                with pytest.raises(ObjectMissing):
                    await self.store.get(key)


TestReplicatedAsDict = ReplicatedAsDict.TestCase
TestReplicatedAsDict.settings = settings(
    max_examples=80, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
