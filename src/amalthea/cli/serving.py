"""`serve`: one process of one service, as a provider starts it or alone on a machine."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import tomllib
from pathlib import Path
from typing import Any

import click
import msgspec

from amalthea import catalogue
from amalthea.cli.place import Place
from amalthea.fleet.desired import watches
from amalthea.model.clock import system_clock
from amalthea.model.errors import UsageError
from amalthea.model.fleet import Names, Site
from amalthea.model.service import Launch, Listen, Runtime, Service
from amalthea.model.wire import builtins, convert, decode
from amalthea.store.opening import open_stores

ALONE = "alone"


@click.command()
@click.argument("service", type=click.Choice(sorted(catalogue.services())))
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="The port for visitors.")
@click.option(
    "--admin-port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="For health and metrics."
)
@click.option("--store", "stores", multiple=True, help="Where it keeps things, as a URL; several make copies.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="A setting, as in the fleet file.")
@click.pass_obj
def serve(
    place: Place,
    service: str,
    *,
    host: str,
    port: int,
    admin_port: int,
    stores: tuple[str, ...],
    pairs: tuple[str, ...],
) -> None:
    """Run SERVICE alone, in this process, until Ctrl-C.

    Its settings come from the fleet file, if there is one, and from --set.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for chatty in ("httpx2", "uvicorn.error"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    known = catalogue.services()[service]
    if text := os.environ.get("AMALTHEA_LAUNCH"):
        launch = decode(text, Launch)
        listen = Listen(
            host=os.environ.get("AMALTHEA_HOST", "127.0.0.1"),
            http=int(os.environ["AMALTHEA_PORT_HTTP"]),
            admin=int(os.environ["AMALTHEA_PORT_ADMIN"]),
        )
    else:
        launch = _alone(place, known, stores, pairs, Names(domain=f"{host}:{port}", scheme="http"))
        listen = Listen(host=host, http=port, admin=admin_port)
        click.echo(f"{service}: http://{host}:{port}/  (health and metrics: http://{host}:{admin_port}/-/metrics)")
    settings = _settings(known, launch.settings)
    asyncio.run(_serve(known, settings, launch, listen))


async def _serve(service: Service[Any], settings: Any, launch: Launch, listen: Listen) -> None:
    """Open the store and serve; SIGINT and SIGTERM end it in good order."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        async with open_stores(launch.site.stores, clock=system_clock) as store:
            runtime = Runtime(listen=listen, store=store, clock=system_clock, watches=launch.watches)
            await service.serve(settings, launch.site, runtime)
    except asyncio.CancelledError:
        return


def _alone(
    place: Place, service: Service[Any], stores: tuple[str, ...], pairs: tuple[str, ...], names: Names
) -> Launch:
    settings: dict[str, Any] = {}
    watched: tuple[Any, ...] = ()
    if place.file is not None:
        fleet = place.load()
        declared = fleet.services.get(service.name)
        settings = builtins(declared.settings) if declared else {}
        watched = tuple(watches(fleet, catalogue.services())) if service.watches else ()
    urls = tuple(_store_url(store) for store in stores) or ("memory:",)
    return Launch(
        service=service.name,
        site=Site(name=ALONE, fleet=service.name, names=names, stores=urls),
        settings=settings | dict(map(_pair, pairs)),
        watches=watched,
    )


def _store_url(text: str) -> str:
    """A plain path means a directory."""
    return text if ":" in text else Path(text).absolute().as_uri()


def _pair(text: str) -> tuple[str, Any]:
    """KEY=VALUE, where VALUE is as in the fleet file, or text without its quotes."""
    key, found, value = text.partition("=")
    if not found:
        raise UsageError("a setting is KEY=VALUE", where=f"--set {text}")
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key, value


def _settings(service: Service[Any], given: dict[str, Any]) -> Any:
    try:
        return convert(given, service.settings)
    except msgspec.ValidationError as error:
        raise UsageError(
            str(error), where=f"services.{service.name}", hint=f"See `amalthea docs services.{service.name}`."
        ) from None


COMMANDS = (serve,)
