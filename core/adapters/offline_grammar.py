"""The sentence patterns of the offline narrator; data only.

Slots stand in braces. Of the cast: ``{L}`` the lead with ``{she} {her}``, ``{C}`` the companion
with ``{he} {his}``, ``{R}`` the rival. Of the turn: ``{did}`` what the plan made the lead do,
``{goal}`` what it aims at, ``{risk}``, ``{item}`` and ``{theitem}`` what is found, ``{meaning}``,
``{thread}`` the open question, ``{place}``. Of the premise: ``{matter}`` what it is about and
``{kin}`` what the lead is called by others, both "the" and one noun that may be a plural (so no
verb that would have to know). Of the coming ballot: ``{aim1}`` to ``{aim3}``.
Of earlier turns: ``{olditem}``, ``{oldgoal}``. All
others are lists of the lexicon; ``:L`` or ``:C`` behind one says whose pronoun it takes, ``^``
before a slot begins it with a capital, ``!`` behind it makes its article "the".

A pattern comes back every dozen turns or so, with other words in its slots. Hence the rule for
whoever adds one: no more than six words in a row without a slot of the lexicon (names count as
words), and fewer at either end, or it can be dealt only once in a round (offline_repertoire).
"""

from collections.abc import Mapping
from enum import StrEnum

from core.adapters.offline_lexicon import Kind


class Stance(StrEnum):
    """How a plan goes about it; the three plans of a ballot have one each."""

    CAREFUL = "careful"
    BOLD = "bold"
    STRANGE = "strange"


def _lines(text: str) -> tuple[str, ...]:
    return tuple(" ".join(line.split()) for line in text.strip().splitlines())


TITLES: Mapping[tuple[Stance, Kind], tuple[str, ...]] = {
    (Stance.CAREFUL, Kind.PLACE): _lines("""
        Watch|watched|@ from outside|{L} has watched {goal} from outside
        Circle|circled|@ first|{L} knows {goal} from every side
        Ask around about|asked around about|@|People know that {L} asks about {goal}
        Draw a plan of|drew a plan of|@|{L} has a plan of {goal}
        Wait near|waited near|@ until dark|{L} has seen {goal} at nightfall"""),
    (Stance.CAREFUL, Kind.WAY): _lines("""
        Test|tested|@ by daylight|{L} has tested {goal} by daylight
        Measure|measured|@ first|{L} knows the measure of {goal}
        Mark|marked|@ with chalk|There is a chalk mark by {L} on {goal}
        Listen at|listened at|@|{L} knows what can be heard at {goal}
        Guard|guarded|@ overnight|{L} has stood guard at {goal} for a night"""),
    (Stance.CAREFUL, Kind.THING): _lines("""
        Study|studied|@|{L} knows every mark on {goal}
        Make a drawing of|made a drawing of|@|{L} has a drawing of {goal}
        Keep|kept|@ under lock|{L} keeps {goal} under lock
        Trace the owner of|traced the owner of|@|{L} knows who owned {goal}
        Hide|hid|@ for now|{L} keeps {goal} hidden"""),
    (Stance.CAREFUL, Kind.PERSON): _lines("""
        Listen to|listened to|@|{L} has heard what {goal} had to say
        Follow|followed|@ at a distance|{L} has seen where {goal} goes
        Share bread with|shared bread with|@|{^goal} has broken bread with {L}
        Write a letter to|wrote a letter to|@|{^goal} has a letter from {L}
        Put a question to|put a question to|@|{^goal} knows what {L} wants to find out"""),
    (Stance.CAREFUL, Kind.SIGN): _lines("""
        Keep a record of|kept a record of|@|{L} has a record of {goal}
        Sit up for|sat up for|@|{L} has sat up a night for {goal}
        Find a witness to|found a witness to|@|{L} has a witness to {goal}
        Wait for|waited for|@ again|{L} has waited for {goal} twice
        Stay clear of|stayed clear of|@|{L} keeps well away from {goal}"""),
    (Stance.BOLD, Kind.PLACE): _lines("""
        Break into|broke into|@|{L} has broken into {goal}
        Walk straight into|walked straight into|@|{L} has walked into {goal} in plain sight
        Search|searched|@ tonight|{L} has searched {goal} by night
        Force the lock of|forced the lock of|@|The lock of {goal} was broken by {L}
        Turn|turned|@ upside down|Nothing in {goal} stands where it did before {L} came"""),
    (Stance.BOLD, Kind.WAY): _lines("""
        Take|took|@ at once|{L} has gone by {goal} without waiting
        Brave|braved|@ alone|{L} has gone by {goal} alone
        Risk|risked|@ after dark|{L} has gone by {goal} in the dark
        Lead everyone by|led everyone by|@|Everyone with {L} knows the way by {goal}
        Try|tried|@ without a light|{L} can find the way by {goal} without a light"""),
    (Stance.BOLD, Kind.THING): _lines("""
        Steal|stole|@|{L} has {goal} by theft
        Seize|seized|@ in daylight|{L} has {goal}, seized in daylight
        Show|showed|@ to everyone|Everyone has been shown {goal} by {L}
        Fight for|fought for|@|{L} has fought for {goal}
        Demand|demanded|@ outright|{L} claims {goal} openly"""),
    (Stance.BOLD, Kind.PERSON): _lines("""
        Accuse|accused|@|{^goal} stands accused by {L}
        Corner|cornered|@|{^goal} was cornered by {L} once
        Unmask|unmasked|@|{L} knows who {goal} really is
        Stand up to|stood up to|@|{^goal} knows that {L} will not give way
        Shout down|shouted down|@|{^goal} was shouted down by {L}"""),
    (Stance.BOLD, Kind.SIGN): _lines("""
        Follow|followed|@|{L} has gone after {goal}
        Chase|chased|@|{L} has chased {goal}
        Run towards|ran towards|@|{L} is not afraid of {goal}
        Get to the bottom of|got to the bottom of|@|{L} knows what was behind {goal}
        Trace|traced|@ to its source|{L} knows where {goal} came from"""),
    (Stance.STRANGE, Kind.PLACE): _lines("""
        Sleep in|slept in|@|{L} has slept in {goal}
        Lay a table in|laid a table in|@|There is a table in {goal}, laid by {L}
        Leave a gift at|left a gift at|@|There is a gift at {goal}, left by {L}
        Dance in|danced in|@|{L} has danced in {goal}
        Read aloud to|read aloud to|@|{L} has read aloud to {goal}"""),
    (Stance.STRANGE, Kind.WAY): _lines("""
        Take|took|@ backwards|{L} has gone by {goal} backwards
        Try|tried|@ blindfold|{L} can find the way by {goal} blindfold
        Sing along|sang along|@|{L} has sung all along {goal}
        Hang lanterns on|hung lanterns on|@|There are lanterns on {goal}, hung by {L}
        Give a name to|gave a name to|@|{L} has a name for {goal}"""),
    (Stance.STRANGE, Kind.THING): _lines("""
        Bury|buried|@|{L} has buried {goal}
        Give|gave|@ away|{L} no longer has {goal}
        Talk to|talked to|@|{L} has talked to {goal}
        Sleep beside|slept beside|@|{L} has slept beside {goal}
        Trade|traded|@ for a story|{L} has a story in place of {goal}"""),
    (Stance.STRANGE, Kind.PERSON): _lines("""
        Dress up as|dressed up as|@|{L} can pass for {goal}
        Invite|invited|@ to supper|{^goal} was asked to supper by {L}
        Follow the shadow of|followed the shadow of|@|{L} has followed the shadow of {goal}
        Play cards with|played cards with|@|{^goal} has played cards with {L}
        Paint a portrait of|painted a portrait of|@|{L} has a portrait of {goal}"""),
    (Stance.STRANGE, Kind.SIGN): _lines("""
        Answer|answered|@|{L} has given {goal} an answer
        Imitate|imitated|@|{L} can imitate {goal}
        Say thanks to|said thanks to|@|{L} has said thanks to {goal}
        Set a clock by|set a clock by|@|{L} has a clock set by {goal}
        Make a song of|made a song of|@|{L} has a song made of {goal}"""),
}
"""Base form, past and the rest, with ``@`` for the goal; and a fact that holds from then on,
without its full stop. A goal may be a plural, unless it is a person: it takes no verb there."""

