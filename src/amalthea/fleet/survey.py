"""What runs at every site, asked of all providers at once. A site that does not answer holds up no other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec

from amalthea.model.errors import Unreachable
from amalthea.model.provider import Provider
from amalthea.model.units import Duration
from amalthea.model.workload import Running

ANSWER_WITHIN = Duration(10)


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """What runs, by site and key, and why some sites could not be asked."""

    running: Mapping[str, Mapping[str, Running]]
    unreachable: Mapping[str, str] = {}


async def survey(providers: Mapping[str, Provider], *, within: Duration = ANSWER_WITHIN) -> Survey:
    """Ask every provider what runs; one that fails, or takes longer than `within`, is unreachable."""
    answers = await asyncio.gather(*(_ask(provider, within) for provider in providers.values()))
    by_site = dict(zip(providers, answers, strict=True))
    return Survey(
        running={site: answer for site, answer in by_site.items() if not isinstance(answer, str)},
        unreachable={site: answer for site, answer in by_site.items() if isinstance(answer, str)},
    )


async def _ask(provider: Provider, within: Duration) -> Mapping[str, Running] | str:
    try:
        async with asyncio.timeout(within):
            return await provider.running()
    except Unreachable as error:
        return str(error)
    except TimeoutError:
        return f"no answer within {within}"
