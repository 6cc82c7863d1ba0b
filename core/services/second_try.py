"""What a model makes is shown to the content filter; refused, it is asked for once more.

The second request says what kinds of things to leave out. What is refused again isn't shown to
anybody, nor stored: the story pauses, and a moderator chooses how it goes on.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from core.domain.content import Bounds, listed
from core.domain.story import Usage
from core.errors import NarratorRefusedError
from core.services.run import Run

T = TypeVar("T")


async def tellable(
    run: Run,
    what: str,
    make: Callable[[Bounds], Awaitable[tuple[T, Usage]]],
    texts: Callable[[T], Sequence[str]],
    otherwise: str,
) -> tuple[T, Usage]:
    """What a model makes, in a form that may be told in the channel, and what all of it cost.

    Args:
        run: the story. The first call is counted by the caller, a second one here.
        what: it is, in one word, for the log.
        make: asks the model, within bounds.
        texts: what members could read of what was made.
        otherwise: what a moderator can do once the story is paused: sentences, perhaps none.

    Raises:
        NarratorRefusedError: it was refused twice.
        ModelError, BudgetSpentError, AllowanceSpentError: of a call, or the filter's.
    """
    screening = run.at.screening
    bounds = screening.bounds(run.channel)
    made, cost = await make(bounds)
    verdict = await screening.judge(run.channel, what, *texts(made))
    if verdict.fine:
        return made, cost
    await run.call()
    # Who may read the channel is asked anew: it may be what changed.
    bounds = replace(screening.bounds(run.channel), leave_out=verdict.kinds)
    made, more = await make(bounds)
    verdict = await screening.judge(run.channel, what, *texts(made))
    if verdict.fine:
        return made, cost + more
    raise NarratorRefusedError(
        f"What the model wrote next was refused by the content filter twice, because of "
        f"{listed(verdict.kinds)}, so it isn't shown.{otherwise and f' {otherwise}'}"
    )
