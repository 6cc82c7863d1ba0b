"""Which models an endpoint offers, by its list of models, read without trust.

Not every endpoint has such a list, and some keys may write without being allowed to read it.
"""

import asyncio
from typing import cast

import openai
from openai import AsyncOpenAI

from core.adapters.openai_answers import narrator_error
from core.adapters.openai_errors import FOREIGN, Callee, Fault, classify, garbled, reported
from core.adapters.openai_json import fields, items, text
from core.ports import Clock

_LISTS_NO_MODELS = frozenset({400, 404, 405, 422, 501})
"""How endpoints say that they have no list of models; that is no fault."""


async def listed_models(
    client: AsyncOpenAI, callee: Callee, clock: Clock, timeout_s: float
) -> frozenset[str] | None:
    """The names of the models; None where the endpoint doesn't list any.

    Args:
        client: one try per request.
        callee: whom to name in faults.
        clock: reads how long the endpoint asks to wait.
        timeout_s: for the answer.

    Raises:
        NarratorRefusedError: the key is refused.
        NarratorUnavailableError: the endpoint is down or answers nonsense.
    """
    try:
        async with asyncio.timeout(timeout_s):
            listing = await client.get("/models", cast_to=object)
    except (*FOREIGN, TimeoutError) as error:
        if _lists_no_models(error):
            return None
        raise narrator_error(classify(error, callee, clock.now())) from None
    names = _model_names(listing)
    if names is None:
        raise narrator_error(_listing_fault(listing, callee))
    return names or None


def offers(names: frozenset[str], model: str) -> bool:
    """Whether a list holds a model; some list it with a tag or folder that calls may leave out."""
    return bool(names & {model, f"{model}:latest", f"models/{model}"})


def _lists_no_models(error: Exception) -> bool:
    if not isinstance(error, openai.APIStatusError):
        return False
    # A restricted key may write without being allowed to list.
    unlisted = error.status_code == 403 and "scope" in error.message.lower()
    return unlisted or error.status_code in _LISTS_NO_MODELS


def _model_names(listing: object) -> frozenset[str] | None:
    """The names in a list of models; None where it is no such list."""
    data = fields(listing).get("data")
    if not isinstance(data, list):
        return None
    return frozenset(text(fields(entry).get("id")) for entry in items(cast("object", data))) - {""}


def _listing_fault(listing: object, callee: Callee) -> Fault:
    return reported(listing, callee) if "error" in fields(listing) else garbled(callee)