# ── the beats of a paragraph ─────────────────────────────────────────────────────────────────────

ARRIVE = _lines("""
    So {L} {did}, {manner:L}.
    {^time}, {L} {did}.
    {C} had argued against it, but {L} {did} all the same, {manner:L}.
    Nobody stopped {L} when {she} {did}, {manner:L}.
    {^weather} when {L} {did}, {manner:L}.
    {^weather}, and still {L} {did}.
    {^manner:L}, with {sound} behind {her} back, {L} {did}.
    {L} {gesture:L}, and then {she} {did}.
    {C} {gesture:C}; {L} {did} anyway.
    The choice had been made, so {L} {did}, {manner:L}.
    {^walkon} saw how {L} {did}, {manner:L}.
    They talked it over, {manner:L}, and then {L} {did}.
    {^manner:L}, {L} {did}.
    There was {smell} in the air when {L} {did}.
    It took until {sound} had faded, but {L} {did}.
    {L} waited for {sound} to stop, and {did}.
    {^sight}, and under that omen, {time}, {L} {did}.
    {^sight}; {L} {did}, {manner:L}.
    """)

ARRIVE_FREE = _lines("""
    {^time}, {L} turned to what had been agreed, “{title}”, {manner:L}.
    “{title}”: that was the plan, and {manner:L} {L} held to it.
    {C} said it aloud once, “{title}”, and {gesture:C}, and {L} began.
    {^weather}, but “{title}” had been decided, and {L} began {manner:L}.
    {L} {gesture:L} and set about it, {manner:L}: “{title}”.
    They had settled on “{title}”, and {time} {L} was in the middle of it.
    """)
"""For a plan whose title this grammar didn't make."""

