"""How the documentation is built: Markdown by MyST, furo as theme, reference pages made from the code."""

import sys
from pathlib import Path

import amalthea

sys.path.insert(0, str(Path(__file__).parent.parent))

project = "amalthea"
author = "The amalthea developers"
copyright = "The amalthea developers, BSD-3-Clause"
version = release = amalthea.__version__

extensions = ["myst_parser", "docs._ext.generated"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4
exclude_patterns = ["_build", "_ext"]
nitpicky = True
suppress_warnings = ["myst.header"]

html_theme = "furo"
html_title = "amalthea"
html_static_path = ["_static"]
html_css_files = ["amalthea.css"]
html_copy_source = False
html_show_sphinx = False
# Nothing is loaded from elsewhere: system fonts, no scripts but the theme's own.
html_theme_options = {
    "light_css_variables": {
        "font-stack": "system-ui, sans-serif",
        "font-stack--monospace": "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace",
        "color-brand-primary": "#a3450f",
        "color-brand-content": "#a3450f",
        "color-brand-visited": "#7a4a2b",
    },
    "dark_css_variables": {
        "color-brand-primary": "#f0925a",
        "color-brand-content": "#f0925a",
        "color-brand-visited": "#d9a584",
    },
}
