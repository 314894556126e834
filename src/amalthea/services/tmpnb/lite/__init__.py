"""Notebooks in the visitor's own browser, from our own files: what tmpnb gives when all its servers are taken.

`python -m amalthea.services.tmpnb.lite DIRECTORY` builds the site; `lite_app` serves it below a path.
"""

from amalthea.services.tmpnb.lite.building import build_site, ensure_site
from amalthea.services.tmpnb.lite.errors import BuildFailed, LiteError, PackageMissing, SiteRefused
from amalthea.services.tmpnb.lite.serving import lite_app, policy
from amalthea.services.tmpnb.lite.site import START, Site, lite_site

__all__ = [
    "START",
    "BuildFailed",
    "LiteError",
    "PackageMissing",
    "Site",
    "SiteRefused",
    "build_site",
    "ensure_site",
    "lite_app",
    "lite_site",
    "policy",
]