SETTING = _lines("""
    {^sight}, and {sight}.
    The air smelled of {smell}, with {smell} somewhere under it.
    {^weather}, and {sight}.
    {^far}, {sight}.
    {^sound} came and went {far}.
    {^weather}; under it all ran {sound}.
    {^far} {walkon} looked up, and went on.
    {L} laid a palm on {surface} and felt it tremble with {sound}.
    There was {smell} on the air, and {sound}, and not much else.
    It was a quiet in which {sound} counted as conversation.
    {^surface} was slick and left {smell} on the fingers.
    {^time}, {weather}.
    {^sight}; nobody mentioned it.
    Everything {far} had gone still except for {sound}.
    {C} noticed it first: {sight}.
    Where {L} expected {smell} there was only {smell}.
    {^walkon} pointed {far} and would say no more.
    {^weather}, and {surface} shone.
    Somewhere {far} there was {sound}, over and over.
    {L} breathed in {smell} and remembered, {time}, where that belonged.
    Behind them {sight}; ahead, {weather}.
    {^sight}, which meant nothing, {C} said.
    {^weather}, and far off was {sound}.
    “Hear that?” said {C}. It was {sound}.
    {^walkon} had been there before them; {smell} still hung {far}.
    {^surface} still held some warmth, though {weather}.
    {^sound} stopped; the silence {far} was worse.
    If {sight}, that was no concern of {walkon} who hurried by.
    It was all as before, {smell} and {sound} and all.
    {^sight}. {^weather}.
    Here, they like to say, {proverb}, and {sight}.
    Past {surface} the smell changed to {smell}.
    """)

SCENE: Mapping[Kind, tuple[str, ...]] = {
    Kind.PLACE: _lines("""
        {^goal} was small, and {smell} filled it.
        Inside {goal} even {sound} came back changed.
        Somebody had been in {goal} lately: {sight}.
        {L} went round {goal}, {manner:L}, one hand on {surface}.
        {^goal} looked as if {walkon} had just left it.
        “Nobody comes to {goal},” said {walkon}, and {L} {gesture:L}.
        Two things were wrong with {goal}: {sound}, and no reason for it.
        The floor of {goal} gave, {time}, and {sight}.
        {C} stayed by {surface}, where {goal} could be watched whole.
        In the far corner of {goal} {sight}.
        Somebody had emptied {goal}; only {smell} was left.
        {L} paced out {goal} and {gesture:L}.
        It was said of {goal} that {proverb}, and now {L} saw why.
        A cold came off {goal}, with {smell}.
        """),
    Kind.WAY: _lines("""
        {^goal} was narrow, and {smell} hung in it.
        Halfway along {goal} there was {sound}, and they stopped.
        {L} tried {goal} with one foot and {gesture:L}.
        “One by one,” said {C} at {goal}, and {gesture:C}.
        {^goal} went on and on, and {sight}.
        Along {goal} ran scratches, and {sight}.
        {^goal} bent oddly, {far}, and smelled of {smell}.
        They took {goal} by feel, from {surface} to nothing at all.
        Beyond {goal}, when it ended, {sight}.
        Something had been dragged along {goal}, {time}.
        {C} went last by {goal}, {manner:C}.
        Whoever made {goal} had known that {proverb}.
        Midway, {time}, {goal} was worst: {sound}.
        {L} tried not to think of {goal} as {simile}.
        """),
    Kind.THING: _lines("""
        {^goal} lay by {surface}, in plain view of {walkon}.
        {L} turned {goal} over, and there was {smell} on it.
        Close to, {goal} smelled of {smell}.
        Everybody had wanted {goal}, even {walkon}.
        {C} would not touch {goal} until {sound} had stopped.
        They set {goal} down on {surface} and stood back.
        A mark on {goal}, {time}, made {C} look again.
        “All this for {goal}?” {C} {gesture:C}.
        {^goal} weighed little, and {smell} clung to it.
        {L} had imagined {goal} differently, and {gesture:L}.
        Under the dirt, {time}, {goal} looked new.
        Whoever had hidden {goal} knew: {proverb}.
        By lamplight, {time}, {goal} looked older.
        Beside {goal} somebody had left {smell} and a boot print.
        """),
    Kind.PERSON: _lines("""
        {^goal} was waiting, it seemed, by {surface}.
        “At last,” said {goal}, and {sight}.
        {L} asked, and {goal} answered with a shrug. {^sight}.
        There was {smell} about {goal}, as about all travellers.
        “Ask me something else,” said {goal}, listening to {sound}.
        Perhaps, {L} thought, {goal} feared {sound}.
        {^goal} spoke slowly, and {C} {gesture:C}.
        “They say that {proverb},” said {goal}. “They are right.”
        {C} kept between {goal} and {surface}, just in case.
        {^time} {goal} looked {far}, and the look said enough.
        “Not you too,” said {goal}, “after {walkon}.”
        {^goal} turned away when {C} named {walkon}.
        {^goal} had a laugh much like {sound}.
        For a while {goal} said nothing, and {sight}.
        """),
    Kind.SIGN: _lines("""
        Again came {goal}, and with it {sound}.
        {L} turned towards {goal}, {far}.
        {^goal} would not keep still; {L} {gesture:L}.
        “That's no accident, {goal},” said {walkon}.
        As long as {goal} lasted, {sight}.
        {L} put an ear to {surface}: {goal} was in there too.
        {^walkon} knew {goal} of old; {weather}.
        A pattern ran through {goal}, like {sound}.
        With {goal} came {smell}, faint at first.
        They lost {goal} at {surface} and found it again {far}.
        Nearer {goal}, {smell} grew strong.
        Others ran from {goal}, but {proverb}.
        {L} counted nine between {goal} and {sound}.
        {^goal} stopped whenever {C} spoke, and {sight}.
        """),
}

SCENE_FREE = _lines("""
    {L} had thought about {goal} all day, with {sound} for an answer.
    “It comes down to {goal},” said {C}, and {gesture:C}.
    There were two ways to see {goal}, and {walkon} knew a third.
    {^time}, {goal} looked hardly likely to {C}, who {gesture:C}.
    {^sight}; {goal} would not wait for better light.
    {L} weighed {goal} once more and {gesture:L}.
    Nothing about {goal} was simple; {weather}.
    {C} had doubts about {goal}, and {smell} did not help.
    {^weather}, and still {goal} was the right thing to try.
    By now even {walkon} seemed to know of {goal}.
    """)
