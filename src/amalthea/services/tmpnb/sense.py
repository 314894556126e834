"""What the form of the settings allows, and sense does not."""

from __future__ import annotations

from amalthea.model.errors import UsageError
from amalthea.model.units import Duration
from amalthea.services.tmpnb.errors import BadRepository
from amalthea.services.tmpnb.settings import Offer, Settings
from amalthea.services.tmpnb.starting.repositories import archive_url
from amalthea.services.tmpnb.work.bounds import Bounds

_SHORTEST_KEEP = Duration(2 * Bounds().grace)


def check(settings: Settings) -> None:
    """Raises `UsageError`."""
    names = [table.name for table in settings.environments]
    if len(set(names)) < len(names):
        raise _refused("environments", f"two environments have one name: {', '.join(names)}")
    for offer in settings.offers:
        _check_offer(offer, names, settings)
    _check_times(settings)


def _check_offer(offer: Offer, names: list[str], settings: Settings) -> None:
    if offer.environment and offer.environment not in names:
        raise _refused("offers", f"there is no such environment: {offer.environment!r}; there are {', '.join(names)}")
    if offer.repository:
        try:
            archive_url(offer.repository, settings)
        except BadRepository as error:
            raise _refused("offers", f"{offer.repository!r}: {error.message}", error.hint) from None


def _check_times(settings: Settings) -> None:
    if settings.longest < settings.lifetime:
        raise _refused("longest", "a session cannot live longer than at the most")
    if not settings.idle or not settings.lifetime:
        raise _refused("idle", "this takes some time")
    if not settings.save_every:
        raise _refused("save_every", "this takes some time")
    if settings.keep < _SHORTEST_KEEP:
        raise _refused("keep", f"saved files are kept for {_SHORTEST_KEEP} at least")


def _refused(key: str, message: str, hint: str = "") -> UsageError:
    return UsageError(message, where=f"services.tmpnb.{key}", hint=hint)
