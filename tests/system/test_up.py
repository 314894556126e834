"""`amalthea up`: pages quickly, one at a time, and nothing left of it however it ends."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

import psutil
import pytest

from tests.system.laptop import Laptop, background, laptop

pytestmark = pytest.mark.system

ALL_UP = {"nbviewer": 200, "status": 200}


def nothing_is_left(fleet: Laptop) -> bool:
    """Until no process, port or run file of the fleet is there; 15 seconds at most."""
    end = time.monotonic() + 15
    while fleet.processes() and time.monotonic() < end:
        time.sleep(0.1)
    with socket.socket() as probe:
        free = probe.connect_ex(("127.0.0.1", fleet.port)) != 0
    return not fleet.processes() and free


def run_files(fleet: Laptop) -> list[Path]:
    return [path for path in (fleet.state / "run").rglob("*") if not path.is_dir()]


def test_up_serves_every_service_says_where_and_leaves_nothing_at_ctrl_c() -> None:
    with laptop() as fleet, background(fleet.command("up", "--plain")) as up:
        fleet.until(ALL_UP)
        assert {row["site"] for row in fleet.rows()} == {"here", "north", "south"}
        assert fleet.get("/sample").headers["x-amalthea-site"] == "north"
        up.send_signal(signal.SIGINT)
        said, _ = up.communicate(timeout=30)
        assert up.returncode == 0
        assert f"http://nbviewer.localhost:{fleet.port}/" in said
        assert "nbviewer-1 at north: ● healthy, serves visitors" in said
        assert "stopped in" in said
        assert nothing_is_left(fleet)
        assert run_files(fleet) == []


def test_a_second_up_says_that_one_runs_and_harms_nothing() -> None:
    with laptop() as fleet, background(fleet.command("up", "--plain")):
        fleet.until(ALL_UP)
        second = fleet.run("up", expect=2)
        assert "this fleet runs already: 5 workloads" in second.stderr
        assert "amalthea down" in second.stderr
        fleet.until(ALL_UP)


def test_up_ends_when_another_command_stops_everything() -> None:
    with laptop() as fleet, background(fleet.command("up", "--plain")) as up:
        fleet.until(ALL_UP)
        fleet.run("down")
        said, _ = up.communicate(timeout=30)
        assert up.returncode == 0, said
        assert nothing_is_left(fleet)


def test_nothing_is_left_when_up_is_killed() -> None:
    with laptop() as fleet, background(fleet.command("up", "--plain")) as up:
        fleet.until(ALL_UP)
        up.kill()
        up.wait()
        assert nothing_is_left(fleet)


def test_ctrl_c_while_it_starts_leaves_nothing_either() -> None:
    with laptop() as fleet, background(fleet.command("up", "--plain")) as up:
        end = time.monotonic() + 10
        while not fleet.processes() and time.monotonic() < end:
            time.sleep(0.02)
        up.send_signal(signal.SIGINT)
        up.communicate(timeout=30)
        assert nothing_is_left(fleet)


def test_a_port_in_use_is_named_before_anything_runs() -> None:
    with laptop() as fleet, socket.socket() as other:
        other.bind(("127.0.0.1", fleet.port))
        other.listen()
        for command in ("up", "apply"):
            failed = fleet.run(command, expect=4)
            assert f"port {fleet.port}" in failed.stderr
            assert f"process {os.getpid()}" in failed.stderr
            assert not fleet.processes()


def test_a_killed_service_and_a_killed_envoy_come_back_on_the_same_ports() -> None:
    with laptop() as fleet, background(fleet.command("up", "--plain")):
        fleet.until(ALL_UP)
        before = {row["key"]: row["ports"] for row in fleet.rows()}
        for process in fleet.processes():
            if process.environ().get("AMALTHEA_ROLE") != "keeper":
                process.kill()
        fleet.until(ALL_UP)
        assert {row["key"]: row["ports"] for row in fleet.rows()} == before


def test_the_edge_goes_on_alone_and_is_adopted_when_the_rest_comes_back() -> None:
    with laptop() as fleet:
        fleet.run("apply")
        fleet.until(ALL_UP)
        (envoy,) = [p for p in fleet.processes("here") if p.environ()["AMALTHEA_ROLE"] != "keeper"]
        for process in fleet.processes():
            if process.pid != envoy.pid:
                process.kill()
        fleet.until({"nbviewer": 503, "status": 503})
        sorry = fleet.get("/sample")
        assert "nbviewer is not available just now" in sorry.text
        assert f"http://status.localhost:{fleet.port}/" in sorry.text
        assert "adopted" in fleet.run("apply").stdout
        fleet.until(ALL_UP)
        assert psutil.Process(envoy.pid).is_running()
        fleet.run("down")
        assert nothing_is_left(fleet)


def test_applying_twice_changes_nothing_and_a_change_is_seen_without_an_error() -> None:
    with laptop() as fleet:
        fleet.run("apply")
        before = {p.pid for p in fleet.processes()}
        assert "5 to keep" in fleet.run("apply").stdout
        assert {p.pid for p in fleet.processes()} == before
        fleet.write(edge='home = "south"', nbviewer='hedge = "400 ms"')
        assert "replace" in fleet.run("plan").stdout
        fleet.run("apply")
        after = {p.pid for p in fleet.processes()}
        assert before - after
        assert before & after
        assert fleet.get("/sample").headers["x-amalthea-site"] == "south"


def test_stopping_the_last_copy_of_a_service_has_to_be_asked_for() -> None:
    with laptop() as fleet:
        fleet.run("apply")
        text = fleet.file.read_text()
        fleet.file.write_text(text[: text.index("[services.status]")])
        refused = fleet.run("apply", expect=3)
        assert "last-copy" in refused.stderr
        assert fleet.get(service="status").status_code == 200
        fleet.run("apply", "--allow", "last-copy")
        assert fleet.get(service="status").status_code == 404


def test_a_workload_that_does_not_come_up_leaves_the_old_one_in_place() -> None:
    with laptop() as fleet:
        fleet.run("apply")
        before = {row["key"] for row in fleet.rows()}
        fleet.write(nbviewer='local = "/nonexistent/directory"')
        failed = fleet.run("apply", expect=1)
        assert "nonexistent" in failed.stderr
        assert {row["key"] for row in fleet.rows()} == before
        assert fleet.get("/sample").status_code == 200


def test_what_is_gone_is_shown_as_gone_with_what_brings_it_back() -> None:
    with laptop() as fleet:
        fleet.run("apply")
        fleet.signal("north", signal.SIGKILL)
        shown = fleet.run("ps").stdout
        assert shown.count("✗ gone") == 2
        assert "amalthea apply" in shown
        fleet.run("apply")
        assert "✗" not in fleet.run("ps").stdout


def test_logs_are_told_apart_followed_and_harmless_to_a_terminal() -> None:
    with laptop() as fleet:
        fleet.run("apply")
        (log,) = (fleet.state / "log" / "north").glob("nbviewer-*.log")
        with log.open("a") as file:
            file.write("a page\x1b[2J\x07 of a stranger\n")
        assert "north/nbviewer-1 | a page\ufffd[2J\ufffd of a stranger" in fleet.run("logs", "nbviewer").stdout
        with background(fleet.command("logs", "-f", "-n", "0", "north")) as following:
            time.sleep(2)
            with log.open("a") as file:
                file.write("something new\n")
            time.sleep(1)
            following.send_signal(signal.SIGINT)
            said, _ = following.communicate(timeout=10)
        assert "something new" in said
        assert "Traceback" not in said
        assert following.returncode == 130
