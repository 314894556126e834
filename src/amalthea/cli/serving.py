"""`serve`: one process of one service, as a provider starts it or alone on a machine.

Each service is a command of its own, and a setting that is marked for it (`Meta(extra={"option": "DIR"})`) an option
there, so that nothing here knows what any service is about.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import tomllib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import msgspec
from msgspec import inspect

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
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@click.group()
def serve() -> None:
    """Run one service alone, in this process, until Ctrl-C.

    Its settings come from the fleet file, if there is one, and from the command line.
    """


def _command(service: Service[Any]) -> click.Command:
    """`serve NAME` for one service."""
    marked = list(_marked(service.settings))
    return click.Command(
        service.name,
        callback=click.pass_obj(partial(_run, service, [option.name for option in marked])),
        params=[*_common(), *marked],
        help=f"Run {service.name} alone, in this process, until Ctrl-C: {service.summary}.",
    )


def _common() -> list[click.Parameter]:
    port = click.IntRange(0, 65535)
    return [
        click.Option(["--host"], default=_asked_host, show_default="127.0.0.1", help="The address to listen on."),
        click.Option(["--port"], type=port, default=_asked_port, show_default="8000", help="The port for visitors."),
        click.Option(["--admin-port"], type=port, default=8001, show_default=True, help="For health and metrics."),
        click.Option(
            ["--store", "stores"],
            multiple=True,
            metavar="URL",
            help="Where it keeps things, as a URL; several make copies.",
        ),
        click.Option(["--set", "pairs"], multiple=True, metavar="KEY=VALUE", help="A setting, as in the fleet file."),
    ]


def _marked(settings: type[Any]) -> Iterator[click.Option]:
    """The settings that have an option of their own, which says what the fleet file's reference says."""
    declared = inspect.type_info(settings)
    assert isinstance(declared, inspect.StructType)
    for field in declared.fields:
        notes = field.type if isinstance(field.type, inspect.Metadata) else None
        if notes is not None and (metavar := (notes.extra or {}).get("option")):
            text = (notes.extra_json_schema or {}).get("description", "")
            yield click.Option([f"--{field.name.replace('_', '-')}", field.name], metavar=metavar, help=text)


def _asked_url() -> Any:
    """Where a JupyterHub that starts this as its service expects it."""
    return urlsplit(os.environ.get("JUPYTERHUB_SERVICE_URL", ""))


def _asked_host() -> str:
    return _asked_url().hostname or "127.0.0.1"


def _asked_port() -> int:
    return _asked_url().port or 8000


def _run(
    service: Service[Any],
    marked: list[str],
    place: Place,
    *,
    host: str,
    port: int,
    admin_port: int,
    stores: tuple[str, ...],
    pairs: tuple[str, ...],
    **given: Any,
) -> None:
    _log()
    if text := os.environ.get("AMALTHEA_LAUNCH"):
        launch = decode(text, Launch)
        listen = Listen(
            host=os.environ.get("AMALTHEA_HOST", "127.0.0.1"),
            http=int(os.environ["AMALTHEA_PORT_HTTP"]),
            admin=int(os.environ["AMALTHEA_PORT_ADMIN"]),
        )
    else:
        said = {name: given[name] for name in marked if given[name] is not None}
        launch = _alone(place, service, stores, dict(map(_pair, pairs)) | said, _names(host, port))
        listen = Listen(host=host, http=port, admin=admin_port)
        shown = f"[{host}]" if ":" in host else host
        click.echo(
            f"{service.name}: http://{shown}:{port}/  (health and metrics: http://{shown}:{admin_port}/-/metrics)"
        )
    settings = _settings(service, launch.settings)
    asyncio.run(_serve(service, settings, launch, listen))


def _log() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for chatty in ("httpx2", "uvicorn.error"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _names(host: str, port: int) -> Names:
    """What a service alone is called. `localhost` has names below it that lead to this machine; no address has."""
    return Names(domain="localhost" if host in _LOOPBACK else host, scheme="http", port=port)


async def _serve(service: Service[Any], settings: Any, launch: Launch, listen: Listen) -> None:
    """Open the store and serve; SIGINT and SIGTERM end it in good order."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        async with open_stores(launch.site.stores, clock=system_clock) as store:
            runtime = Runtime(
                listen=listen,
                store=store,
                clock=system_clock,
                watches=launch.watches,
                open_spawner=partial(catalogue.open_spawner, owner=f"{launch.site.fleet}/{launch.site.name}"),
            )
            await service.serve(settings, launch.site, runtime)
    except asyncio.CancelledError:
        return


def _alone(place: Place, service: Service[Any], stores: tuple[str, ...], said: dict[str, Any], names: Names) -> Launch:
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
        settings=settings | said,
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


for known in catalogue.services().values():
    serve.add_command(_command(known))

COMMANDS = (serve,)
