"""The table `[services.nbviewer]` of the fleet file. The descriptions are the documentation."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from amalthea.model.units import ByteSize, Duration

# Some of these become part of a policy, so what separates the parts of one is in none of them.
Url = Annotated[str, Meta(pattern=r"^https?://[^\s/?#@;,'\"<>\\]+(/[^\s;,'\"<>\\]*)?$")]
SomeUrl = Annotated[str, Meta(pattern=r"^(https?://[^\s/?#@;,'\"<>\\]+(/[^\s;,'\"<>\\]*)?)?$")]
PolicySource = Annotated[
    str, Meta(pattern=r"^((https?|wss?):|(https?|wss?)://(\*\.)?[A-Za-z0-9.-]+(:([0-9]+|\*))?(/[^\s;,'\"]*)?)$")
]
HostName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._\[\]:-]+$")]
Port = Annotated[int, Meta(ge=1, le=65535)]
Network = Annotated[str, Meta(pattern=r"^[0-9a-fA-F.:]+/[0-9]{1,3}$")]


class Link(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One notebook on the front page."""

    text: Annotated[str, Meta(description="What the link says.", examples=["Python Data Science Handbook"])]
    target: Annotated[
        str,
        Meta(
            description="A path of this nbviewer, such as `/github/user/repo/blob/main/a.ipynb`.",
            pattern=r"^/(?!/)",
            examples=["/github/jakevdp/PythonDataScienceHandbook/blob/master/notebooks/Index.ipynb"],
        ),
    ]
    note: Annotated[str, Meta(description="A few words below it.", examples=["Jake VanderPlas"])] = ""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A headed group of links on the front page."""

    header: Annotated[str, Meta(description="The heading.", examples=["Books"])]
    links: Annotated[
        tuple[Link, ...], Meta(description="The links below it.", examples=[[{"text": "A tour", "target": "/sample"}]])
    ]


SECTIONS = (
    Section(
        header="Start here",
        links=(
            Link(text="What a page can hold", target="/sample", note="The notebook this server tests itself with"),
            Link(
                text="IPython in depth",
                target="/github/ipython/ipython/blob/6.x/examples/IPython%20Kernel/Index.ipynb",
                note="The kernel, explained by its authors",
            ),
            Link(
                text="IRuby",
                target="/github/SciRuby/sciruby-notebooks/blob/master/getting_started.ipynb",
                note="Notebooks are not only for Python",
            ),
        ),
    ),
    Section(
        header="Books",
        links=(
            Link(
                text="Python Data Science Handbook",
                target="/github/jakevdp/PythonDataScienceHandbook/blob/master/notebooks/Index.ipynb",
                note="Jake VanderPlas",
            ),
            Link(
                text="Python for Signal Processing",
                target="/github/unpingco/Python-for-Signal-Processing/tree/HEAD/",
                note="José Unpingco",
            ),
            Link(
                text="Mining the Social Web",
                target="/github/ptwobrussell/Mining-the-Social-Web-2nd-Edition/tree/master/ipynb/",
                note="Matthew A. Russell",
            ),
        ),
    ),
)


class Launcher(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A button that leads from a notebook to somewhere that runs it."""

    label: Annotated[str, Meta(description="What the button says.", examples=["Binder"], min_length=1)]
    url: Annotated[
        str,
        Meta(
            description="Where it leads. `{user}`, `{repo}` (of a gist, its id), `{ref}`, `{path}` and `{url}` (of the "
            "file itself) are filled in; so are `{binder}`, as `binder_url` has it, and `{try}`, this fleet's own "
            "notebook servers, where it has them.",
            pattern=r"^(https?://[^\s/{}]+|\{binder\}|\{try\})([^\s{}]|\{(user|repo|ref|path|url)\})*$",
            examples=["https://colab.research.google.com/github/{user}/{repo}/blob/{ref}/{path}"],
        ),
    ]
    sources: Annotated[
        tuple[Literal["github", "gist", "gitlab", "url"], ...],
        Meta(description="Where the notebooks are that have it.", examples=[["github", "gist"]]),
    ] = msgspec.field(name="for", default=("github",))