"""For a plan whose kind can't be told: ``{goal}`` may be anything that can be named."""

TROUBLE = _lines("""
    Then, {time}, {risk}; {sight}.
    {^time}, nobody having reckoned with it, came {risk}.
    {^risk} came into it, {time}, and with it {smell}.
    {^walkon} had warned of {risk}, though not of {smell}.
    {^time}, {risk} very nearly finished it. {^sight}.
    {L} {gesture:L}, because there, plain as {simile}, was {risk}.
    {^sight}; then {C} {gesture:C} and saw {risk}.
    {^time} there was {risk}, so {L} did it {manner:L}.
    {^risk}, {time}, cost them an hour: {sight}.
    For a moment {sight}; then there was {risk}, and {sound}.
    They got past {risk} {manner:L}, and {time}.
    {^weather}, and with that came {risk}.
    {^sound} should have told them of {risk}, {time}.
    {C} {gesture:C}: there, {time}, was {risk}, and here only {gear}.
    They lay flat behind {surface} until {risk}, {time}, had passed.
    Because of {risk}, {manner:L}, they left by {surface}.
    {^time} {C} {gesture:C}. “There,” and it was {risk}.
    {L} had dreamed of {risk}, {time}, but never of {smell}.
    There was {smell}, and then there was {risk}.
    {^sight}, and there, {time}, was {risk}.
    So that was {risk}, {time}, and {sight}.
    {^risk} made {L}, who {gesture:L}, hurry; hurrying made {sound}.
    Neither spoke of {risk}; {time}, they only moved faster, {manner:L}.
    """)

TALK = _lines("""
    “If this goes wrong,” said {C}, “well, {proverb}.” {L} {gesture:L}.
    “You look like {simile},” said {C}. {L} {gesture:L}.
    {C} {gesture:C}. “I don't like {sound}.” “Nor I,” said {L}.
    “How far?” asked {L}. {C} pointed {far}. “That far.”
    “We could turn round,” said {C}, {manner:C}. {L} {gesture:L}.
    “I knew somebody once who trusted {walkon},” said {C}, and {gesture:C}.
    “What does {R} want with {olditem}?” {L} asked. {C} {gesture:C}. “To be first.”
    “{^proverb},” {C} said, to nobody, or to {surface}.
    “Are you afraid?” asked {L}. “Of {risk}? No,” said {C}. “Of {sound}, a little.”
    {L} told {C} about {oldgoal}, all of it, even {sound}. {C} {gesture:C}.
    “It was {R},” {L} said. “Who else?” “{^proverb},” said {C}.
    “Keep {gear!} dry,” said {C}. “And whisper: {sight}.”
    {C} began a story about {walkon}, and did not finish it.
    “Not a word to {walkon},” said {L}. {C} {gesture:C}. “Who'd believe me?”
    “You smell that?” “{^smell},” said {C}, and {gesture:C}.
    “Say something cheerful,” said {L}. {C} {gesture:C}. “{^proverb}.” “Something else.”
    “And {theitem}?” asked {L}. {C} {gesture:C}. “Bury it {far}.”
    “{R} knows,” said {C}, and {gesture:C}. “{R} always knew,” said {L}.
    “My mother would have said that {proverb}.” “Was she right?” {C} {gesture:C}. “Never once.”
    “Left or right?” {C} {gesture:C}. {L} listened: {sound}. “Left,” {she} said.
    “How can you be so calm?” {C} {gesture:C}. “I'm not,” said {L}. “I hear {sound}.”
    “When this is over I'll sleep {far},” said {C}. {L} {gesture:L}.
    “Do you trust me?” {L} {gesture:L}. “More than {simile},” said {C}.
    “Count first.” {C} counted, {manner:C}, and {sight}. “Now run.”
    “Why you?” said {C}. “Why not {walkon}?” {L} had no answer to that, and {gesture:L}.
    They argued in whispers about {risk}, {manner:L}, until both of them were right.
    “I was wrong about {olditem},” said {L}, {manner:L}. “We all were.”
    {C} said a short word, {manner:C}. Back came {sound}.
    “Look at {surface},” said {L}. {C} looked, and {gesture:C}.
    “One of us should stay, with {gear!},” said {C}. {L} {gesture:L}. Neither stayed.
    “I heard that {proverb}.” “From whom?” “From {walkon},” said {C}, and {gesture:C}.
    “{R} would be {far} by now,” said {L}. {C} {gesture:C}. “You're not {R}.”
    {C} offered {gear!} without a word. {L} took it, {manner:L}, and nodded.
    “Don't name it,” said {C}, and {gesture:C}. “Named things come, like {simile}.”
    “Somebody will miss {olditem},” said {C}, and {gesture:C}. “Not for long,” {she} said.
    """)

