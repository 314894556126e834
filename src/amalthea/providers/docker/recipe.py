"""What the engine is asked to make of an order: every wall around a session, as words of its API. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from amalthea.model.spawner import Limits, Order
from amalthea.model.units import ByteSize
from amalthea.providers.docker.image import Image

HOME = "/home/jovyan"
MEETING = "/run/amalthea"
SOCKET = "sock"

PROXY_PORT = 3128
NO_JUPYTER = 69
"""The status of a container in which Python finds no JupyterLab."""

OWNER, DIRECTORY, INSTANCE = "org.amalthea.owner", "org.amalthea.directory", "org.amalthea.instance"
SESSION, ENVIRONMENT, STARTED = "org.amalthea.session", "org.amalthea.environment", "org.amalthea.started"

_SCRATCH = ByteSize(256 * 2**20)
_SHARED = ByteSize(64 * 2**20)
_LEAST_CPU = 0.01
_SERVER = f"""\
import sys
sys.path[:] = [place for place in sys.path if place]
sys.modules["rfc3987_syntax"] = None
try:
    from jupyterlab.labapp import main
except ModuleNotFoundError as error:
    print(error)
    sys.exit({NO_JUPYTER})
main()
"""
# The module that it hides checks a format that no Jupyter server asks for, and takes half of the start to load.
# A directory that is nameless is the home: a visitor's file must not stand in for a module of the server.

_PROXY = f"http://127.0.0.1:{PROXY_PORT}"


class Making(msgspec.Struct, frozen=True, kw_only=True):
    """What a container depends on besides its order.

    `uid` is the session's own. `meeting` is the host's directory in which its server makes the socket; with `proxied`,
    its programs are told of the proxy that will listen in its own network.
    """

    image: Image
    uid: int
    labels: Mapping[str, str]
    meeting: str
    proxied: bool


def recipe(order: Order, making: Making) -> dict[str, Any]:
    """The body of the engine's create call."""
    image = making.image
    return {
        "Image": image.name,
        "User": f"{making.uid}:{image.gid}",
        "Entrypoint": _command(order),
        "Cmd": [],
        "Env": [f"{key}={value}" for key, value in _environment(order, making.proxied).items()],
        "WorkingDir": HOME,
        "Hostname": "jupyter",
        "Labels": dict(making.labels),
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": {
            **_walls(),
            **_limits(order.limits),
            "Mounts": [{"Type": "bind", "Source": making.meeting, "Target": MEETING}],
            "Tmpfs": _file_systems(order.limits, making),
        },
    }


def cores(cpu: float) -> int:
    """Cores in the unit of the engine, which refuses less than a hundredth of one."""
    return int(max(cpu, _LEAST_CPU) * 10**9)


def _command(order: Order) -> list[str]:
    framing = " ".join(["frame-ancestors 'self'", *order.ancestors])
    headers = {"Content-Security-Policy": framing, "Referrer-Policy": "no-referrer"}
    return [
        "python3",
        "-c",
        _SERVER,
        "--no-browser",
        f"--ServerApp.base_url={order.base_url}",
        f"--ServerApp.sock={MEETING}/{SOCKET}",
        # The directory around it admits nobody; that its owner connects must not depend on the image's user.
        "--ServerApp.sock_mode=0666",
        f"--ServerApp.root_dir={HOME}",
        "--ServerApp.allow_remote_access=True",
        f"--ServerApp.tornado_settings={json.dumps({'headers': headers})}",
        "--LabApp.extension_manager=readonly",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]


def _environment(order: Order, proxied: bool) -> dict[str, str]:
    words = {
        "HOME": HOME,
        "USER": "jovyan",
        "LOGNAME": "jovyan",
        "JUPYTER_TOKEN": order.token,
        # It holds the token, and is none of the visitor's files.
        "JUPYTER_RUNTIME_DIR": "/tmp/jupyter",  # noqa: S108 - the session's own
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    if proxied:
        words |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), _PROXY)
        words |= dict.fromkeys(("NO_PROXY", "no_proxy"), "localhost,127.0.0.1")
    return words


def _walls() -> dict[str, Any]:
    return {
        "NetworkMode": "none",
        "IpcMode": "private",
        "CgroupnsMode": "private",
        "ReadonlyRootfs": True,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "Privileged": False,
        "PublishAllPorts": False,
        "Init": True,
        "RestartPolicy": {"Name": "no"},
        # What a session prints must not fill the host's disk.
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "256k", "max-file": "1"}},
    }


def _limits(limits: Limits) -> dict[str, Any]:
    return {
        "Memory": int(limits.memory),
        "MemorySwap": int(limits.memory),
        "NanoCpus": cores(limits.cpu),
        "PidsLimit": limits.processes,
        "ShmSize": min(int(limits.memory), _SHARED),
        "Ulimits": [
            {"Name": "nofile", "Soft": limits.open_files, "Hard": limits.open_files},
            {"Name": "core", "Soft": 0, "Hard": 0},
        ],
    }


def _file_systems(limits: Limits, making: Making) -> dict[str, str]:
    """All that can be written to. A declared volume would be a directory of the host, without bound."""
    scratch = f"exec,nosuid,nodev,size={min(int(limits.disk), _SCRATCH)},nr_inodes={limits.files}"
    covered = dict.fromkeys(making.image.volumes, f"{scratch},mode=1777")
    home = f"exec,nosuid,nodev,size={int(limits.disk)},nr_inodes={limits.files},mode=0700"
    return {**covered, "/tmp": f"{scratch},mode=1777", HOME: f"{home},uid={making.uid},gid={making.image.gid}"}  # noqa: S108
