"""The directory that Envoy watches: resources as JSON files, each replaced whole.

Endpoints have a file for each cluster (Envoy takes no more than one assignment from a file), in a directory of their
own; clusters, routes and listeners one file each. Only renames count, so a half-written file is never read. The
version in a file is the hash of its resources: an unchanged file is not written again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from amalthea.edge.errors import EdgeUnreachable

Resource = Mapping[str, Any]


class ResourceFiles:
    """The resource files below `directory`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def publish(
        self,
        *,
        endpoints: Mapping[str, Resource],
        clusters: Sequence[Resource],
        routes: Resource,
        listener: Resource,
    ) -> dict[str, str]:
        """Write what changed, and return the version of each file by the name of Envoy's statistic for it.

        New things first and old ones last, so that nothing is ever named that is not there.
        """
        wanted = {f"cluster.{name}.version_text": self._endpoints(name, made) for name, made in endpoints.items()}
        known = {cluster["name"]: cluster for cluster in self._read("cds")}
        self._write("cds", list((known | {cluster["name"]: cluster for cluster in clusters}).values()))
        wanted[f"http.edge.rds.{routes['name']}.version_text"] = self._write("rds", [routes])
        wanted["listener_manager.lds.version_text"] = self._write("lds", [listener])
        wanted["cluster_manager.cds.version_text"] = self._write("cds", list(clusters))
        for gone in set(self._names()) - set(endpoints):
            (self.directory / "endpoints" / f"{gone}.json").unlink(missing_ok=True)
        return wanted

    def endpoints(self) -> dict[str, Resource]:
        """The assignments as they stand in the files, by cluster."""
        return {name: self._read(f"endpoints/{name}")[0] for name in self._names()}

    def write(self, path: Path, value: Any) -> None:
        """Replace one file by a complete new one. Raises `EdgeUnreachable` when the disk does not take it."""
        fresh = path.with_name(f".{path.name}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh.write_bytes(msgspec.json.encode(value))
            os.replace(fresh, path)
        except OSError as error:
            raise EdgeUnreachable(f"cannot write the edge's table: {error.strerror}", where=str(path)) from None

    def _endpoints(self, name: str, assignment: Resource) -> str:
        return self._write(f"endpoints/{name}", [assignment])

    def _write(self, kind: str, resources: Sequence[Resource]) -> str:
        version = hashlib.sha256(msgspec.json.encode(resources, order="deterministic")).hexdigest()[:16]
        path = self.directory / f"{kind}.json"
        if not path.exists() or msgspec.json.decode(path.read_bytes()).get("version_info") != version:
            self.write(path, {"version_info": version, "resources": resources})
        return version

    def _read(self, kind: str) -> list[Resource]:
        path = self.directory / f"{kind}.json"
        found: list[Resource] = msgspec.json.decode(path.read_bytes())["resources"] if path.exists() else []
        return found

    def _names(self) -> list[str]:
        return [path.stem for path in (self.directory / "endpoints").glob("*.json")]
