"""The table `[services.tmpnb]` of the fleet file. The descriptions are the documentation."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from amalthea.model.spawner import Environment, Limits
from amalthea.model.units import ByteSize, Duration
from amalthea.services.tmpnb.egress.settings import EgressSettings

Url = Annotated[str, Meta(pattern=r"^https?://[^\s/?#@;,'\"<>\\]+(/[^\s;,'\"<>\\]*)?$")]
SomeUrl = Annotated[str, Meta(pattern=r"^(https?://[^\s/?#@;,'\"<>\\]+(/[^\s'\"<>\\]*)?)?$")]
Origin = Annotated[str, Meta(pattern=r"^https?://[^\s/?#@;,'\"<>\\]+$")]
Network = Annotated[str, Meta(pattern=r"^[0-9a-fA-F.:]+/[0-9]{1,3}$")]
Key = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]


class EnvironmentTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is installed where sessions run."""

    name: Annotated[Key, Meta(description="What offers call it.", examples=["python"])]
    python: Annotated[
        str,
        Meta(
            description="An interpreter, or a virtual environment, that has jupyterlab and ipykernel; for sessions as "
            "processes. Left out, the one that runs amalthea.",
            examples=["/opt/scipy"],
        ),
    ] = ""
    image: Annotated[
        str,
        Meta(description="An image that has jupyterlab; for sessions as containers.", examples=["jupyter/minimal"]),
    ] = ""
    preload: Annotated[
        tuple[str, ...],
        Meta(
            description="Modules that kernels find imported already. They cost their memory once.",
            examples=[["numpy", "pandas"]],
        ),
    ] = ()

    def environment(self) -> Environment:
        """What a spawner is told."""
        return Environment(name=self.name, python=self.python, image=self.image, preload=self.preload)


class Offer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that the front page offers to start."""

    title: Annotated[str, Meta(description="What the button says.", examples=["Empty notebook server"], min_length=1)]
    text: Annotated[str, Meta(description="A few words below it.", examples=["JupyterLab with Python"])] = ""
    environment: Annotated[
        str, Meta(description="The environment it runs in; the first one when left out.", examples=["python"])
    ] = ""
    repository: Annotated[
        str,
        Meta(
            description="Files it begins with: `gh/user/repository/ref`, `gl/group/project/ref` or `gist/user/id/ref`.",
            examples=["gh/ipython/ipython-in-depth/HEAD"],
        ),
    ] = ""
    directory: Annotated[
        str, Meta(description="Files it begins with: a directory of the site's machine.", examples=["/srv/welcome"])
    ] = ""
    open: Annotated[
        str,
        Meta(
            description="What the visitor sees first: a path of the notebook server, such as `lab`, `tree`, "
            "`lab/tree/index.ipynb` or `notebooks/index.ipynb`.",
            pattern=r"^[a-z]+(/[^\s?#\\]*)?$",
            examples=["lab/tree/index.ipynb"],
        ),
    ] = "lab"


class Ban(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Networks that may start nothing."""

    networks: Annotated[tuple[Network, ...], Meta(description="Which ones.", examples=[["203.0.113.0/24"]])]
    reason: Annotated[str, Meta(description="Why; they are told.", examples=["mined coins on 3 May"])]
    until: Annotated[
        date | None, Meta(description="The last day of it; for good when left out.", examples=[date(2026, 12, 31)])
    ] = None