FIND: Mapping[Kind, tuple[str, ...]] = {
    Kind.PLACE: _lines("""
        Behind {surface}, in {goal}, {L} found {item}, {meaning}.
        {^goal} gave up only one thing: {item}, {meaning}.
        Under a board in {goal}, {time}, lay {item}, {meaning}.
        They had nearly left {goal} when {L} stepped on {item}, {meaning}.
        On a nail in {goal}, {time}, hung {item}, {meaning}.
        """),
    Kind.WAY: _lines("""
        Where {goal} ended {L} picked up {item}, {meaning}.
        In a crack of {goal}, {time}, was {item}, {meaning}.
        Whoever had last used {goal} had dropped {item}, {meaning}.
        {C} held the light; {time}, in {goal}, {L} saw {item}, {meaning}.
        {^goal} led, {time}, to {item}, {meaning}.
        """),
    Kind.THING: _lines("""
        On the back of {goal} was {item}, {meaning}.
        Something had been hidden with {goal}: {item}, {meaning}.
        {L} looked at {goal} from below and found {item}, {meaning}.
        {^goal} was mere wrapping; what mattered was {item}, {meaning}.
        When {goal} was moved, {item} fell out, {meaning}.
        """),
    Kind.PERSON: _lines("""
        {^time}, {goal} held out {item}, {meaning}.
        “Then take it,” said {goal}, and gave {L} {item}, {meaning}.
        {^goal} was gone {time}, and there lay {item}, {meaning}.
        Out of one sleeve {goal} drew {item}, {meaning}.
        What {goal} knew came to {item}, {meaning}.
        """),
    Kind.SIGN: _lines("""
        Where {goal} was strongest lay {item}, {meaning}.
        {^goal} ended at {surface}, and there was {item}, {meaning}.
        They dug where {goal} had been and found {item}, {meaning}.
        The cause of {goal}, or a part of it, was {item}, {meaning}.
        After {goal}, {time}, there was {item} on the ground, {meaning}.
        """),
}

FIND_FREE = _lines("""
    What came of {goal} was {item}, {meaning}.
    And so, by way of {goal}, {L} came upon {item}, {meaning}.
    Nobody had expected {goal} to end with {item}, {meaning}.
    The reward for {goal} was {item}, {meaning}.
    """)

WEIGH = _lines("""
    {L} held {theitem} up to the light, and {sight}.
    “I know this,” said {C} of {theitem}, and {gesture:C}.
    If {theitem} was genuine, then {olditem} had been a lie, and {L} {gesture:L}.
    {L} looked at {theitem}, thought of {oldgoal} and {gesture:L}.
    {C} looked from {theitem} to {surface} and {gesture:C}.
    {L} put {theitem} beside {olditem} on {surface}; they fitted.
    So {R} had been afraid of this; {weather}.
    {^theitem} changed things, {time}; {weather}.
    Two people could have lost {theitem}: {walkon}, or {R}.
    {L} wrapped {theitem} in a sleeve that smelled of {smell}.
    The doubt {she} had carried from {oldgoal} was gone; {weather}.
    {C} {gesture:C}. “Put it away before {walkon} sees.”
    {^theitem} was passed from hand to hand while {sight}.
    So {R} had been here, {time}: {sight}.
    It fitted with {oldgoal}, in a way; {weather}.
    {L} said nothing about {theitem} until {weather}.
    To {walkon} {theitem} would have been rubbish; {L} {gesture:L}.
    """)

THREAD = _lines("""
    “Tell me {thread},” said {L}, {manner:L}. {C} {gesture:C}.
    Over bread, by {surface}, they argued about {thread}.
    {L} asked {walkon} outright {thread}.
    “You never ask {thread} any more,” {C} said, and {gesture:C}. “Every night,” said {L}.
    {^weather}, and still nobody had told them {thread}.
    {L} lay awake afterwards wondering {thread}, and heard {sound}.
    “Suppose nobody can say {thread},” said {C}. “Then {proverb},” said {L}.
    “It tells us little about {thread},” said {C}, and {gesture:C}.
    Even {walkon}, it seemed, wanted to know {thread}.
    By {surface} {L} wrote it down: {thread}.
    {C} {gesture:C}. “What if nobody knows {thread}, not even {R}?”
    {C} {gesture:C}. “We still don't know {thread}.” {^weather}.
    Somebody {far} must have known {thread}, {time}, and kept quiet.
    """)
"""In this order, one a turn at most: a question stands for eight turns, and these are thirteen, a
quarter of a round."""

CALLBACK = _lines("""
    {L} remembered {oldgoal}, and how {sound} had sounded there.
    Since {oldgoal} {she} had slept badly, dreaming of {sound}.
    {^olditem} was still in {her} pocket; {L} {gesture:L}.
    Twice already, since {oldgoal}, {L} had nearly given up, and {sight}.
    It was like {oldgoal} all over again, with {smell} in the air.
    {C} brought up {oldgoal}, {time}, and {gesture:C}.
    {^olditem} had brought them this far, {manner:L}.
    After {oldgoal} nothing surprised {C} much, not even {sound}.
    “It was easier at {oldgoal},” said {C}, and {gesture:C}.
    {^time} {L} took out {olditem} and {gesture:L}.
    Neither had spoken, {time}, of {oldgoal}, though {sight}.
    {^olditem} seemed to belong here, and {sight}.
    Whatever {oldgoal} had begun, {time}, went on here.
    """)
"""Only with something to look back on."""

REMEMBERED = _lines("""
    One thing {L} would not forget, {weather} or no: {fact}
    {C} said it again, {manner:C}: {fact}
    It was still true, {time}: {fact}
    Under {surface} somebody had scratched it: {fact}
    """)
"""For facts that people wrote into memory or canon; ``{fact}`` is a whole sentence."""

