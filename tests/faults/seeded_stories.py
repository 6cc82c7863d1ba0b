"""Stories that were told before a test began: put on stage and into Redis, without any bot.

Each stands in a channel of its own after its first turn, and waits: in an open vote, or asleep. So
a thousand of them are there within seconds. What a bot then makes of them is the tests' business.
"""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

from bot.render import OPTION_EMOJI, render
from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_story_store import RedisStoryStore
from core.domain.story import (
    Brief,
    Memory,
    Phase,
    Plan,
    Plans,
    Reflection,
    Settings,
    Story,
    StoryId,
    Stretch,
    Turn,
)
from core.ports import Ballot, BallotState, Commit, Content, Prose
from tests.faults.discord_server import Channel, Message
from tests.faults.discord_server.messages import create
from tests.faults.process_house import ProcessHouse
from tests.faults.story_endpoint import DIMS, TITLE

VOTE_S = 36_000
PLANS = tuple(Plan(f"Way 1{letter}", f"They take way {letter}.") for letter in "abc")
PARAGRAPH = "It began at low tide."
SETTINGS = Settings(vote_s=VOTE_S)
REFLECTION = Reflection("Kept.", "Turn 1 was told.", "The sea was told of.", PLANS)
COMPONENTS_V2 = 1 << 15


@dataclass(frozen=True, slots=True)
class Seed:
    """A story as it was left.

    Attributes:
        channel: Where.
        story: Its id.
        ballot: The message that is voted on.
    """

    channel: Channel
    story: StoryId
    ballot: Message


class SeedBed:
    """Where stories are planted: a house's Discord and its Redis.

    Attributes:
        house: Whose.
        store: What Redis holds.
    """

    def __init__(self, house: ProcessHouse, database: RedisDatabase) -> None:
        self.house = house
        self.store = RedisStoryStore(database, DIMS)

    async def plant(
        self,
        phase: Phase = Phase.VOTING,
        *,
        votes: int = 0,
        extended: bool = False,
        closes_in_s: float = VOTE_S,
    ) -> Seed:
        """Leave a story.

        Args:
            phase: VOTING or ASLEEP.
            votes: How many members want its second plan; at most three.
            extended: Whether its vote was extended already.
            closes_in_s: When its vote closes; below 0 it is overdue.
        """
        house, world = self.house, self.house.server.world
        channel = world.create_channel(house.guild, f"tale-{len(house.guild.channels) + 1}")
        asleep, now = phase is Phase.ASLEEP, time.time()
        closes_at = None if asleep else now + closes_in_s
        prose = self._show(channel, Prose(PARAGRAPH, TITLE, 1))
        state = BallotState.ASLEEP if asleep else BallotState.OPEN
        asked = Ballot(1, PLANS, SETTINGS, state, closes_at, extended=extended)
        ballot = self._show(channel, asked)
        for emoji in OPTION_EMOJI:
            world.add_reaction(ballot, world.bot, emoji)
        for member in house.members[:votes]:
            world.add_reaction(ballot, member.user, OPTION_EMOJI[1])
        turn = Turn(
            id=uuid4().hex,
            number=1,
            parent=None,
            branch="main",
            plan=None,
            paragraph=PARAGRAPH,
            reflection=REFLECTION,
            pieces=(prose.id,),
            ballot=ballot.id,
            staged_at=ballot.created_at.timestamp(),
        )
        story = Story(
            id=StoryId(channel.id, 1),
            guild=house.guild.id,
            phase=phase,
            epoch=0,
            due=closes_at,
            brief=Brief("A keeper hears the sea.", title=TITLE, outline="It asks for an hour."),
            settings=SETTINGS,
            closes_at=closes_at,
            extended=extended or asleep,
            lineage=(Stretch("main", 1, 1),),
            head=turn.id,
            memory=Memory(REFLECTION.memory, 1),
            plans=Plans(PLANS, 1),
            created_at=now,
        )
        await self.store.create(story, uuid4().hex)
        await self.store.commit(Commit(uuid4().hex, story, frozenset(), {}, turn))
        return Seed(channel, story.id, ballot)

    async def check_grown_once(self, seed: Seed) -> None:
        """A second turn follows the first; each message of both is on stage once, in order."""
        server = self.house.server
        story = await self.store.load(seed.story)
        assert (story.phase, story.head_number, story.outbox) == (Phase.VOTING, 2, ())
        second = await self.store.turn(story.id, story.head or "")
        first = await self.store.turn(story.id, second.parent or "")
        placed = [id_ for turn in (first, second) for id_ in (*turn.pieces, turn.ballot)]
        assert [message.id for message in server.bot_messages(seed.channel)] == placed
        assert second.plan == PLANS[1]
        assert "2️⃣ won" in seed.ballot.text
        new = seed.channel.messages[second.ballot or 0]
        bot = server.world.bot.id
        assert [bot in reaction.normal for reaction in new.reactions.values()] == [True] * 3

    def _show(self, channel: Channel, content: Content) -> Message:
        """Put a message of the bot's on stage as the bot itself would."""
        rendered = render(content)
        body: dict[str, object] = {"content": rendered.content}
        if rendered.view is not None:
            body = {"components": rendered.view.to_components(), "flags": COMPONENTS_V2}
        return create(self.house.server.platform, channel, body, [])


@asynccontextmanager
async def seed_bed(house: ProcessHouse) -> AsyncGenerator[SeedBed]:
    """A seed bed while the body runs."""
    database = RedisDatabase(house.redis.url)
    try:
        yield SeedBed(house, database)
    finally:
        await database.close()