ENVIRONMENTS = (EnvironmentTable(name="python"),)
OFFERS = (
    Offer(title="JupyterLab", text="An empty server with Python, in the interface that has everything"),
    Offer(title="Notebook", text="The same, in the interface with one notebook at a time", open="tree"),
)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Temporary notebook servers."""

    backend: Annotated[
        Literal["process", "docker"],
        Meta(
            description="What a session is: a sandboxed process of this machine, forked in a tenth of a second, or a "
            "container of its Docker engine.",
            examples=["docker"],
        ),
    ] = "process"
    environments: Annotated[
        tuple[EnvironmentTable, ...],
        Meta(description="What is installed where sessions run.", min_length=1, examples=[[{"name": "python"}]]),
    ] = ENVIRONMENTS
    offers: Annotated[tuple[Offer, ...], Meta(description="What the front page offers to start.")] = OFFERS
    title: Annotated[str, Meta(description="The front page's heading.", examples=["Try Jupyter"])] = "Try Jupyter"
    subtitle: Annotated[str, Meta(description="A sentence below it.")] = (
        "A private notebook server, for a while. No account, nothing to install."
    )

    pool: Annotated[
        Count, Meta(description="Sessions kept ready in each environment, so that a click waits for nothing.")
    ] = 1
    capacity: Annotated[Positive, Meta(description="Sessions at once at each site, the ready ones included.")] = 20
    headroom: Annotated[
        ByteSize,
        Meta(description="Memory of the site's machine that stays free: below it, nobody new comes in there."),
    ] = ByteSize(512 << 20)
    memory: Annotated[ByteSize, Meta(description="Memory of a session, its files included.")] = ByteSize(512 << 20)
    cpu: Annotated[float, Meta(description="Cores that a session may use.", gt=0)] = 1.0
    processes: Annotated[Positive, Meta(description="Processes and threads of a session.")] = 256
    disk: Annotated[ByteSize, Meta(description="Size of a session's home.")] = ByteSize(256 << 20)
    files: Annotated[Positive, Meta(description="Files and directories in a session's home.")] = 20_000
    cpu_budget: Annotated[
        Duration, Meta(description="CPU time after which a session is slowed down, against miners.")
    ] = Duration(1800)
    slow_cpu: Annotated[float, Meta(description="Cores that are left to it then.", gt=0)] = 0.1

    idle: Annotated[
        Duration,
        Meta(
            description="How long nothing may happen before a session ends. A cell that runs is something; an open tab "
            "alone is not."
        ),
    ] = Duration(15 * 60)
    lifetime: Annotated[Duration, Meta(description="How long a session lives.")] = Duration(2 * 3600)
    more: Annotated[
        Duration, Meta(description="How much a visitor gets who asks for more time; 0 s for none.", examples=["1 h"])
    ] = Duration(3600)
    longest: Annotated[Duration, Meta(description="How long a session lives at the most, with all of that.")] = (
        Duration(6 * 3600)
    )
    warning: Annotated[Duration, Meta(description="How long before its end a session's page warns.")] = Duration(300)
    save_every: Annotated[
        Duration, Meta(description="How often the files of a session are saved, where they changed.")
    ] = Duration(10)
    keep: Annotated[Duration, Meta(description="How long saved files are kept after the end.")] = Duration(7 * 86400)

    patience: Annotated[
        Duration, Meta(description="How long a visitor waits in the queue before other places are offered.")
    ] = Duration(60)
    queue: Annotated[Count, Meta(description="Visitors who may wait at each site.")] = 200
    lite: Annotated[
        bool,
        Meta(
            description="Offer JupyterLite, which computes in the visitor's browser alone. It is built once on a "
            "machine, when somebody first wants it, from what `amalthea[lite]` installs.",
            examples=[False],
        ),
    ] = True
    fallback: Annotated[
        SomeUrl,
        Meta(
            description="Where visitors can go instead when this is full or away.",
            examples=["https://mybinder.org/v2/gh/ipython/ipython-in-depth/HEAD"],
        ),
    ] = ""

    starts: Annotated[Positive, Meta(description="Sessions that one network may start in an hour.")] = 60
    at_once: Annotated[Positive, Meta(description="Sessions that one network may have at once.")] = 20
    bans: Annotated[
        tuple[Ban, ...],
        Meta(
            description="Networks that may start nothing.",
            examples=[[{"networks": ["203.0.113.0/24"], "reason": "mined coins"}]],
        ),
    ] = ()
    trusted_proxies: Annotated[
        tuple[Network, ...],
        Meta(description="Networks of proxies in front, whose `X-Forwarded-For` is believed."),
    ] = ("127.0.0.0/8", "::1/128")
    egress: Annotated[EgressSettings, Meta(description="What sessions reach on the internet.")] = EgressSettings()

    session_hosts: Annotated[
        Literal["auto", "path", "name"],
        Meta(
            description="Where sessions are in a browser: below `/user/` of one name, or each under a name of its own "
            "below `try`, which keeps them apart and needs a wildcard in the DNS and the certificate. `auto` takes "
            "names unless the fleet is on localhost.",
            examples=["path"],
        ),
    ] = "auto"
    frame_ancestors: Annotated[
        tuple[Origin, ...],
        Meta(description="Sites that may show a session in a frame.", examples=[["https://docs.example.org"]]),
    ] = ()
    allow_origin: Annotated[
        str,
        Meta(
            description="The origin whose pages may call the API from a browser, or `*`.",
            examples=["https://docs.example.org"],
        ),
    ] = ""
    token_variable: Annotated[
        str,
        Meta(
            description="The environment variable that holds the token of the API, which a request then has to show; "
            "where it is not set, everybody may start sessions by the API, as by the page.",
            examples=["API_AUTH_TOKEN"],
        ),
    ] = "API_AUTH_TOKEN"  # noqa: S105 - a name
    github_url: Annotated[Url, Meta(description="Where archives of GitHub's repositories and gists come from.")] = (
        "https://codeload.github.com"
    )
    gitlab_url: Annotated[Url, Meta(description="Where archives of GitLab's projects come from.")] = (
        "https://gitlab.com"
    )
    archive_limit: Annotated[ByteSize, Meta(description="The largest archive of a repository that is fetched.")] = (
        ByteSize(100 << 20)
    )
    unprotected: Annotated[
        bool,
        Meta(
            description="Serve the public although a wall around sessions is missing on a site's machine. "
            "`amalthea doctor` says which.",
            examples=[True],
        ),
    ] = False

    @property
    def limits(self) -> Limits:
        """What one session may use."""
        return Limits(memory=self.memory, cpu=self.cpu, processes=self.processes, disk=self.disk, files=self.files)