REVEAL = _lines("""
    And with that, {time}, the pieces met: {answer}.
    {L} {gesture:L} and said it, {manner:L}: {answer}.
    It all came out {time}, badly and at once: {answer}.
    {C} read it twice and {gesture:C}, but there was no mistake: {answer}.
    {^weather}, and there it was: {answer}.
    Laid side by side on {surface}, the pieces said one thing: {answer}.
    """)

QUESTION = _lines("""
    But it left another question, {time}: {thread}.
    {C} asked what nobody had dared, {manner:C}: {thread}.
    One question was closed, and {C} {gesture:C}; the next was {thread}.
    “Then tell me,” said {C}, and {gesture:C}, “{thread}.”
    One answer, and {sight}, and already a new question: {thread}.
    So that was that, and still {weather}, and nobody could say {thread}.
    """)

MATTER = _lines("""
    “And {matter}?” asked {walkon}. {L} {gesture:L}.
    {^time} they talked of {matter}, and {C} {gesture:C}.
    {^walkon} asked after {matter}, {time}.
    By now even {walkon} had heard of {matter}.
    “First {matter}, and now {sound},” said {C}.
    Like {walkon}, {C} had dreamed of {matter}.
    They spoke of {matter}, {manner:L}, because of {walkon}.
    “{R} wants {matter},” said {walkon}, and {L} {gesture:L}.
    {^walkon} brought news of {matter}, and {L} {gesture:L}.
    {L} {gesture:L}, thinking of {matter}; {weather}.
    Always, {time}, it came back to {matter}.
    {C} asked {walkon} about {matter}, {manner:C}.
    “All that for {matter}?” said {walkon}. {L} {gesture:L}.
    {L} thought of {matter}; {sight}.
    {^weather}, and {L} thought of {matter}.
    “Without {matter},” said {C}, and {gesture:C}, “we'd be asleep.”
    Rumours of {matter} had reached {walkon}, {time}.
    {L} drew {matter} on {surface} and {gesture:L}.
    “Give up {matter}?” {L} {gesture:L}. “Never,” {she} said.
    “{^theitem},” said {C}, and {gesture:C}. “That belongs with {matter}.”
    {L} looked at {theitem}, thought of {matter}; {weather}.
    {^walkon} laughed at {matter}, but {C} {gesture:C}.
    “What about {matter}?” {C} {gesture:C}. “Not here.”
    {^time} they argued over {matter}, {manner:L}.
    {^far} somebody was talking of {matter}, and {C} {gesture:C}.
    On {surface} was a drawing of {matter}; {sight}.
    {^sight}, and {C} thought of {matter}.
    {^theitem} had to do with {matter}, {walkon} said.
    """)
"""In every paragraph one, so that a story stays about what it was to be about."""

KIN = _lines("""
    “It's true about {kin},” said {walkon}, and {L} {gesture:L}.
    {^walkon} stared at {kin}, {time}.
    “They talk of {kin}, even {far},” said {C}.
    “Make way for {kin},” called {walkon}.
    Nobody {far} had expected {kin}, least of all {walkon}.
    “Luck to {kin},” said {walkon}, and meant it.
    {R} had asked {walkon} about {kin}.
    {^walkon} nodded to {kin}, {time}.
    “I never liked {kin},” said {walkon}. {L} {gesture:L}.
    Word of {kin} had gone ahead of them, {far}.
    {^walkon} made room for {kin}.
    {^walkon} hummed a song about {kin}.
    “Why {kin}?” asked {walkon}. {L} {gesture:L}.
    Somebody {far} shouted a greeting to {kin}.
    """)
"""Where the premise names its people only by what they are."""

WAYS = _lines("""
    What with {matter}, there were {aim1}, {aim2} and {aim3} to think of; {weather}.
    Since {matter}, {L} thought, {time}, it was {aim1}, {aim2} or {aim3}.
    {^walkon} spoke of {matter}, {aim1} and {aim2}; {C} of {aim3}.
    {^time} they listed it all on {surface}: {matter}, {aim1}, {aim2}, {aim3}.
    From {matter} it led, {walkon} said, to {aim1}, {aim2} or {aim3}.
    Because of {matter}, said {C}, {time}, it had to be {aim1}, {aim2} or {aim3}.
    {^weather}; {L} weighed {matter} against {aim1}, {aim2}, {aim3}.
    “Leave {matter},” said {walkon}. “What about {aim1}, {aim2}, {aim3}?”
    {L} asked {walkon} about {matter}: {aim1}, {aim2} and {aim3} were the answer.
    “For {matter} it's {aim1},” said {C}, {time}, “or {aim2}, or {aim3}.”
    {^sight}. {^aim1}, {aim2}, {aim3}, {matter}: {C} knew no other way.
    """)
"""Names what the ballot's three plans aim at, so that nobody votes on what was never heard of."""

WAYS_FREE = _lines("""
    There were {aim1}, {aim2} and {aim3} to think of now; {weather}.
    {L} counted what was left, and {gesture:L}: {aim1}, {aim2}, {aim3}.
    “We still have {aim1},” said {C}, {manner:C}, “and {aim2}, and {aim3}.”
    {^walkon} had spoken of {aim1} and {aim2}; {C} had seen {aim3}.
    {^time} they listed it all on {surface}: {aim1}, {aim2}, {aim3}.
    From here it led, {walkon} said, to {aim1}, {aim2} or {aim3}.
    It had to be, said {C}, {time}, {aim1}, {aim2} or {aim3}.
    {^weather}; {L} weighed {aim1}, {aim2} and {aim3}.
    {L} asked {walkon}: {aim1}, {aim2} and {aim3} were the answer.
    “{^aim1},” said {C}, {time}, “or {aim2}, or {aim3}.”
    """)
