"""Every command ends with a documented code, and says what is wrong and what to do next."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest


def amalthea(*words: str, at: Path, expect: int | None = 0) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "amalthea", *words]
    done = subprocess.run(argv, cwd=at, capture_output=True, text=True, timeout=60, check=False)
    assert expect in (None, done.returncode), f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done


def test_init_writes_a_file_that_is_good_and_never_replaces_one_unasked(tmp_path: Path) -> None:
    amalthea("init", at=tmp_path)
    assert "fleet.toml is good" in amalthea("fleet", "check", at=tmp_path).stdout
    again = amalthea("init", at=tmp_path, expect=2)
    assert "--force" in again.stderr
    amalthea("init", "--force", at=tmp_path)


def test_every_mistake_in_a_fleet_file_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "fleet.toml").write_text(
        '[fleet]\nname = "Jupyter!"\ndomain = 3\n[services.nbviewer]\nreplicas = 0\nmemmory = 1\n[edge]\non = "there"\n'
    )
    failed = amalthea("fleet", "check", at=tmp_path, expect=2)
    for word in ("fleet.name", "fleet.domain", "replicas", "memmory", "edge.on", "providers"):
        assert word in failed.stderr
    told = json.loads(amalthea("fleet", "check", "--json", at=tmp_path, expect=2).stdout)
    assert len(told["problems"]) >= 6


def test_a_file_that_is_not_there_is_told_with_what_to_do(tmp_path: Path) -> None:
    failed = amalthea("--fleet", "nowhere.toml", "plan", at=tmp_path, expect=2)
    assert "nowhere.toml" in failed.stderr
    assert "amalthea init" in failed.stderr


def test_a_plan_changes_nothing_and_names_every_workload(tmp_path: Path) -> None:
    plan: dict[str, Any] = json.loads(amalthea("plan", "--json", at=tmp_path).stdout)
    assert {(c["site"], c["service"]) for c in plan["changes"]} == {
        ("here", "edge"),
        *((site, service) for site in ("north", "south") for service in ("nbviewer", "tmpnb", "status")),
    }
    amalthea("up", "--dry-run", at=tmp_path)
    amalthea("apply", "--dry-run", at=tmp_path)
    amalthea("down", "--dry-run", at=tmp_path)
    assert not (tmp_path / ".amalthea" / "log").exists()


def test_where_nothing_runs_the_commands_say_so(tmp_path: Path) -> None:
    assert "nothing runs" in amalthea("ps", at=tmp_path).stdout
    rows = json.loads(amalthea("ps", "--json", at=tmp_path).stdout)
    assert {row["state"] for row in rows} == {"stopped"}
    assert "nothing runs" in amalthea("down", at=tmp_path).stdout
    assert "nothing runs" in amalthea("logs", at=tmp_path, expect=2).stderr


def test_docs_explain_a_key_and_offer_near_ones(tmp_path: Path) -> None:
    assert "hedge" in amalthea("docs", "services.nbviewer", at=tmp_path).stdout
    assert "listen" in amalthea("docs", "edge.listne", at=tmp_path, expect=2).stderr


def test_the_schema_is_json_and_the_template_is_toml(tmp_path: Path) -> None:
    assert json.loads(amalthea("fleet", "schema", at=tmp_path).stdout)["$schema"]
    assert tomllib.loads(amalthea("init", "--dry-run", at=tmp_path).stdout)["fleet"]["domain"] == "localhost"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_there_for_each_shell(tmp_path: Path, shell: str) -> None:
    assert "_AMALTHEA_COMPLETE" in amalthea("completion", shell, at=tmp_path).stdout


@pytest.mark.parametrize("words", [("nonsense",), ("serve", "nonsense"), ("logs", "--lines", "many"), ("up", "extra")])
def test_a_command_that_is_not_understood_exits_with_2(tmp_path: Path, words: tuple[str, ...]) -> None:
    amalthea(*words, at=tmp_path, expect=2)


def test_a_setting_that_does_not_exist_is_told_when_a_service_runs_alone(tmp_path: Path) -> None:
    failed = amalthea("serve", "nbviewer", "--set", "nonsense=1", at=tmp_path, expect=2)
    assert "nonsense" in failed.stderr
    assert "amalthea docs services.nbviewer" in failed.stderr


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    failed = amalthea("--directory", "file/below", "apply", at=tmp_path, expect=4)
    assert "file/below" in failed.stderr


def test_errors_are_json_when_json_was_asked_for(tmp_path: Path) -> None:
    failed = amalthea("--fleet", "nowhere.toml", "plan", "--json", at=tmp_path, expect=2)
    assert json.loads(failed.stderr)["where"] == "nowhere.toml"
