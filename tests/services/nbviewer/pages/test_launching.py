from __future__ import annotations

import msgspec
import pytest

from amalthea.model.wire import convert
from amalthea.services.nbviewer.pages.launching import Launching
from amalthea.services.nbviewer.settings import Launcher, Settings
from amalthea.services.nbviewer.source import Launch, Place

PLACE = Place(kind="github", url="https://raw.example/a?b", user="u", repo="r", ref="f/a", path='d/a "b".ipynb')


def buttons(url: str, place: Place | None = PLACE, **fixed: str) -> tuple[Launch, ...]:
    return Launching([Launcher(label="Go", url=url)], **fixed).buttons(place)


def test_slashes_stay_in_a_path_and_are_encoded_in_a_query() -> None:
    made = buttons("https://x.org/{user}/{repo}/{ref}?p={path}&u={url}")
    query = "p=d%2Fa%20%22b%22.ipynb&u=https%3A%2F%2Fraw.example%2Fa%3Fb"
    assert made == (Launch("Go", f"https://x.org/u/r/f/a?{query}"),)


def test_a_button_whose_words_are_empty_or_whose_place_is_unknown_is_left_out() -> None:
    assert buttons("{binder}/gh/{user}", binder="") == ()
    assert buttons("{binder}/gh/{user}", binder="https://b.org/v2/")[0].url == "https://b.org/v2/gh/u"
    assert buttons("https://x.org/{user}", Place(kind="url", url="https://x")) == ()
    assert buttons("https://x.org/{user}", None) == ()


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://{user}.org/", "https://x.org/{secret}", "/here", ""])
def test_other_templates_are_refused(url: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        convert({"launch": [{"label": "x", "url": url}]}, Settings)


def test_the_usual_buttons_are_there() -> None:
    made = Launching(Settings().launch, binder=Settings().binder_url, **{"try": ""}).buttons(PLACE)
    assert [launch.label for launch in made] == ["Binder", "Colab", "JupyterLite"]


def test_a_fleet_with_notebook_servers_of_its_own_offers_them_first() -> None:
    made = Launching(Settings().launch, binder="", **{"try": "https://try.example.org"}).buttons(PLACE)
    path = "lab%2Ftree%2Fd%2Fa%20%22b%22.ipynb"
    assert made[0] == Launch("Run it here", f"https://try.example.org/v2/gh/u/r/f/a?urlpath={path}")