"""The same for a premise that names nothing, or whose matter is itself aimed at."""

HOOKS: Mapping[str, tuple[str, str]] = {
    "came a knock": (
        "From {surface}, {time}, came a knock: once, twice, again.",
        "The knock never came again; instead, {time}, {sight}.",
    ),
    "lamp went out": (
        "{^time} the lamp went out, leaving {smell}.",
        "Three matches later they saw that {sight}.",
    ),
    "called {L} by name": (
        "Somebody {far} called {L} by name, and {sight}.",
        "The voice had stopped, or become {sound}.",
    ),
    "saw the tracks": (
        "{^time} they saw the tracks, one pair, bare; {far} they stopped.",
        "The bare tracks were gone, {time}, but for one beside {surface}.",
    ),
    "shut behind": (
        "Something shut behind them with {sound}, and it was not the wind.",
        "What had shut stayed shut, and {L} {gesture:L}.",
    ),
    "there, smiling": (
        "When {L} looked back, {walkon} was standing there, smiling.",
        "Nobody smiled there now; {sight}.",
    ),
    "{R}'s handwriting": (
        "{C} stopped at {surface}: a message, in {R}'s handwriting.",
        "{R}'s message had said only that {proverb}.",
    ),
    "it was gone": (
        "{L} felt for {olditem}, {time}, and it was gone.",
        "What was gone turned up again, {time}, in the wrong pocket.",
    ),
    "being watched": (
        "{^far} something glinted, {time}: they were being watched.",
        "Whoever had watched them left only {smell}.",
    ),
    "first bell": (
        "Then the first bell began, and {sight}.",
        "The bell went unexplained, though {walkon} blamed the cold.",
    ),
    "hand was bleeding": (
        "{C} saw it, {time}: {L}'s hand was bleeding.",
        "The cut was bound, {time}, and smelled of {smell}.",
    ),
    "a stranger's coat": (
        "Over {surface} hung a stranger's coat, still dripping.",
        "The coat stayed where it was, {time}, smelling of {smell}.",
    ),
    "they ran": (
        "“Now,” said {C}, and while {sight} they ran.",
        "They had run until {weather}, and now they had to think.",
    ),
    "counting down": (
        "Very softly, {far}, somebody was counting down from twenty.",
        "The counting had stopped at four, {time}, and never started again.",
    ),
    "and it opened": (
        "{L} leaned on {surface}, {manner:L}, and it opened.",
        "What had opened held nothing but {smell}.",
    ),
    "too late": (
        "{^sound}; and {L} understood, a moment too late.",
        "It was not quite too late, {time}, though {sight}.",
    ),
    "one word: hurry": (
        "On the dust of {surface} a finger had written one word: hurry.",
        "The word in the dust, {time}, was gone.",
    ),
    "{R} stood there": (
        "And by {surface}, quite alone, {R} stood there, waiting.",
        "{R} had said only this, {manner:L}: that {proverb}.",
    ),
    "made all of them jump": (
        "It was so quiet that {sound} made all of them jump.",
        "Their nerves had settled, {time}, and {sight}.",
    ),
    "something answered": (
        "{L} whispered the question, and from {surface} something answered.",
        "Whatever had answered kept hidden, and {weather}.",
    ),
    "two shadows": (
        "Behind {C}, while {sight}, lay two shadows.",
        "There was one shadow again, {time}, where two had been.",
    ),
    "“Smoke,”": (
        "“Smoke,” said {C}. It was rising {far}; {weather}.",
        "The smoke was only supper, said {walkon}.",
    ),
    "come the wrong way": (
        "{L} {gesture:L}; they had come the wrong way.",
        "The wrong way was shorter, past {surface}.",
    ),
    "stood a child": (
        "There, {far}, quite alone, stood a child with {gear}.",
        "The child had pointed {far} and gone, {manner:L}.",
    ),
}
"""Key → the last sentence of a paragraph, and how the next one takes it up. The key's words stand
in the sentence (slots filled), so that the next turn finds it by reading the previous paragraph."""


def hook_key(text: str) -> str:
    """The key of the hook that a text ends with.

    Args:
        text: a hook, with its own slots or with the cast's names in them.

    Raises:
        LookupError: it is no hook of this grammar.
    """
    for key in HOOKS:
        if key.replace("'", "’") in text:
            return key
    raise LookupError(text)


# ── the opening ──────────────────────────────────────────────────────────────────────────────────

