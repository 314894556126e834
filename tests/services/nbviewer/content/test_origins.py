from __future__ import annotations

import pytest

from amalthea.model.errors import UsageError
from amalthea.model.fleet import Names
from amalthea.services.nbviewer.content.origins import origins
from amalthea.services.nbviewer.hub.gate import HubPlace, place

HUB = {
    "JUPYTERHUB_API_TOKEN": "secret",
    "JUPYTERHUB_API_URL": "http://127.0.0.1:8081/hub/api",
    "JUPYTERHUB_SERVICE_PREFIX": "/services/nbviewer/",
}


def hub(**more: str) -> HubPlace:
    made = place(HUB | more)
    assert made is not None
    return made


def test_a_fleet_has_its_content_on_a_name_of_its_own() -> None:
    made = origins(Names(domain="example.org"))
    assert (made.own, made.content) == ("https://nbviewer.example.org", "https://content.example.org")
    assert made.hosts == ("nbviewer.example.org", "content.example.org")


def test_alone_on_a_laptop_frames_may_be_shown_at_every_name_of_the_machine() -> None:
    made = origins(Names(domain="localhost", scheme="http", port=8000))
    assert made.content == "http://content.localhost:8000"
    assert {"http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000"} <= set(made.frameable)


@pytest.mark.parametrize("domain", ["0.0.0.0", "192.0.2.7", "2001:db8::1"])
def test_below_an_address_there_is_no_name_and_so_no_content_unless_one_is_given(domain: str) -> None:
    names = Names(domain=domain, scheme="http", port=8000)
    assert origins(names).content == ""
    given = origins(names, "https://frames.example.edu/")
    behind = origins(Names(domain="localhost", scheme="http", port=8000), "https://frames.example.edu")
    assert behind.frameable == ()
    assert (given.content, given.content_host) == ("https://frames.example.edu", "frames.example.edu")
    assert given.frameable == ()


@pytest.mark.parametrize(
    "url", ["https://nbviewer.example.org", "http://NBVIEWER.example.org:8080", "https://example.org"]
)
def test_both_on_one_host_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="host of its own"):
        origins(Names(domain="example.org"), url)


def test_below_a_hub_only_what_is_given_is_known() -> None:
    assert origins(Names(domain="localhost"), hub=hub()).content == ""
    public = hub(JUPYTERHUB_PUBLIC_URL="https://hub.example.edu/services/nbviewer/")
    made = origins(Names(domain="localhost"), "https://frames.example.edu", hub=public)
    assert (made.own, made.frameable) == ("https://hub.example.edu", ("https://hub.example.edu",))


def test_an_environment_without_a_hub_is_none_and_half_a_hub_is_an_error() -> None:
    assert place({}) is None
    assert place({"JUPYTERHUB_API_TOKEN": "of a notebook server"}) is None
    with pytest.raises(UsageError, match="JUPYTERHUB_API_TOKEN and JUPYTERHUB_API_URL"):
        place({"JUPYTERHUB_SERVICE_PREFIX": "/services/nbviewer/"})


@pytest.mark.parametrize(
    ("base", "home"), [("", "/hub/"), ("/", "/hub/"), ("/jupyter/", "/jupyter/hub/"), ("jupyter", "/jupyter/hub/")]
)
def test_the_hub_is_found_below_its_own_base(base: str, home: str) -> None:
    assert hub(JUPYTERHUB_BASE_URL=base).home == home


def test_a_hub_with_a_host_of_its_own_is_named_by_it() -> None:
    made = hub(JUPYTERHUB_HOST="https://hub.example.edu", JUPYTERHUB_BASE_URL="/")
    assert made.authorize_url == "https://hub.example.edu/hub/api/oauth2/authorize"
    assert (made.client_id, made.scopes) == ("service-nbviewer", ("access:services!service=nbviewer",))
