"""Pages: jinja2 with escaping on, and undefined names as errors. Each package keeps its own templates."""

from __future__ import annotations

from typing import Any

import jinja2

from amalthea.web.static_files import StaticFiles


class Pages:
    """The templates of some packages (earlier ones win), over those of `amalthea.web`.

    Every template can call `static(name)`; `globals` are the names that all pages of a service share.
    """

    def __init__(self, static: StaticFiles, *packages: str, **globals: Any) -> None:
        self.environment = jinja2.Environment(
            loader=jinja2.ChoiceLoader([jinja2.PackageLoader(p) for p in (*packages, "amalthea.web")]),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self.environment.globals.update(static=static.url, **globals)

    def html(self, template: str, **values: Any) -> str:
        """One page as text."""
        return self.environment.get_template(template).render(**values)