OPENING: tuple[tuple[str, ...], ...] = (
    _lines("""
        Nobody believed it at first. {premise}
        {^weather} on the day it began. {premise}
        Begin with what is known. {premise}
        It was in all the papers, and for once it was true. {premise}
        {premise} That was how it began, on a day when {weather}.
        There are many ways to end this story, but only one to begin it. {premise}
        {premise} {L} still had the note of it, and {weather} when {she} unfolded it.
        It was told {far} first, and then everywhere. {premise}
        {premise} By evening even {walkon} knew.
        {L} heard it from {walkon}, of all people. {premise}
        """),
    _lines("""
        {L} was {role}, and would not leave it at that.
        It fell to {L}, {role}, to look into it.
        If anybody could make sense of it, it was {L}, {role}.
        {L}, {role}, was in it from the start.
        """),
    _lines("""
        {C}, {crole}, said it would end badly, and came along.
        Nobody had asked {C}, {crole}, who came all the same.
        {C}, {crole}, had doubts about all of it and was never far away.
        Without {C}, {crole}, nothing would have come of it.
        """),
    _lines("""
        {R}, {rrole}, would rather nobody asked {thread}.
        In and around {place} nobody would say {thread}, least of all {R}, {rrole}.
        Only {R}, {rrole}, seemed to know {thread}, and kept quiet.
        One question stood over everything: {thread}. {R}, {rrole}, did not care for it.
        """),
    _lines("""
        All that {L} took along was {atool}.
        {L} had packed {atool} and little else.
        {L} put {atool} in a pocket, in case.
        """),
)
"""The first sentences of a story: one of each, in this order."""

OPENING_CAST = _lines("""
    {L}, {role}, and {C}, {crole}, set out to learn {thread}, against the wishes of {R}, {rrole}.
    With {C}, {crole}, went {L}, {role}, asking {thread}; and behind them went {R}, {rrole}.
    It drew in {L}, {role}, and {C}, {crole}, and {R}, {rrole}, who feared to be asked {thread}.
    """)
"""All three in one sentence, for a short opening: who acts in a plan must have been met."""

# ── plans ────────────────────────────────────────────────────────────────────────────────────────

PLAN_WHY: Mapping[Stance, tuple[str, ...]] = {
    Stance.CAREFUL: _lines("""
        It is slow work, but it wakes nobody.
        {C} has heard that {goal} could tell them more.
        Whoever knows {thread} must have passed this way.
        {^olditem} will mean more once this is done.
        It can be done with {gear} and patience.
        It costs nothing but sleep.
        """),
    Stance.BOLD: _lines("""
        There is no better moment than now.
        {R} will not expect it.
        If this cannot tell them {thread}, nothing will.
        {^olditem} points straight there.
        Waiting has brought them nothing so far.
        Somebody has to go first, and {L} is tired of waiting.
        """),
    Stance.STRANGE: _lines("""
        Nobody has ever tried it, except perhaps {walkon}.
        It makes no sense, and that may be its strength.
        {L} dreamed it, and the dream was exact.
        An old rhyme says it must be done so.
        No sensible plan has told them {thread}.
        {^olditem} seems to ask for it.
        """),
}

PLAN_MATTER: Mapping[Stance, tuple[str, ...]] = {
    Stance.CAREFUL: _lines("""
        It should show how {goal} and {matter} hang together.
        {C} thinks that it has to do with {matter}.
        It keeps {matter} out of danger for now.
        """),
    Stance.BOLD: _lines("""
        It is the shortest way to the truth about {matter}.
        {L} does it for {matter}, and says so.
        {R} must not get to {matter} first.
        """),
    Stance.STRANGE: _lines("""
        It came to {L} while thinking of {matter}.
        {^walkon} once told a tale of {matter} that began so.
        Only {L} sees what it has to do with {matter}.
        """),
}
"""Instead of PLAN_WHY in one plan of each ballot, and in all of the first."""

PLAN_COMPANION: Mapping[Stance, tuple[str, ...]] = {
    Stance.CAREFUL: _lines("""
        {C} keeps watch and counts whoever comes.
        {C} is all for it and brings bread.
        {C} asks {walkon} a few harmless questions meanwhile.
        {C} writes down everything.
        """),
    Stance.BOLD: _lines("""
        {C} thinks it far too soon, but waits nearby with {gear}.
        {C} creates a distraction with the help of {walkon}.
        {C} goes in second, {manner:C}.
        {C} swears that it will end badly, and comes along.
        """),
    Stance.STRANGE: _lines("""
        {C} laughs until it turns out that {walkon} once did the same.
        {C} plays along, {manner:C}.
        {C} brings what is needed: {gear}, and a straight face.
        {C} wants no part of it and stands by all the same.
        """),
}

PLAN_RISK: Mapping[Stance, tuple[str, ...]] = {
    Stance.CAREFUL: ("The danger is {risk}.", "All the while there is {risk}."),
    Stance.BOLD: ("What could stop them is {risk}.", "It can go wrong at once: {risk}."),
    Stance.STRANGE: ("Nobody can say what {risk} will do.", "Against it stands {risk}."),
}

PLAN_GAIN: Mapping[Stance, tuple[str, ...]] = {
    Stance.CAREFUL: _lines("""
        In the end they will know whom to trust.
        It may bring them one step nearer, quietly.
        At the least, {R} learns nothing.
        What they gain is time.
        """),
    Stance.BOLD: _lines("""
        By nightfall everybody will know, even {walkon}.
        If it works, {R} has to answer.
        Win or lose, it ends the waiting.
        If it fails, there is still a way out {far}.
        """),
    Stance.STRANGE: _lines("""
        Something will answer, though perhaps not what they asked.
        It may wake what has slept {far}.
        At worst they look like fools.
        It could turn the whole story round.
        """),
}

NOTICE = (
    "I am the offline narrator: a grammar of templates, not a language model. I keep the cast, the "
    "place and the thread of your story and follow your votes, always in English, whatever "
    "language was asked for. To have a real model write, set OPENAI_API_KEY (or OPENAI_BASE_URL "
    "for a server of your own) and start again."
)
"""Said at a story's start."""