LAUNCH = (
    Launcher(
        label="Run it here", url="{try}/v2/gh/{user}/{repo}/{ref}?urlpath=lab%2Ftree%2F{path}", sources=("github",)
    ),
    Launcher(
        label="Run it here", url="{try}/v2/gist/{user}/{repo}/{ref}?urlpath=lab%2Ftree%2F{path}", sources=("gist",)
    ),
    Launcher(label="Binder", url="{binder}/gh/{user}/{repo}/{ref}?filepath={path}", sources=("github",)),
    Launcher(label="Binder", url="{binder}/gist/{user}/{repo}/{ref}?filepath={path}", sources=("gist",)),
    Launcher(
        label="Colab",
        url="https://colab.research.google.com/github/{user}/{repo}/blob/{ref}/{path}",
        sources=("github",),
    ),
    Launcher(label="Colab", url="https://colab.research.google.com/gist/{user}/{repo}/{path}", sources=("gist",)),
    Launcher(
        label="JupyterLite",
        url="https://jupyterlite.github.io/demo/lab/index.html?fromURL={url}",
        sources=("github", "gist"),
    ),
)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """nbviewer: notebooks from the web as pages."""

    github_url: Annotated[
        Url,
        Meta(
            description="Where people browse repositories; your own GitHub Enterprise, if you run one.",
            examples=["https://github.example.edu"],
        ),
    ] = "https://github.com"
    github_api_url: Annotated[
        Url,
        Meta(description="The GitHub API that goes with it.", examples=["https://github.example.edu/api/v3"]),
    ] = "https://api.github.com"
    github_raw_url: Annotated[
        Url,
        Meta(
            description="Where files come from without API calls: `/user/repo/ref/path` is appended.",
            examples=["https://github.example.edu/raw"],
        ),
    ] = "https://raw.githubusercontent.com"
    gist_url: Annotated[
        Url, Meta(description="Where people browse gists.", examples=["https://gist.github.example.edu"])
    ] = "https://gist.github.com"
    github_token_variable: Annotated[
        str,
        Meta(
            description="The environment variable that holds a GitHub token, or several with commas or spaces between "
            "them, whose budgets add up; a token itself never stands in this file. Without one, GitHub answers 60 API "
            "requests an hour.",
            examples=["GITHUB_API_TOKEN"],
        ),
    ] = "GITHUB_API_TOKEN"  # noqa: S105 - a name
    gitlab_urls: Annotated[
        tuple[Url, ...],
        Meta(
            description="GitLabs that the paste box knows by their host, and that may be inside your network. Any "
            "other is reached at `/gitlab/<host>/`, by https, if it is on the internet.",
            examples=[["https://gitlab.com", "https://gitlab.example.edu"]],
        ),
    ] = ("https://gitlab.com",)
    gitea_urls: Annotated[
        tuple[Url, ...],
        Meta(
            description="Giteas and Forgejos that the paste box knows by their host, and that may be inside your "
            "network. Any other is reached at `/gitea/<host>/`, by https, if it is on the internet.",
            examples=[["https://codeberg.org", "https://git.example.edu"]],
        ),
    ] = ("https://codeberg.org", "https://gitea.com")
    bitbucket_url: Annotated[
        Url, Meta(description="Where Bitbucket's files come from.", examples=["https://bitbucket.org"])
    ] = "https://bitbucket.org"
    bitbucket_api_url: Annotated[
        Url, Meta(description="The Bitbucket API that goes with it.", examples=["https://api.bitbucket.org/2.0"])
    ] = "https://api.bitbucket.org/2.0"
    huggingface_url: Annotated[
        Url, Meta(description="Where Hugging Face is, or a mirror of it.", examples=["https://huggingface.co"])
    ] = "https://huggingface.co"
    zenodo_url: Annotated[
        Url,
        Meta(description="Where records are, at Zenodo or an InvenioRDM of your own.", examples=["https://zenodo.org"]),
    ] = "https://zenodo.org"
    local: Annotated[
        str,
        Meta(
            description="A directory that `/localfile/` shows, hidden and unreadable names left out; off when empty.",
            examples=["/srv/notebooks"],
            extra={"option": "DIR"},
        ),
    ] = ""
    local_any_user: Annotated[
        bool,
        Meta(
            description="Show local files that not every user of the machine may read, too.",
            examples=[True],
        ),
    ] = False
    base_url: Annotated[
        str,
        Meta(
            description="The path that all of nbviewer lies below; as a service of a JupyterHub, what the hub says.",
            pattern=r"^/([A-Za-z0-9._~@%-]+/)*$",
            examples=["/nbviewer/"],
        ),
    ] = "/"
    content_url: Annotated[
        str,
        Meta(
            description="Where what notebooks run and the raw files of repositories are shown: scheme and host of a "
            "second name that leads to this process, too, and never nbviewer's own. `content.` before the domain "
            "when empty.",
            pattern=r"^(https?://[A-Za-z0-9._\[\]:-]+/?)?$",
            examples=["https://nbviewer-content.example.edu"],
        ),
    ] = ""
    frame_hosts: Annotated[
        tuple[PolicySource, ...],
        Meta(
            description="Where the scripts of notebooks may load more from, as sources of a Content-Security-Policy; "
            "an empty list keeps every page to this server's own libraries.",
            examples=[["https://cdn.jsdelivr.net"]],
        ),
    ] = ("https:",)
    private_hosts: Annotated[
        tuple[HostName, ...],
        Meta(
            description="Hosts that `/url/` may fetch although their addresses are private, as `name` or `name:port`. "
            "The GitHub hosts above need not be named.",
            examples=[["gitlab.example.edu", "notebooks.internal:8443"]],
        ),
    ] = ()
    ports: Annotated[
        tuple[Port, ...], Meta(description="The ports that `/url/` may fetch from.", examples=[[80, 443, 8080]])
    ] = (80, 443)
    redirects: Annotated[
        int,
        Meta(description="How many redirects of a source are followed.", ge=0, le=5, examples=[3]),
    ] = 3
    fetch_timeout: Annotated[
        Duration, Meta(description="The longest that fetching one notebook may take.", examples=["20 s"])
    ] = Duration(20)
    patience: Annotated[
        Duration,
        Meta(
            description="How long a visitor waits for a source to answer where there is an older copy to show.",
            examples=["2 s"],
        ),
    ] = Duration(2)
    notebook_limit: Annotated[
        ByteSize, Meta(description="The largest notebook that is fetched, unpacked.", examples=["64 MiB"])
    ] = ByteSize(64 * 2**20)
    fresh: Annotated[
        Duration,
        Meta(description="How long a copy is shown without asking its source again.", examples=["60 s"]),
    ] = Duration(60)
    retention: Annotated[Duration, Meta(description="How long copies are kept in the store.", examples=["30 d"])] = (
        Duration(30 * 86400)
    )
    cache_size: Annotated[
        ByteSize,
        Meta(
            description="How much of the store copies and pages may take in all; the oldest go first.",
            examples=["4 GiB"],
        ),
    ] = ByteSize(4 * 2**30)
    page_memory: Annotated[
        ByteSize, Meta(description="Memory for rendered pages, compressed, in each process.", examples=["64 MiB"])
    ] = ByteSize(64 * 2**20)
    source_memory: Annotated[
        ByteSize, Meta(description="Memory for fetched notebooks in each process.", examples=["64 MiB"])
    ] = ByteSize(64 * 2**20)
    renders: Annotated[
        int,
        Meta(
            description="How many notebooks one process renders at a time, each in a process of its own. The first of "
            "those is always there; the others start when there is work for them.",
            ge=1,
            le=64,
            examples=[2],
        ),
    ] = 2
    render_timeout: Annotated[
        Duration,
        Meta(
            description="The longest that rendering one notebook may take, and the longest that it may wait for its "
            "turn.",
            examples=["15 s"],
        ),
    ] = Duration(15)
    render_memory: Annotated[
        ByteSize,
        Meta(description="The most memory that a process which renders may have.", examples=["1 GiB"]),
    ] = ByteSize(2**30)
    render_queue: Annotated[
        int,
        Meta(
            description="How many more may wait; whoever comes after them is asked to come back.", ge=0, examples=[32]
        ),
    ] = 32
    rate_limit: Annotated[
        int,
        Meta(
            description="How many new pages one network (/24, or /56 of IPv6) may ask for at once, and again in each "
            "`rate_limit_interval`, little by little. Pages that are there already are not counted.",
            ge=1,
            examples=[60],
        ),
    ] = 60
    rate_limit_interval: Annotated[
        Duration, Meta(description="The time in which `rate_limit` is earned anew.", examples=["10 min"])
    ] = Duration(600)
    trusted_proxies: Annotated[
        tuple[Network, ...],
        Meta(
            description="The networks of the edge and of proxies before it: from them `X-Forwarded-For` is believed. "
            "A visitor whose own address is not known is not counted.",
            examples=[["127.0.0.0/8", "::1/128", "10.4.0.0/16"]],
        ),
    ] = ("127.0.0.0/8", "::1/128")
    hedge: Annotated[
        Duration,
        Meta(
            description="After this long without an answer the edge asks another copy of the service, too.",
            examples=["300 ms"],
        ),
    ] = Duration(0.3)
    fallback: Annotated[
        SomeUrl,
        Meta(
            description="Where visitors are sent, their path appended, when no site has nbviewer; a page when empty.",
            examples=["https://nbviewer.org"],
        ),
    ] = ""
    binder_url: Annotated[
        SomeUrl,
        Meta(
            description="The BinderHub that stands for `{binder}` in `launch`; its buttons are left out when empty.",
            examples=["https://mybinder.org/v2"],
        ),
    ] = "https://mybinder.org/v2"
    launch: Annotated[
        tuple[Launcher, ...],
        Meta(
            description="The buttons that lead from a notebook to somewhere that runs it.",
            examples=[[{"label": "Try it here", "url": "{try}/github/{user}/{repo}/{ref}", "for": ["github"]}]],
        ),
    ] = LAUNCH
    frontpage: Annotated[
        str,
        Meta(
            description="A file in nbviewer's own `frontpage.json` format, for the front page; `subtitle` and "
            "`sections` when empty.",
            examples=["/etc/nbviewer/frontpage.json"],
        ),
    ] = ""
    contact: Annotated[
        str,
        Meta(
            description="Whom the FAQ names for questions and removals: an email address or a URL; nobody when empty.",
            examples=["nbviewer@example.org"],
        ),
    ] = ""
    subtitle: Annotated[
        str, Meta(description="The line below the name on the front page.", examples=["Notebooks, for reading"])
    ] = "Any Jupyter notebook on the web, as a page to read and to link to"
    sections: Annotated[
        tuple[Section, ...],
        Meta(
            description="The links on the front page.",
            examples=[[{"header": "Books", "links": [{"text": "A tour", "target": "/sample"}]}]],
        ),
    ] = SECTIONS
