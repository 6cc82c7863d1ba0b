"""A small bot with everything that the real one shows: what the live page is tested with."""

import asyncio
import time

import discord
from discord import app_commands
from discord.ext import commands

OPTIONS = ("1️⃣", "2️⃣", "3️⃣")
SENTENCES = (
    "The lamp had not turned since the ferry left.",
    "Mira counted the steps by hand, for the light was gone,",
    "and below the tide line something hummed an old tune.",
    "Corvin had torn a page from the keeper's ledger;",
    "nobody had asked him what was on it.",
)
PLANS = ("Down the iron stair", "The keeper's ledger", "Signal the ferry")
STYLES = ("noir", "fairy tale", "sea shanty", "letters")


class Ballot(discord.ui.LayoutView):
    """Three plans in a container, and a button that edits the first."""

    def __init__(self, titles: tuple[str, ...] = PLANS, seconds: int = 90) -> None:
        super().__init__(timeout=None)
        closes = int(time.time()) + seconds
        plans = [
            discord.ui.TextDisplay[Ballot](
                f"{sign} **{title}**\nMira follows the humming below the tide line."
            )
            for sign, title in zip(OPTIONS, titles, strict=True)
        ]
        change = discord.ui.Button[Ballot](label="Change plan 1", custom_id="sample:change")
        change.callback = self.change
        self.titles = titles
        self.add_item(
            discord.ui.Container(
                discord.ui.TextDisplay[Ballot](
                    f"### What happens next?\nevery reaction counts · closes <t:{closes}:R>"
                ),
                discord.ui.Separator[Ballot](),
                *plans,
                discord.ui.ActionRow[Ballot](change),
                accent_colour=discord.Colour.from_str("#b4552d"),
            )
        )

    async def change(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(ChangePlan(self.titles))


class ChangePlan(discord.ui.Modal, title="Change plan 1"):
    """The title of the first plan."""

    def __init__(self, titles: tuple[str, ...]) -> None:
        super().__init__()
        self._titles = titles
        self._title = discord.ui.TextInput[ChangePlan](custom_id="title", max_length=60)
        self.add_item(discord.ui.Label[ChangePlan](text="Title", component=self._title))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.edit_message(view=Ballot((self._title.value, *self._titles[1:])))


class SampleBot(commands.AutoShardedBot):
    """Streams a paragraph by edits, posts a ballot, counts the reactions over REST."""

    def __init__(self) -> None:
        intents = discord.Intents.none()
        intents.guilds = True
        intents.guild_reactions = True
        super().__init__(
            command_prefix=(),
            intents=intents,
            allowed_mentions=discord.AllowedMentions.none(),
            help_command=None,
        )
        self.ballot: discord.Message | None = None
        self.raw_events: list[tuple[str, int]] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.tree.add_command(Tale())

    async def setup_hook(self) -> None:
        await self.tree.sync()
        self.add_view(Ballot())

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        self.raw_events.append((str(event.emoji), event.user_id))

    def begin(self, channel: discord.abc.Messageable, premise: str, seconds: int = 60) -> None:
        task = asyncio.create_task(self.tell(channel, premise, seconds))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def tell(self, channel: discord.abc.Messageable, premise: str, seconds: int = 60) -> None:
        async with channel.typing():
            text = f"**{premise}** · turn 1"
            message = await channel.send(text, nonce="sample-1")
            for sentence in SENTENCES:
                await asyncio.sleep(0.3)
                text += f"\n{sentence}" if text.endswith("turn 1") else f" {sentence}"
                await message.edit(content=text)
        self.ballot = await channel.send(view=Ballot(seconds=seconds))
        for option in OPTIONS:
            await self.ballot.add_reaction(option)

    async def tally(self) -> dict[str, list[str]]:
        """Who stands behind each option, fetched afresh; the bot itself left out."""
        assert self.ballot is not None
        fresh = await self.ballot.channel.fetch_message(self.ballot.id)
        assert self.user is not None
        return {
            str(reaction.emoji): [
                user.display_name async for user in reaction.users() if user.id != self.user.id
            ]
            for reaction in fresh.reactions
        }


class Tale(app_commands.Group):
    """The sample's one command group."""

    def __init__(self) -> None:
        super().__init__(name="tale", description="A very short story")

    @app_commands.command(description="Begin a tale")
    @app_commands.describe(premise="What it is about", style="How it is told", seconds="To vote")
    async def start(
        self,
        interaction: discord.Interaction,
        premise: app_commands.Range[str, 1, 300],
        style: str | None = None,
        seconds: app_commands.Range[int, 5, 604800] = 60,
    ) -> None:
        bot = interaction.client
        assert isinstance(bot, SampleBot)
        assert isinstance(interaction.channel, discord.abc.Messageable)
        bot.begin(interaction.channel, premise, seconds)
        await interaction.response.send_message(
            f"Begun: {premise}, {style or 'plain'}, {seconds} s to vote.", ephemeral=True
        )

    @start.autocomplete("style")
    async def styles(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=s, value=s) for s in STYLES if current.lower() in s]

    @app_commands.command(description="Who voted for what")
    async def tally(self, interaction: discord.Interaction) -> None:
        bot = interaction.client
        assert isinstance(bot, SampleBot)
        await interaction.response.defer(ephemeral=True, thinking=True)
        tally = await bot.tally()
        await interaction.followup.send(
            "\n".join(f"{sign}: {', '.join(names) or '–'}" for sign, names in tally.items()),
            ephemeral=True,
        )
