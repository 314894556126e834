"""Where sessions are in a browser: below `/user/` of one name, or each under a name of its own.

Under names of their own browsers keep sessions apart from each other and from the front page. Below one name they share
an origin: what runs in one could reach another that is open in the same browser. On a laptop all of them are yours.
"""

from __future__ import annotations

from amalthea.model.fleet import Names
from amalthea.services.tmpnb.sessions.session import NAME
from amalthea.web.hosts import bare

HOST = "try"


class Places:
    """Addresses of sessions. `by_name` says whether each has a name of its own."""

    def __init__(self, names: Names, *, session_hosts: str) -> None:
        local = names.domain == "localhost" or names.domain.endswith(".localhost")
        address = names.domain.replace(".", "").isdigit() or ":" in names.domain
        self.by_name = session_hosts == "name" or (session_hosts == "auto" and not local and not address)
        self._names = names
        self._suffix = f".{names.host(HOST)}"

    def url(self, session: str, path: str) -> str:
        """The address of a path of the session's server, which begins with the session's own."""
        if not self.by_name:
            return path
        front = self._names.url(HOST)
        scheme, _, rest = front.partition("://")
        return f"{scheme}://{session}.{rest}{path}"

    def front(self, path: str) -> str:
        """The address of a path of the front page."""
        return self._names.url(HOST) + path if self.by_name else path

    @property
    def origins(self) -> str:
        """The front page's origin and all sessions', as a policy writes them; "" where they are the same."""
        return f"{self.front('')} {self.url('*', '')}" if self.by_name else ""

    def session_of(self, host: str) -> str:
        """The session whose name a request's host is; "" for any other host."""
        name = bare(host)
        label = name.removesuffix(self._suffix)
        return label if self.by_name and label != name and NAME.fullmatch(label) else ""

    @property
    def secure(self) -> bool:
        """Whether browsers come by https alone."""
        return self._names.scheme == "https"
