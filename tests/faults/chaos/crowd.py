"""What members and a moderator do in one channel, drawn by a seed, while the bot lives and dies.

One crowd keeps one channel busy: votes by three members, votes closed by hand and by time, silence,
pauses in the middle of a paragraph, torn ballots, stories that end and begin. A crowd never knows
whether the process lived to hear it: what came of a request is read from Redis. After each restart
it first waits until its story rests and holds the ledger against it.
"""

import asyncio
import time
from enum import Enum, auto
from random import Random

from bot.render import OPTION_EMOJI
from core.domain.story import Phase, Story
from core.services.lease import finished
from tests.faults.chaos.ledger import AT_REST, Ledger, rests
from tests.faults.discord_server import Message
from tests.faults.discord_server.errors import NoAnswerError
from tests.faults.process_house import ProcessHouse
from tests.faults.told_once import is_announcement, is_ballot, kept_phase

VOTE_S = 5
"""The shortest vote there is."""
PATIENCE_S = 180.0
"""For a story to come to rest: a few seconds on an idle machine, more on a busy one."""
LOOK_S = 0.1
TURNS = 6
STORIES = 3
"""Stories of so many turns, so many in a channel: then looking at all of it takes too long."""
LATE = 0.3
"""How often the ledger is held against the channel after an act, beside after each restart."""


class Act(Enum):
    """What a crowd can do with a story that rests."""

    CLOSE = auto()
    """Vote, and a moderator closes the vote."""
    DEADLINE = auto()
    """Vote, and let the time run out."""
    SILENCE = auto()
    """Let the time run out without a vote; wake the story when it sleeps."""
    PAUSE = auto()
    """Pause the vote, vote all the same, resume."""
    HALT = auto()
    """Pause in the middle of the next paragraph, resume."""
    TEAR = auto()
    """A moderator deletes the ballot."""
    END = auto()
    """End the story and begin another."""
    STOP = auto()
    """End the story somewhere in the middle of a turn, and begin another."""


_WEIGHTS = {
    Act.CLOSE: 6.0,
    Act.DEADLINE: 2.0,
    Act.SILENCE: 1.0,
    Act.PAUSE: 1.0,
    Act.HALT: 1.0,
    Act.TEAR: 0.6,
    Act.END: 0.3,
    Act.STOP: 0.5,
}
_RESULT = " won · "
"""Stands in a closed ballot."""
_WISHED = 20.0
"""A crowd mostly does what is wished for, but not in all channels at once."""


