"""What the engine is asked to make: no engine is needed to know."""

from __future__ import annotations

from typing import Any

from amalthea.providers.docker.image import Image
from amalthea.providers.docker.recipe import HOME, Making, recipe
from tests.providers.docker.visiting import MEBIBYTE, TOKEN, order


def made(*, volumes: tuple[str, ...] = (), proxied: bool = False, **fields: Any) -> dict[str, Any]:
    image = Image(name="notebook", gid=100, volumes=volumes)
    making = Making(image=image, uid=1_900_000_000, labels={"a": "b"}, meeting="/srv/x/meeting", proxied=proxied)
    return recipe(order("ada", **fields), making)


def test_the_token_is_in_no_argument_that_a_list_of_processes_shows() -> None:
    asked = made()
    assert f"JUPYTER_TOKEN={TOKEN}" in asked["Env"]
    assert not any(TOKEN in word for word in asked["Entrypoint"])


def test_a_session_has_no_network_no_capability_and_no_port() -> None:
    host = made()["HostConfig"]
    assert host["NetworkMode"] == "none"
    assert host["CapDrop"] == ["ALL"]
    assert host["ReadonlyRootfs"]
    assert "PortBindings" not in host
    assert "seccomp" not in " ".join(host["SecurityOpt"])


def test_memory_is_not_doubled_by_swap() -> None:
    host = made()["HostConfig"]
    assert host["Memory"] == host["MemorySwap"] == 400 * MEBIBYTE


def test_the_home_is_bounded_and_belongs_to_the_session() -> None:
    options = made()["HostConfig"]["Tmpfs"][HOME].split(",")
    assert {f"size={16 * MEBIBYTE}", "nr_inodes=200", "uid=1900000000", "gid=100", "mode=0700", "nosuid"} <= set(
        options
    )


def test_a_volume_that_an_image_declares_takes_no_disk_of_the_host() -> None:
    file_systems = made(volumes=("/data",))["HostConfig"]["Tmpfs"]
    assert "size=" in file_systems["/data"]


def test_programs_are_told_of_the_proxy_only_where_there_can_be_one() -> None:
    assert "HTTPS_PROXY=http://127.0.0.1:3128" in made(proxied=True)["Env"]
    assert not any("proxy" in word.lower() for word in made()["Env"])


def test_what_a_session_prints_is_bounded() -> None:
    assert made()["HostConfig"]["LogConfig"]["Config"]["max-size"]


def test_less_than_the_engine_takes_is_the_least_that_it_takes() -> None:
    assert made(limits={"cpu": 0.0001})["HostConfig"]["NanoCpus"] == 10**7
