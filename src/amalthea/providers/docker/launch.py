"""From an order to a container whose server listens; or to an error that says why there is none."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from aiodocker.containers import DockerContainer

from amalthea.model.errors import ProviderError
from amalthea.model.spawner import Order, Spawned
from amalthea.providers.docker.engine import Engine, obeyed
from amalthea.providers.docker.place import Place
from amalthea.providers.docker.recipe import NO_JUPYTER, Making, recipe
from amalthea.providers.docker.session import Session

_PATIENCE = 60.0
_LACKING = {127: "python3", NO_JUPYTER: "jupyterlab"}
_LINES = 5


async def launch(
    engine: Engine, order: Order, making: Making, *, place: Place, spawned: Spawned, called: str
) -> Session:
    """Start a session. Raises `ProviderError`; whatever happens, nothing of it is left but the session returned."""
    place.make()
    session = None
    try:
        container = await _created(engine, called, order, making)
        session = Session(engine, container, limits=order.limits, spawned=spawned, uid=making.uid)
        with obeyed(order.name):
            await container.start()
        await _met(container, place, making.image.name)
        await session.hold()
    except BaseException:
        await asyncio.shield(_undone(engine, called, session, place))
        raise
    return session


async def _created(engine: Engine, called: str, order: Order, making: Making) -> DockerContainer:
    """An engine goes on with what nobody waits for any longer: so this waits also when it is cancelled."""
    creating = asyncio.create_task(engine.create(called, recipe(order, making)))
    try:
        return await asyncio.shield(creating)
    except asyncio.CancelledError:
        await asyncio.wait([creating])
        raise


async def _undone(engine: Engine, called: str, session: Session | None, place: Place) -> None:
    with suppress(ProviderError):
        await engine.remove(called)
    if session is not None:
        with suppress(ProviderError):
            await session.forget(place)
    await asyncio.to_thread(place.remove)


async def _met(container: DockerContainer, place: Place, image: str) -> None:
    """Wait until its server listens, unless it ends before that."""
    meeting = asyncio.create_task(place.met())
    ending = asyncio.create_task(_status(container, image))
    try:
        done, _ = await asyncio.wait({meeting, ending}, timeout=_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        if meeting in done:
            return meeting.result()
        raise await _failure(container, image, ending.result() if ending in done else None)
    finally:
        for task in (meeting, ending):
            task.cancel()
        await asyncio.gather(meeting, ending, return_exceptions=True)


async def _status(container: DockerContainer, image: str) -> int:
    with obeyed(image):
        return int((await container.wait())["StatusCode"])


async def _failure(container: DockerContainer, image: str, status: int | None) -> ProviderError:
    if status in _LACKING:
        hint = "Install it in the image, where `python3 -c 'import jupyterlab'` finds it."
        return ProviderError(f"the image has no {_LACKING[status]}", where=image, hint=hint)
    with obeyed(image):
        said = "".join(await container.log(stdout=True, stderr=True, tail=_LINES)).strip()
    what = f"does not listen after {_PATIENCE:g} s" if status is None else f"ended with status {status} as it started"
    return ProviderError(f"its server {what}", where=image, hint=f"Its last words:\n{said}" if said else "")