class Crowd:
    """The people of one channel, and where they tell their story.

    Attributes:
        ledger: what must hold there.
    """

    def __init__(self, house: ProcessHouse, chance: Random) -> None:
        self._house = house
        self._chance = chance
        self._asked = 0
        self.move()

    def move(self) -> None:
        """Go on in another channel."""
        self._channel = self._house.new_channel()
        self.ledger = Ledger(self._house, self._channel)

    @property
    def name(self) -> str:
        """Where they are."""
        return self._channel.name

    async def recover(self) -> None:
        """The process was just started: wait until the story rests, and look whether all is right.

        Raises:
            AssertionError: see Ledger.verify; or the story never rests.
        """
        await self._calm(check=True)

    async def go_on(self, wish: Act | None) -> None:
        """Keep the channel busy until cancelled, mostly with what is wished for.

        Raises:
            AssertionError: as ``recover``; or nobody answers a command.
        """
        while True:
            await self._act(wish)
            await self._calm(check=self._chance.random() < LATE)

    # ── coming to rest ───────────────────────────────────────────────────────────────────────────

    async def _calm(self, *, check: bool) -> None:
        """Until the story rests; what is paused in the middle of a turn is resumed."""

        async def calm() -> bool:
            story = await self._story()
            if story is None:
                return True
            if story.pause is not None and not story.outbox and kept_phase(story) not in AT_REST:
                await self._ask("story resume")
                return False
            # To its end: what is cut off in the middle leaves a connection behind.
            return rests(story) and (not check or await finished(self.ledger.verify(story)))

        deadline = time.monotonic() + PATIENCE_S
        while not await calm():
            if time.monotonic() > deadline:
                raise AssertionError(f"not at rest after {PATIENCE_S} s: {await self._story()}")
            await asyncio.sleep(LOOK_S)

    # ── acts ─────────────────────────────────────────────────────────────────────────────────────

    async def _act(self, wish: Act | None) -> None:
        story = await self._story()
        match story.phase if story else Phase.ENDED:
            case Phase.ENDED:
                await self._start(story)
            case Phase.PAUSED:
                await self._ask("story resume")
            case Phase.ASLEEP:
                await self._wake()
            case Phase.VOTING:
                long = story is not None and story.head_number >= TURNS
                await self._act_on_a_vote(Act.END if long else self._draw(wish))
            case _:
                return

    async def _act_on_a_vote(self, act: Act) -> None:
        match act:
            case Act.CLOSE:
                await self._close()
            case Act.DEADLINE:
                self._vote()
                await self._until_due()
            case Act.SILENCE:
                await self._until_due()
            case Act.PAUSE:
                await self._ask("story pause")
                self._vote()
                await self._ask("story resume")
            case Act.HALT:
                await self._close()
                await self._until_a_paragraph_begins()
                await self._ask("story pause")
            case Act.TEAR:
                self._tear()
                await self._chance.choice((self._close, self._until_due))()
            case Act.END:
                await self._ask("story end")
            case Act.STOP:
                await self._close()
                await asyncio.sleep(self._chance.uniform(0.0, 2.0))
                await self._ask("story end")

    def _draw(self, wish: Act | None) -> Act:
        weights = {act: _WISHED if act is wish else weight for act, weight in _WEIGHTS.items()}
        return self._chance.choices([*weights], [*weights.values()])[0]

    async def _start(self, story: Story | None) -> None:
        if story is not None and story.id.serial >= STORIES:
            self.move()
        self._asked += 1
        premise = f"A keeper hears the sea at {self._channel.name}, for the {self._asked}. time."
        await self._ask("story start", premise=premise, vote_seconds=VOTE_S)

    async def _close(self) -> None:
        story = await self._story()
        self._vote()
        ballot = self._ballot()
        if ballot is not None:
            self.ledger.asks_to_close(ballot, story.closes_at if story else None)
        await self._ask("story close")
        if ballot is not None and self._chance.random() < 0.5:
            self._vote_on(ballot)  # too late

    async def _wake(self) -> None:
        if self._chance.random() < 0.7:
            self._vote()
            await asyncio.sleep(5 * LOOK_S)
        else:
            await self._ask("story resume")

    def _tear(self) -> None:
        ballot = self._ballot()
        if ballot is not None:
            self.ledger.torn.add(ballot.id)
            self._house.moderator.delete(ballot)

    async def _until_due(self) -> None:
        """Until the deadline has passed."""
        story = await self._story()
        if story is not None and story.closes_at is not None:
            await asyncio.sleep(max(0.0, story.closes_at - time.time()) + LOOK_S)

    async def _until_a_paragraph_begins(self) -> None:
        """Until the newest message is prose, or what was asked for is over."""
        for _ in range(self._chance.randint(5, 30)):
            shown = [one for one in self._shown() if not is_announcement(one)]
            if shown and not is_ballot(shown[-1]):
                return
            await asyncio.sleep(LOOK_S)

    # ── votes and requests ───────────────────────────────────────────────────────────────────────

    def _vote(self) -> None:
        ballot = self._ballot()
        if ballot is not None:
            self._vote_on(ballot)

    def _vote_on(self, ballot: Message) -> None:
        """Some of the members react, some of them more than once; at least one does."""
        if ballot.deleted:
            return
        for member in self._chance.sample(self._house.members, self._chance.randint(1, 3)):
            for option in self._chance.sample(range(3), self._chance.choice((1, 1, 2))):
                reaction = ballot.reactions.get(OPTION_EMOJI[option])
                if reaction is None or member.id not in reaction.normal:
                    self.ledger.voted(ballot, option)
                member.react(ballot, OPTION_EMOJI[option])

    async def _ask(self, command: str, **options: object) -> None:
        """A moderator uses a command; what came of it stands in Redis."""
        interaction = self._house.moderator.begin_command(self._channel, command, **options)
        try:
            await interaction.completed(PATIENCE_S)
        except (NoAnswerError, TimeoutError) as error:
            raise AssertionError(f"/{command}: nobody answered: {error}") from error
        await finished(self.ledger.interrupted())

    def _shown(self) -> list[Message]:
        return self._house.server.bot_messages(self._channel)

    def _ballot(self) -> Message | None:
        """The newest ballot; None without one, and when a newer one was torn off."""
        newest = next((one for one in reversed(self._shown()) if is_ballot(one)), None)
        return None if newest is None or _RESULT in newest.text else newest

    async def _story(self) -> Story | None:
        return await self._house.witness.current(self._channel)
