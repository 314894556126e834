"""The content origin of a whole fleet: through a real Envoy, and alone without one."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from tests.machine import free_ports
from tests.services.nbviewer.content.test_content import with_a_plot
from tests.system.laptop import background, laptop

pytestmark = pytest.mark.system


def notebooks(directory: Path) -> Path:
    """A directory with a plot and a picture that everybody may read."""
    made = directory / "notebooks"
    made.mkdir()
    (made / "plot.ipynb").write_bytes(with_a_plot())
    (made / "peak.png").write_bytes(b"\x89PNG")
    return made


def test_a_frame_is_shown_through_the_edge_by_either_site_under_its_own_name_alone(tmp_path: Path) -> None:
    with laptop(nbviewer=f'local = "{notebooks(tmp_path)}"\nlocal_any_user = true') as fleet:
        fleet.run("apply")
        fleet.until({"nbviewer": 200, "status": 200})
        page = fleet.get("/localfile/plot.ipynb")
        found = re.search(rf'src="(http://content\.localhost:{fleet.port}(/frame/[0-9a-f]{{64}}))"', page.text)
        assert found is not None, page.text
        assert f"frame-src http://content.localhost:{fleet.port}" in page.headers["content-security-policy"]
        frame = fleet.get(found[2], service="content")
        assert (frame.status_code, frame.headers["x-amalthea-site"]) == (200, "north")
        assert "sandbox allow-scripts" in frame.headers["content-security-policy"]
        assert f"http://nbviewer.localhost:{fleet.port}" in frame.headers["content-security-policy"]
        for library in re.findall(r"\.\./lib/[^\"'\s]+", frame.text):
            assert fleet.get(library.removeprefix(".."), service="content", x_amalthea_site="south").status_code == 200
        assert fleet.get(found[2]).status_code == 404
        assert fleet.get("/sample", service="content").status_code == 404
        moved = fleet.get("/localfile/peak.png").headers["location"]
        assert moved == f"http://content.localhost:{fleet.port}/raw/localfile/peak.png"
        assert fleet.get("/raw/localfile/peak.png", service="content").content == b"\x89PNG"
        end = time.monotonic() + 10
        while (board := fleet.get("/api/board.json", service="status").json())["standing"] != "works":
            assert time.monotonic() < end, board  # its probes ask for the content origin, too
            time.sleep(0.2)


def test_alone_it_shows_a_directory_and_its_frames_on_this_machine(tmp_path: Path) -> None:
    port, admin = free_ports(2)
    words = ["serve", "nbviewer", "--port", str(port), "--admin-port", str(admin), "--local", str(notebooks(tmp_path))]
    argv = [sys.executable, "-m", "amalthea", *words, "--set", "local_any_user=true"]
    with background(argv, cwd=tmp_path) as process, httpx2.Client(verify=False, trust_env=False) as client:
        url = f"http://127.0.0.1:{port}"
        end = time.monotonic() + 15
        while time.monotonic() < end:
            try:
                page = client.get(f"{url}/localfile/plot.ipynb")
                break
            except httpx2.TransportError:
                time.sleep(0.1)
        found = re.search(rf'src="http://content\.localhost:{port}(/frame/[0-9a-f]{{64}})"', page.text)
        assert found is not None
        frame = client.get(f"{url}{found[1]}", headers={"host": f"content.localhost:{port}"})
        assert frame.status_code == 200
        assert f"http://127.0.0.1:{port}" in frame.headers["content-security-policy"]
        process.terminate()
        said, _ = process.communicate(timeout=10)
    assert f"nbviewer: http://127.0.0.1:{port}/" in said
    assert f"http://content.localhost:{port}" in said


def test_a_content_host_that_is_nbviewers_own_is_refused(tmp_path: Path) -> None:
    words = ["serve", "nbviewer", "--set", "content_url=http://localhost:9000"]
    done = subprocess.run(
        [sys.executable, "-m", "amalthea", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert done.returncode == 2
    assert "host of its own" in done.stderr
    assert "Traceback" not in done.stderr
