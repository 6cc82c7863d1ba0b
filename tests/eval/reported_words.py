"""The reported set of wordings: an observatory in a former monastery, and the city below it.

Nothing was tuned on it. It was written apart from every other set, in another world, with things,
sentences and constructions of its own, so that what is measured with it tells how the memory does
on a story that nobody has prepared it for.
"""

from tests.eval.families import Family, Kind, Thing, Wordings


def _things(*pairs: tuple[str, str]) -> tuple[Thing, ...]:
    """Things that don't change, of pairs of what a fact and what a plan calls them."""
    return tuple(Thing(said, meant) for said, meant in pairs)


def _others(*phrases: str) -> tuple[Thing, ...]:
    """Distractors that don't change."""
    return tuple(Thing(said, "") for said in phrases)


_OWNS = Family(
    kind=Kind.OWNS,
    paragraph=(
        (
            "Nobody at the table had known, until the tax clerk "
            "read the list aloud, that {x} belonged to {A}."
        ),
        (
            "It was {A} who had bought {x} at the autumn "
            "auction and kept the receipt folded in a boot."
        ),
        (
            "The magistrate turned a page, coughed, and confirmed that {x} had "
            "been the lawful property of {A} since the year of the two eclipses."
        ),
        (
            "'You may admire {x} all you like,' said {A}, 'but I "
            "inherited every bit, and I mean to keep what is mine.'"
        ),
    ),
    summary=(
        "{A} turned out to own {x}.",
        "Through a dead aunt's legacy, {x} passed into {A}'s possession.",
        "It came out that {A} holds title to {x}.",
        "After the old debts were settled, {x} remained with {A} as a private holding.",
    ),
    ledger=(
        "{A} owns {x}.",
        "Owner of {x}: {A}.",
        "Legally, {x} is the property of {A}.",
    ),
    named=(
        (
            "{A} hears that {x} is being offered for sale without so "
            "much as a by-your-leave, and {A} storms into the market."
        ),
        (
            "When the guild seizes goods for the unpaid fines of "
            "{A}, the bailiff starts with {x}, and {A} pleads."
        ),
        "{A} has to decide what becomes of {x} before leaving the city, as {A} may never return.",
        (
            "Thieves make off with {x}, and the watch knocks on {A}'s "
            "door with the news, which {A} takes as such a loss deserves."
        ),
    ),
    half=(
        "A stranger offers {A} forty crowns for {x} and gets an answer that silences the room.",
        (
            "The prefect wants {x} for the garrison, and the sergeant "
            "is unsure whether to haggle with {A} or somebody else."
        ),
        "Over supper {A} brags or stays modest, as is fitting, when the talk comes round to {x}.",
        "Sparks are flying dangerously close to {x}, and {A} is the last to be told.",
    ),
    nameless=(
        (
            "The merchants want to hire {x} for the festival "
            "and call on the one person who can say yes."
        ),
        "Somebody will have to be compensated when {x} comes to harm in the landslide.",
        "An assessor arrives to put a value on {x} and must address the bill.",
        (
            "For the ruse to work, {x} must be borrowed, so "
            "permission is sought where permission can be given."
        ),
    ),
    things=_things(
        ("the cracked brass spyglass", "the damaged pocket telescope"),
        ("the white racing camel", "the pale dromedary bred for speed"),
        ("the vineyard below the switchbacks", "the grape terraces under the winding road"),
        ("the ruby-glass furnace", "the kiln for red panes"),
        ("the lynx-skin cloak", "the mantle sewn from wildcat fur"),
        ("the bathhouse with the copper tubs", "the establishment for public washing"),
        ("the ivory chess set", "the carved board game of kings and pawns"),
        ("the train of four mules in silver bells", "the jingling team of pack animals"),
        ("the bee yard on the south slope", "the cluster of hives facing the noon sun"),
        ("the grey falcon", "the slate-coloured hunting bird"),
        ("the water clock", "the dripping timepiece"),
        ("the salt mine behind the glacier", "the mineral diggings past the ice field"),
        ("the lute of black walnut", "the dark stringed instrument"),
        ("the wedding carpet with the pomegranates", "the bridal rug woven with fruit"),
    ),
    distractors=_others(
        "the two-wheeled vegetable cart",
        "the pepper warehouse",
        "the ebony walking stick",
        "the painted sledge",
        "the herd of long-haired goats",
        "the flour mill on the upper stream",
        "the pair of pearl earrings",
        "the tent of striped felt",
        "the fig orchard",
        "the silver samovar",
        "the loom with the scarlet heddles",
        "the saddle with turquoise studs",
    ),
)

_PROMISED = Family(
    kind=Kind.PROMISED,
    paragraph=(
        "{A} took {B} by the sleeve under the arch and promised {x}, on the bones of the founders.",
        (
            "'You have my word,' {A} told {B} while the soup "
            "stood uneaten, 'you shall have {x} from me.'"
        ),
        (
            "In exchange for a night's silence {B} was assured of "
            "{x} by {A}, and they shook on it with sooty hands."
        ),
        (
            "Too tired to bargain any longer, {A} pledged "
            "{x} to {B} and spat into the snow to seal it."
        ),
    ),
    summary=(
        "{A} gave {B} a promise: {x}.",
        "{B} came away with {A}'s assurance of {x}.",
        "Under pressure, {A} agreed to provide {B} with {x}.",
        "As thanks for the rescue, {A} guaranteed that {B} would receive {x}.",
    ),
    ledger=(
        "{A} promised {B} {x}.",
        "{A} owes {B} {x}, as promised.",
        "Open promise from {A} to {B}: {x}.",
    ),
    named=(
        "{B} comes to collect from {A}, and at last {A} must deal with the matter of {x}.",
        "{A} hopes that {B} has forgotten about {x}, but today is the reckoning.",
        "On the way home {B} asks {A} outright what happened to {x}.",
        "{A} is packing to leave when {B} blocks the stairs on account of {x}.",
    ),
    half=(
        (
            "{A} lies awake over {x}, still outstanding, and "
            "resolves to make good before the year is out."
        ),
        "{B} grows impatient about {x} and goes to the person concerned.",
        "With the treasury empty, {A} must find other means for {x}.",
        "Someone reminds {B} of {x}, and an old expectation stirs.",
    ),
    nameless=(
        "The time has come for {x}, and the debtor is made to keep faith with the creditor.",
        "Nothing has been seen of {x} yet, so the one left waiting makes a scene.",
        "A go-between inquires politely about {x} and mentions on whose behalf.",
        "In this chapter the business with {x} is settled, to the relief of both parties.",
    ),
    things=_things(
        ("a seat on the first caravan south", "a place with the earliest party into the desert"),
        ("three barrels of apricot brandy", "the casks of fruit spirit"),
        ("the recipe for cobalt glaze", "the formula behind the blue finish"),
        ("a burial beneath the sundial", "a grave where the shadow tells the hour"),
        ("a pair of spectacles ground to measure", "the eyeglasses made to fit"),
        ("safe conduct across the glacier", "an escort over the ice"),
        ("the roan mare's foal", "the unborn colt of the reddish horse"),
        ("a public apology on market day", "the words of regret in front of all the stalls"),
        ("the naming of a comet", "the christening of a tailed star"),
        ("reading lessons through the winter", "the teaching of letters in the cold months"),
        ("half the bounty on the bandit chief", "an even share of the outlaw's reward"),
        ("a new roof for the orphanage", "fresh shingles over the parentless children"),
        ("an audience with the oracle", "a hearing before the prophetess"),
        ("a wagonload of firewood", "enough split logs to last until the thaw"),
    ),
    distractors=_others(
        "a rematch at dice",
        "a basket of quinces",
        "the truth about the spilt ink",
        "a new pair of boots",
        "a dance at the harvest feast",
        "a refund of the entrance fee",
        "a carved crib",
        "a tame marmot",
        "the loan of a sledgehammer",
        "a bolt of undyed felt",
        "help with the barley threshing",
        "a massage with camphor oil",
    ),
)

_FEARS = Family(
    kind=Kind.FEARS,
    paragraph=(
        (
            "The colour left {A}'s face, for there was "
            "nothing under the sky that {A} dreaded like {x}."
        ),
        (
            "Ever since childhood {A} had been terrified of {x}, "
            "and laughed too loudly whenever others guessed."
        ),
        (
            "'Anything but that,' whispered {A}, and had to confess, "
            "with sweating palms, to a lifelong horror of {x}."
        ),
        (
            "{A} would rather have walked over a hot kiln grate "
            "than face {x}; the mere mention brought on trembling."
        ),
    ),
    summary=(
        "It emerged that {A} is mortally afraid of {x}.",
        "A weak spot of {A} was revealed: blind panic at {x}.",
        "What frightens {A} beyond reason is {x}.",
        "{A} admitted to a phobia about {x}.",
    ),
    ledger=(
        "{A} fears {x}.",
        "Greatest fear of {A}: {x}.",
        "{A} cannot bear {x}, out of terror.",
    ),
    named=(
        "{A} is confronted with {x} on the way up, and how {A} takes it decides the climb.",
        "An enemy who has studied {A} turns {x} into a weapon, and the blow tells on {A}.",
        "Should the night's work bring {x}, everybody will look at {A} to see whether {A} stays.",
        "{A} has to choose between {x} and giving up the errand, and the choice costs {A} dearly.",
    ),
    half=(
        "The night has {x} in store for the search party, and {A} is among them.",
        "The lesson is interrupted by {x}, and one pupil, {A}, behaves in character.",
        "The conversation touches on {x}, at which {A} answers in an odd voice.",
        "No one else can be spared, so the errand that involves {x} falls to {A}.",
    ),
    nameless=(
        "What lies ahead is {x}, and one of the company is unable to go on as if it were nothing.",
        (
            "To scatter the conspirators, someone makes use "
            "of {x}, which works on precisely one of them."
        ),
        "Everybody shrugs at {x} except for a single person, who bolts.",
        "The scene is built on {x} and on somebody losing all composure.",
    ),
    things=_things(
        ("the sound of cracking ice", "a frozen surface groaning underfoot"),
        ("moths around a lamp", "winged insects drawn to a flame"),
        ("mirrors after dark", "one's own reflection at night"),
        ("being buried by an avalanche", "suffocation under tumbling snow"),
        ("dogs with pale eyes", "hounds whose irises are nearly white"),
        ("spiral stairs", "steps that wind round and round"),
        ("the smell of singed hair", "a whiff of scorched locks"),
        ("a thunderclap in the valley", "the loud rumble of a storm"),
        (
            "masked dancers in the new year parade",
            "people in false faces at the turn of the calendar",
        ),
        ("looking down a deep well", "the view into a shaft of drinking water"),
        ("snakes in the bedding", "serpents between the sheets"),
        ("a surgeon's needle", "getting stitches from a doctor"),
        ("locked rooms", "a chamber that can't be opened from inside"),
        ("a total eclipse", "the sun going black at midday"),
    ),
    distractors=_others(
        "cats on the rafters",
        "the taste of sour milk",
        "drunken soldiers",
        "swarming bees",
        "speaking before a large crowd",
        "ghost stories",
        "the hiss of molten glass",
        "toads on the cellar floor",
        "blind beggars",
        "dead birds",
        "the number thirteen",
        "a kicking horse",
    ),
)

_KIN = Family(
    kind=Kind.KIN,
    paragraph=(
        "The midwife's register left no doubt: {A} was {x} of {B}.",
        "On the flyleaf, in faded ink, somebody had put {A} down as {x} of {B}.",
        "'You didn't know?' said the old cook. 'Over there sits {x} of {B}, and answers to {A}.'",
        "{A} pushed back the hood and proved, with papers and a witness, to be {x} of {B}.",
    ),
    summary=(
        "The family tie is out: {A} is {x} of {B}.",
        "{A} and {B} are related, the former being {x} of the latter.",
        "By blood or by law, {A} counts as {x} of {B}.",
        "As the notary testified, {x} of {B} is none other than {A}.",
    ),
    ledger=(
        "{A} is {x} of {B}.",
        "Kinship: {A}, {x} of {B}.",
        "Family of {B}: {A}, {x}.",
    ),
    named=(
        "{B} asks the archive about {x} and is handed a name, while {A} turns pale in the doorway.",
        "The court summons {x}, and both {A} and {B} understand whom that concerns.",
        "{A} and {B} quarrel over the inheritance, in which {x} ranks before any stranger.",
        "A portrait of {x} is unveiled, at which {B} and {A} exchange a glance.",
    ),
    half=(
        "Only {x} may enter the sickroom of {B}, and the porter steps aside for one visitor.",
        "The statutes call for {x} to co-sign, and {A} gets up or stays seated accordingly.",
        "On the eve of the trial {B} writes, deep into the night, a letter meant for {x}.",
        "A genealogist visits {A} to fill the gap where {x} should stand.",
    ),
    nameless=(
        "A bishop sends for {x}, and someone with every right to it comes through the door.",
        (
            "Custom wants {x} to carry the lamp before the "
            "coffin, so one mourner is called out of the crowd."
        ),
        "An anonymous pamphlet threatens to expose {x}, which frightens more than one reader.",
        "At the reading of the will everything goes to {x}, and heads turn toward one chair.",
    ),
    things=_things(
        ("the twin", "the one born within the same hour"),
        ("the disowned firstborn", "the eldest heir who was struck from the succession"),
        ("the step-parent", "the newcomer whom a bereaved mother wedded"),
        ("the bastard child", "the fruit of a liaison outside wedlock"),
        ("the godparent", "the sponsor from the naming rite"),
        ("the first cousin", "an aunt's offspring"),
        ("the milk sibling", "the one suckled by a shared wet nurse"),
        ("the adopted foundling", "the infant taken in from a doorstep"),
        ("the parent-in-law", "the mother or father of one's wedded partner"),
        ("the runaway spouse", "the bride or groom gone since the nuptials"),
        ("the half-brother", "the boy who has only one progenitor in common"),
        ("the grandparent", "the elder two generations up the tree"),
        ("the long-time betrothed", "the fiancé from an arranged match in the cradle"),
        ("the widowed brother-in-law", "the man whom a dead girl of the house had married"),
    ),
    distractors=_others(
        "the second cousin",
        "the foster parent",
        "the legal ward",
        "the great-uncle",
        "the blood-oath comrade",
        "the distant relation from the coast",
        "the former schoolmate",
        "the favourite nephew",
        "the great-grandchild",
        "the court-appointed guardian",
        "the daughter-in-law",
        "the head of the dyer branch",
    ),
)

_HID = Family(
    kind=Kind.HID,
    paragraph=(
        "While the others slept, {A} carried {x} to {P} and wedged a stone over the gap.",
        (
            "{A} had chosen {P} for the purpose, and there, "
            "behind a loose board, {x} went into the dark."
        ),
        (
            "It took {A} half the night at {P} to bury {x} "
            "deep enough that no fox would scratch there."
        ),
        "'Under my bed? I am no fool,' muttered {A}; by dawn {x} lay walled up at {P}.",
    ),
    summary=(
        "{A} concealed {x} at {P}.",
        "At {P}, unseen by the guards, {A} stashed {x}.",
        "The hiding place that {A} picked for {x} is at {P}.",
        "Fearing a raid, {A} put {x} out of sight at {P}.",
    ),
    ledger=(
        "{A} hid {x} at {P}.",
        "Hidden at {P} by {A}: {x}.",
        "Cache of {A} at {P}: {x}.",
    ),
    named=(
        "{A} has an hour alone at {P} and needs {x} in hand by the end of it.",
        "The watch is about to search {P}, and {A} sweats for the sake of {x}.",
        "Masons begin their repairs at {P}, which makes {A} fret about {x}.",
        "{A} lures a rival to {P} and trades what is known about {x} for a free pardon.",
    ),
    half=(
        "{A} must have {x} back before the inquisitor arrives.",
        "Workers tear up the floor at {P} and stumble on {x}.",
        "Under questioning {A} gives away at last how to find {x}.",
        "A patrol camps overnight at {P}, within arm's reach of {x}.",
    ),
    nameless=(
        "Before anything else someone fetches {x}, without a single wrong turn.",
        "A child chasing a kitten comes across {x} by accident.",
        "The hunt for {x} ends in this chapter, where it has to end.",
        "Heavy rain threatens to spoil {x}, so the culprit hurries back to the spot.",
    ),
    things=_things(
        ("the abbot's seal ring", "the signet of the monastery's head"),
        ("a purse of uncut garnets", "the bag of rough red gems"),
        ("the forged toll permits", "the fake papers for the road tax"),
        ("the poisoned candles", "the tapers that kill when they are lit"),
        ("a loaded crossbow", "the weapon with its bolt already drawn"),
        ("the confession of the old treasurer", "the bursar's signed admission of guilt"),
        ("a flask of quicksilver", "the bottled mercury"),
        ("the skeleton key of the library", "the tool that opens every book room"),
        ("the deserter's uniform", "the runaway soldier's clothes"),
        ("the tin of saffron", "the box of costly yellow spice"),
        ("the mummified hand of the founder", "the relic with the dried fingers"),
        ("the counterfeiter's dies", "the stamps for striking bad coin"),
        ("the bundle of love letters", "the tied-up romantic correspondence"),
        ("the map of the smugglers' tunnels", "the plan of the contraband passages underground"),
    ),
    distractors=_others(
        "the drum with the split skin",
        "a jar of leeches",
        "the wine cellar's tally sticks",
        "a wooden rocking horse",
        "the spare axle pins",
        "the bishop's slippers",
        "a roll of signal flags",
        "the broken bell clapper",
        "a sack of split peas",
        "the executioner's hood",
        "a wheel of mountain cheese",
        "the case of glass eyes",
    ),
)

_WOUND = Family(
    kind=Kind.WOUND,
    paragraph=(
        "The infirmarian unwound the bandage and told {A} the truth: {x}, for life.",
        (
            "When the surgeons had done what they could, {A} "
            "was left with {x}, and would be to the end."
        ),
        (
            "{A} never spoke of the bad years in company, but the "
            "bath by the stove showed what they had done: {x}."
        ),
        "'It doesn't hurt any more,' lied {A}, who had come out of the ordeal with {x}.",
    ),
    summary=(
        "{A} bears lasting damage: {x}.",
        "Since the accident {A} lives with {x}.",
        "The physician found {A} marked for good by {x}.",
        "{A}'s old injury never quite went away: {x}.",
    ),
    ledger=(
        "{A} has {x}.",
        "Old wound of {A}: {x}.",
        "Bodily mark of {A}: {x}.",
    ),
    named=(
        "{A} is put to a task in which {x} makes all the difference, and {A} struggles.",
        "A stranger recognises {A} by {x}, which {A} is in no position to deny.",
        "{A} tries to pass for someone else, but {x} cuts short the masquerade of {A}.",
        "For the dance {A} needs a trick to make up for {x}, a thing {A} resents.",
    ),
    half=(
        "The examiner lines up the novices, {A} among them, and looks for {x}.",
        "On the steep descent {x} is a hindrance to {A}.",
        "Because of {x}, the part in the ambush that was meant for {A} goes to another.",
        "A new acquaintance asks about {x}, and {A} tells the tale.",
    ),
    nameless=(
        "The watch hunts for a suspect with {x} and brings in the only match.",
        "Someone in the party will have trouble on the ladder on account of {x}.",
        "A quack offers an ointment against {x} to the very customer for it.",
        "A disguise is ruined through {x}, which no paint can cover.",
    ),
    things=_things(
        ("a stiff knee from the rockfall", "the leg that won't bend since the stones came down"),
        ("two toes lost to frostbite", "the foot that the cold took a part of"),
        ("a burnt palm from the furnace door", "the hand scalded by hot iron"),
        ("a deaf ear since the powder blast", "the hearing gone on one side after an explosion"),
        ("a milky eye from a glass splinter", "the sight clouded by a flying shard"),
        ("a badly set collarbone", "the shoulder that healed crooked"),
        ("a rope scar around the neck", "the trace of a failed hanging"),
        ("a dog bite in the calf", "the place where the hound's teeth sank in"),
        ("a hoarse voice from the smoke", "the throat ruined by fumes"),
        ("a knocked-out front tooth", "the gap in the smile"),
        ("a tremor since the scorpion sting", "the shaking brought on by venom"),
        ("an arrowhead lodged in the hip", "the barb still stuck beside the pelvis"),
        ("a cracked rib that never mended", "the bone in the chest that stabs at each breath"),
        ("a thief's brand on the forearm", "the criminal's sign seared in below the elbow"),
    ),
    distractors=_others(
        "a nick in the earlobe",
        "a bent little finger",
        "a bald patch from the ringworm",
        "blisters on both heels",
        "a bruise on the cheekbone",
        "a torn thumbnail",
        "a sprained wrist",
        "a delicate stomach since the siege",
        "headaches from the great height",
        "a nosebleed that returns every spring",
        "a swollen ankle",
        "a split lip",
    ),
)

_SECRET = Family(
    kind=Kind.SECRET,
    paragraph=(
        (
            "{A} smiled at {B} over the rim of the cup and said "
            "nothing about {x}, as on every evening before."
        ),
        "'{B} must never hear of it,' begged {A}, having just let slip {x}.",
        (
            "Each time {B} came near the subject of {x}, "
            "{A} found a shutter to close or a dog to call."
        ),
        (
            "In the dark of the confessional {A} owned up to {x}, "
            "and made the priest swear that {B} would stay ignorant."
        ),
    ),
    summary=(
        "{A} is keeping {x} from {B}.",
        "{B} has no idea about {x}, which {A} takes care to cover up.",
        "There is a lie between {A} and {B}: {x}.",
        "{A} deceives {B} concerning {x}.",
    ),
    ledger=(
        "Secret of {A} from {B}: {x}.",
        "{A} has a secret, {x}; {B} does not know.",
        "Unknown to {B}: {x}, on the part of {A}.",
    ),
    named=(
        "{B} confronts {A} with a rumour about {x}, and {A} must decide whether to come clean.",
        "Over wine {A} is tempted to tell {B} everything about {x}.",
        "A drunken guest nearly blurts out {x} to {B} while {A} kicks the table leg.",
        "Alone in the snow hut with {A}, of all topics {B} brings up {x}.",
    ),
    half=(
        "A blackmailer writes to {A} and alludes to {x}.",
        "It is high time for {B} to be told the truth about {x}.",
        "{A} tears a page from the diary on account of {x}.",
        "Somebody drops a remark in front of {B} that points to {x}.",
    ),
    nameless=(
        (
            "The facts about {x} come to light in front of "
            "the last person who was supposed to find out."
        ),
        "An informer offers to sell what can be told about {x}, and there is one obvious customer.",
        "A careless phrase almost reveals {x}, and the guilty party blushes.",
        (
            "At the hearing {x} is raised, to the horror of "
            "one listener and the astonishment of another."
        ),
    ),
    things=_things(
        ("the debt at the gambling den", "the money owed over cards"),
        ("a year spent in prison", "the twelve months behind bars"),
        ("the burning of the will", "how the testament went up in flames"),
        ("an inability to read", "never having learned the alphabet"),
        ("a second family in the valley", "the other household with its spouse and children"),
        ("the drowning of the ferryman", "what befell the boatman in the water"),
        ("a conversion to the moon faith", "the new creed and its lunar prayers"),
        ("the dropping of the big lens", "the accident with the giant disc of glass"),
        ("a fatal illness of the lungs", "having only months to live"),
        ("the nightly meetings with the rebels", "the dealings with insurgents after sunset"),
        ("the feeding of an exile in the cellar", "the banished guest under the floor"),
        (
            "the authorship of the mocking ballads",
            "having written the songs that ridicule the guilds",
        ),
        ("the sale of the choir bell", "having traded away the chime of the chapel"),
        ("an application to the rival academy", "the wish to move to the competing school"),
    ),
    distractors=_others(
        "a sweet tooth",
        "the true price of the donkey",
        "a wig",
        "an old love for the cook",
        "the theft of the plum jam",
        "a fondness for sentimental verse",
        "the misspelt inscription",
        "a bad mark in geometry",
        "a nest of kittens in the attic",
        "the loss of the cloakroom tokens",
        "the borrowed funeral suit",
        "a noble title",
    ),
)

_NUMBER = Family(
    kind=Kind.NUMBER,
    paragraph=(
        "{A} leaned across the abacus and gave, very low, {x}.",
        "Asked for the third time, {A} named without hesitation {x} and chalked it on the slate.",
        "Nobody but {A} had ever noted down {x}, on the inside of a glove.",
        "'Learn this,' said {A}, and made the apprentice repeat {x} until it came of itself.",
    ),
    summary=(
        "{A} confirmed {x}.",
        "The figure is known thanks to {A}: {x}.",
        "From {A} the others learned {x}.",
        "{A} has {x} by heart.",
    ),
    ledger=(
        "{A} states {x}.",
        "According to {A}: {x}.",
        "Number from {A}: {x}.",
    ),
    named=(
        "{A} is dragged out of bed because all hangs on {x}, and {A} answers.",
        "{A} lies in a fever, yet before daybreak the rest require {x} from {A}.",
        "With {A} out of reach, the crew must recall {x} the way {A} told it.",
        "{A} tests a newcomer by asking about {x}, and only one reply will satisfy {A}.",
    ),
    half=(
        "The clerk enters {x} wrongly, and {A} corrects the line.",
        "Following {A}'s instruction to the letter, the burglars rely on {x}.",
        "The whole party waits in the cold while {A} tries to remember {x}.",
        "There is nothing for it but to have {x} right, so a child is sent to {A}.",
    ),
    nameless=(
        "To get any further, the crew must not be mistaken about {x}.",
        "A false answer concerning {x} would cost lives, so the correct one is spoken aloud.",
        (
            "The dispute over {x} ends as soon as somebody "
            "quotes the value that all should have remembered."
        ),
        "Somebody scratches {x} into the plaster for those who come after.",
    ),
    things=_things(
        ("6-2-9 as the combination of the chart room lock", "the digits that open the map chamber"),
        (
            "forty-three as the count of steps to the crypt",
            "how many stairs lead down to the tombs",
        ),
        (
            "eleven marks as the price of the night guard's silence",
            "the bribe that buys off the sentry",
        ),
        (
            "seventy-one as the cell of the mad astronomer",
            "which chamber holds the crazed stargazer",
        ),
        (
            "nineteen camels as the strength of the silver convoy",
            "how many beasts carry the bullion",
        ),
        (
            "thirty-eight degrees as the angle of the noon mirror",
            "the tilt of the midday reflector",
        ),
        (
            "five short and two long as the knocks for the back door",
            "the sequence of raps at the rear entrance",
        ),
        ("eight hundred and four as the page of the cipher", "the leaf of the codebook to turn to"),
        ("nine fathoms as the depth of the collapsed shaft", "how far down the caved-in pit goes"),
        (
            "fourteen grains as the safe dose of the sleeping draught",
            "the harmless amount of soporific",
        ),
        (
            "three hundred paces as the distance from the cairn to the spring",
            "how far one walks from the stone heap to fresh water",
        ),
        ("fifty-six pounds as the weight of the tin ingot", "how heavy the pale metal bar is"),
        (
            "twenty-seven votes as what it takes to depose the prior",
            "the majority for unseating the monastery's second man",
        ),
        (
            "a thousand and sixty jars as the winter store of lamp oil",
            "how much lighting fuel is laid up against the cold",
        ),
    ),
    distractors=_others(
        "twelve as the rungs of the apple ladder",
        "six as the eggs in the eagle's nest",
        "ninety as the age of the oldest gardener",
        "seventeen as the buttons on the herald's coat",
        "four coppers as the fare of the basket lift",
        "thirty-three as the verses of the shearing song",
        "two dozen as the loaves for the lepers",
        "one hundred and five as the panes in the greenhouse",
        "eight ells as the length of the altar cloth",
        "sixty-six as the cards in a full pack",
        "seven as the cooks in the pilgrims' kitchen",
        "forty as the lashes for a drunkard",
    ),
)

_DATE = Family(
    kind=Kind.DATE,
    paragraph=(
        "{A} ran a finger down the almanac and fixed {x}.",
        "After much shouting it was {A} who announced {x}, and the crier's drum made it final.",
        "'Mark it in red chalk,' said {A}, and dictated {x}.",
        "{A} had consulted the tables twice before declaring {x} to the yawning novices.",
    ),
    summary=(
        "{A} set {x}.",
        "The calendar now shows, by decree of {A}, {x}.",
        "At {A}'s urging, all agreed on {x}.",
        "{A} let it be known that one should reckon with {x}.",
    ),
    ledger=(
        "Date given by {A}: {x}.",
        "{A} appointed {x}.",
        "In the calendar, on {A}'s authority: {x}.",
    ),
    named=(
        "{A} counts how many mornings remain until {x}, and {A} is not one to miscount.",
        "{A} plans the journey backwards from {x}, for {A} hates to be early as much as late.",
        "A letter asks {A} to confirm {x}, and {A} replies within the hour.",
        (
            "{A} ties a knot in a cord for every night up to "
            "{x}, so that {A} is ready when the last is tied."
        ),
    ),
    half=(
        "Preparations have to be finished before {x}, and {A} presses the workers.",
        "A traveller asks {A} in passing about {x}.",
        "The poster about {x} hangs upside down until {A} straightens it.",
        "Snow or no snow, {A} departs with a week to spare before {x}.",
    ),
    nameless=(
        "The conspirators time their strike to coincide with {x}.",
        "A pair of rivals wager on how long it still is until {x}, and one is right.",
        "Too late for {x}, a rider comes in and curses the weather.",
        "All leave is cancelled for {x}, and the roster has to carry the correct entry.",
    ),
    things=_things(
        (
            "the ninth of Frostwane as the reopening of the pass",
            "the day the road over the mountains is free again",
        ),
        (
            "the new moon of Reedmonth as the guild election",
            "the day the craftsmen vote for their head",
        ),
        (
            "the second of Longdark as the execution of the forger",
            "the day the maker of false deeds must die",
        ),
        (
            "the eve of Saint Oryl as the wedding of the two clans",
            "the day the feuding houses are joined in marriage",
        ),
        (
            "the fourteenth of Dustmonth as the arrival of the silk caravan",
            "the day the traders in fine cloth ride in",
        ),
        (
            "the thirtieth of Larkmoon as the transit of the red planet",
            "the day the ruddy wanderer crosses the sun",
        ),
        (
            "the twentieth of Reedmonth as the expiry of the furnace lease",
            "the day the rental of the melting ovens runs out",
        ),
        (
            "the first of Amberwane as the birthday of the founder",
            "the anniversary of when the order's originator came into the world",
        ),
        (
            "the seventh of Amberwane as the end of the fast",
            "the day when eating is allowed once more",
        ),
        ("midsummer noon as the return of the envoy", "the hour the ambassador gets back"),
        (
            "the sixteenth of Longdark as the payment of the ransom",
            "the day money changes hands for the captive",
        ),
        (
            "the fifth of Larkmoon as the trial of the lamp keeper",
            "the day the one who tends the lights faces the judges",
        ),
        (
            "the eleventh of Frostwane as the mustering of the guard",
            "the day the militia assembles under arms",
        ),
        (
            "the third full moon as the unveiling of the statue",
            "the day the sculpture is first shown",
        ),
    ),
    distractors=_others(
        "the tenth of Dustmonth as the sheep shearing",
        "the twelfth of Larkmoon as the closing of the lending library",
        "the fourth of Reedmonth as the collection of the chimney tax",
        "the eighth of Dustmonth as the tooth puller's visit",
        "the twenty-second of Amberwane as the kite contest",
        "the last market of Frostwane as the cheese tasting",
        "the sixth of Longdark as the blessing of the mules",
        "the nineteenth of Larkmoon as the scrubbing of the dormitory",
        "the fifteenth of Amberwane as the children's play",
        "the twenty-eighth of Dustmonth as the bottling of the plum wine",
        "the third of Frostwane as the airing of the bed straw",
        "the twenty-fifth of Longdark as the choir rehearsal",
    ),
)

_VOW = Family(
    kind=Kind.VOW,
    paragraph=(
        "Kneeling on the frozen threshold, {A} swore to {B} {x}.",
        "'Hear me, {B},' said {A}, one hand over the coals. 'I bind myself {x}.'",
        "{B} received the oath of {A} {x}, and neither of them smiled.",
        "With a thumb cut open above the well, {A} gave {B} a blood oath {x}.",
    ),
    summary=(
        "{A} made a solemn vow to {B} {x}.",
        "{B} accepted {A}'s sacred pledge {x}.",
        "Henceforth {A} is under oath to {B} {x}.",
        "To win back the trust of {B}, {A} took on a holy obligation {x}.",
    ),
    ledger=(
        "{A} vowed to {B} {x}.",
        "Vow of {A} towards {B}: {x}.",
        "{A} is sworn {x}; the oath is held by {B}.",
    ),
    named=(
        "When the feast begins, {B} looks across at {A}, knowing how hard it has become {x}.",
        "{A} begs {B} for release, as it proves beyond anyone's strength {x}.",
        "A test of loyalty: {A} is urged not {x}, while {B} stands within earshot.",
        "Years on, {A} reports to {B} what it has cost {x}.",
    ),
    half=(
        "{A} wavers, and someone whispers that it would be folly {x}.",
        "{B} is asked for leniency with a friend too weak {x}.",
        "A sly innkeeper does everything to make {A} forget {x}.",
        "For {B}'s sake a certain person goes on trying {x}, however the crowd jeers.",
    ),
    nameless=(
        "The temptation not {x} was never greater, and one of the company resists or falls.",
        "It gets harder from week to week {x}, but conscience gives somebody no choice.",
        "A commitment {x} collides with the captain's orders.",
        "Mockers ask why anyone would take it upon themselves {x}, and the one concerned answers.",
    ),
    things=_things(
        ("to touch no wine again", "to keep away from fermented grapes"),
        ("to leave the hair uncut until justice is done", "to stay clear of the barber's shears"),
        (
            "to avenge the strangled librarian",
            "to hunt down whoever killed the custodian of the books",
        ),
        ("to sleep on bare stone", "to do without a mattress"),
        ("never to cross the river", "to stay on this bank of the stream"),
        ("to tell no lie", "to speak nothing but the truth"),
        ("to walk barefoot to the shrine of the nine lamps", "to make a pilgrimage without shoes"),
        ("to buy the freedom of the mine slaves", "to ransom the bonded diggers"),
        ("to eat no meat", "to live on plants alone"),
        (
            "to light a candle every night for the lost expedition",
            "to keep a flame going after dusk for the vanished explorers",
        ),
        ("never to draw a blade", "to let the sword rust in its sheath"),
        ("to rebuild the fallen dome", "to restore the ruined cupola"),
        ("to bring up the hangman's orphan", "to be a parent to the executioner's offspring"),
        ("to remain unmarried", "to go through life without a spouse"),
    ),
    distractors=_others(
        "to learn the long psalm backwards",
        "to graft a walnut tree each spring",
        "never to whistle indoors",
        "to wash the feet of beggars",
        "to give up chewing betel",
        "to copy out the whole herbal",
        "never to bet on the weather",
        "to feed the finches in hard frost",
        "to see the ocean once",
        "to wear only grey wool",
        "to repay every kindness twice",
        "to draw up the accounts in verse",
    ),
)

_ALIKE = Family(
    kind=Kind.ALIKE,
    paragraph=(
        "{A}, and by no means {B}, was {x}, though the roll call mixed them up every morning.",
        (
            "'Once and for all,' groaned the steward, '{B} is "
            "somebody else entirely; it is {A} who is {x}.'"
        ),
        (
            "A stroke apart on paper and a world apart in life: "
            "{A} was {x}, whereas {B} had nothing to do with that."
        ),
        (
            "The summons was for {A}, who was {x}; {B} had "
            "been woken for no reason and went back to bed."
        ),
    ),
    summary=(
        "{A} is {x}, not to be confused with {B}.",
        "A mix-up of names was cleared up: {x} is {A} rather than {B}.",
        "Despite the resemblance to {B}'s name, {A} alone is {x}.",
        "Strangers keep addressing {B} as {x}, yet that is {A}.",
    ),
    ledger=(
        "{A} (not {B}) is {x}.",
        "Identity: {A} is {x}; {B} is not.",
        "Beware: {A}, never {B}, is {x}.",
    ),
    named=(
        "{A} and {B} both turn up when {x} is wanted, and one of them is sent home.",
        (
            "A parcel for {x} lies between the doors of {A} and "
            "{B}, until its rightful recipient unties the string."
        ),
        "The captain must choose {x} out of {B} and {A}, and gets one try.",
        "With {B} on one side and {A} on the other, a visitor inquires which of the two is {x}.",
    ),
    half=(
        "A clerk has to find out whether {A} is {x} or whether the list has a misprint.",
        "{A} steps forward or stays put when they shout for {x}.",
        "The guests are looking for {x} and ask {B} the way.",
        "A bill made out to {x} reaches {A} and is either paid or returned.",
    ),
    nameless=(
        "The job is one for {x}, and the messenger shouldn't rouse the wrong house.",
        "A reward goes to {x}, after a moment's trouble with the spelling.",
        "Somebody mistakes a bystander for {x}, until the true one coughs.",
        "In the lineup only {x} has anything to dread, if the warrant is read correctly.",
    ),
    things=_things(
        ("the lens grinder's apprentice", "the one learning to shape optics"),
        ("the weather reader of the monastery", "whoever forecasts storms for the monks"),
        ("the camel doctor", "the healer of humped beasts"),
        ("the night porter", "the one minding the door after dark"),
        ("the winner of the snow race", "the fastest across the white slope"),
        ("the tattooed juggler", "the entertainer with the inked arms"),
        ("the left-handed scribe", "the copyist whose pen moves on the unusual side"),
        ("the informer of the toll office", "the spy in the pay of the customs house"),
        ("the singer with perfect pitch", "the chorister who never hits a false note"),
        ("the survivor of the burnt school", "the pupil who lived through the fire"),
        ("the heir to the indigo fortune", "the successor to all the dye money"),
        ("the gravedigger", "the one who prepares the last resting places"),
        ("the sleepwalker", "the one who wanders about with closed eyes"),
        ("the interpreter for the nomads", "the speaker of the steppe people's tongue"),
    ),
    distractors=_others(
        "the pastry cook",
        "the umbrella mender",
        "the tallest novice",
        "the flute teacher",
        "the collector of beetles",
        "the abbess's page",
        "the goatherd",
        "the barber",
        "the puppet carver",
        "the chimney sweep",
        "the roof tiler",
        "the hat seller",
    ),
)

_CONDITION = Family(
    kind=Kind.CONDITION,
    paragraph=(
        "From the parapet they could all see how matters stood: {x} {state}.",
        "The messenger brought a great thirst and one piece of news, namely that {x} {state}.",
        "'Have you heard?' the washerwomen called up the stairs. 'Believe it or not, {x} {state}.'",
        "Nobody who went to look that morning came back with a doubt: {x} {state}.",
    ),
    summary=(
        "Meanwhile {x} {state}.",
        "It turns out that {x} {state}.",
        "The latest report says that {x} {state}.",
        "A change was noticed in passing: {x} {state}.",
    ),
    ledger=(
        "Current state: {x} {state}.",
        "As of now, {x} {state}.",
        "Condition noted: {x} {state}.",
    ),
    named=(
        "Half the company sets out at first light for {x} and has to cope with what is there.",
        "The captain counts on {x}, which may or may not be a mistake.",
        "Somebody must inspect {x} and describe honestly what meets the eye.",
        "In tomorrow's stratagem {x} plays a part, so the scouts take a peek beforehand.",
    ),
    half=(
        "A visitor asks to be shown {x}, and the guide picks every word with care.",
        "With the enemy so near, a good deal may hinge on {x}.",
        "The chronicler devotes a page to {x}, exactly as things are this week.",
        "Children dare one another to go right up to {x} after lessons.",
    ),
    nameless=(
        "Before the guests arrive the steward calls in at {x} and draws the obvious conclusion.",
        "An escape is planned in which {x} figures, and the plan must suit reality.",
        "The council argues over the cost of {x}, with fresh evidence on the table.",
        "On their evening walk two lovers come past {x} and remark on the sight.",
    ),
    things=(
        Thing(
            "the rope bridge over the gorge",
            "the swaying crossing above the ravine",
            (
                "has lost two of its planks",
                "hangs by a single cable",
                "has plunged into the torrent",
            ),
        ),
        Thing(
            "the orrery in the reading hall",
            "the model of the planets",
            (
                "has seized up with verdigris",
                "lies in parts on a bedsheet",
                "turns smoothly on its new gears",
            ),
        ),
        Thing(
            "the aqueduct from the glacier",
            "the channel that brings meltwater down",
            ("leaks at the third arch", "has run dry", "has been patched with lead pipe"),
        ),
        Thing(
            "the town granary",
            "the city's corn store",
            ("is full to the rafters", "is crawling with weevils", "has burned to the ground"),
        ),
        Thing(
            "the sliding roof of the observatory",
            "the hatch through which the stars are watched",
            (
                "is jammed by frost",
                "opens only by a hand's breadth",
                "has been greased and glides back",
            ),
        ),
        Thing(
            "the prior's white peacock",
            "the pale show bird in the courtyard",
            ("has begun to moult", "refuses all food", "has died of the cold"),
        ),
        Thing(
            "the frescoes in the chapel",
            "the wall paintings in the prayer room",
            (
                "are flaking from damp",
                "have been whitewashed over",
                "are being uncovered inch by inch",
            ),
        ),
        Thing(
            "the ice stairs to the summit",
            "the frozen flight of steps up to the peak",
            (
                "have been hacked even and sanded",
                "have half melted away",
                "are gone, leaving naked rock",
            ),
        ),
        Thing(
            "the caravan ford",
            "the shallow place for wading",
            ("is knee deep", "is in raging flood", "has silted up to dry sand"),
        ),
        Thing(
            "the printing press",
            "the machine that makes pamphlets",
            ("is short of the letter e", "has been smashed with mallets", "runs day and night"),
        ),
        Thing(
            "the infirmary stove",
            "the heater for the sick",
            ("smokes badly", "has a split iron plate", "has been replaced by one of tiles"),
        ),
        Thing(
            "the governor's coach",
            "the carriage of the highest official",
            ("has a broken wheel", "has been put on sledge runners", "has gone over the cliff"),
        ),
        Thing(
            "the signal beacon",
            "the warning fire on the ridge",
            (
                "burns low for want of pitch",
                "has gone out in the sleet",
                "is stacked with dry larch again",
            ),
        ),
        Thing(
            "the medicinal garden",
            "the beds of healing herbs",
            ("is buried in hail", "has been dug up by boars", "is green with new shoots"),
        ),
    ),
    distractors=(
        Thing("the laundry pump", "", ("drips all night", "has iced up", "works again")),
        Thing(
            "the flag on the barracks",
            "",
            ("is in tatters", "flies upside down", "has been taken in for mending"),
        ),
        Thing(
            "the baker's oven",
            "",
            ("draws poorly", "has a hole in its vault", "has been bricked up afresh"),
        ),
        Thing(
            "the fountain of the three lions",
            "",
            ("runs green", "has been drained", "spouts with more force than before"),
        ),
        Thing(
            "the wine press",
            "",
            ("creaks at every turn", "has a snapped screw", "stands oiled and idle"),
        ),
        Thing(
            "the pigeon loft",
            "",
            ("is overcrowded", "has been robbed by martens", "is empty and swept"),
        ),
        Thing(
            "the theatre curtain",
            "",
            ("is stuck halfway", "has been eaten by moths", "has been dyed purple"),
        ),
        Thing(
            "the schoolhouse window", "", ("rattles", "is broken", "has oiled paper in its frame")
        ),
        Thing(
            "the market scales",
            "",
            ("weigh a little short", "have been confiscated", "have been tested and sealed"),
        ),
        Thing(
            "the mule track to the quarry",
            "",
            ("is deep in mud", "is blocked by a boulder", "has been laid with gravel"),
        ),
        Thing(
            "the gallows",
            "",
            ("leans to one side", "has lost its beam to thieves", "has been sawn up for kindling"),
        ),
        Thing(
            "the tapestry of the hunt",
            "",
            ("is faded on one side", "has come off its rod", "has been rolled up in camphor"),
        ),
    ),
)

_HOLDER = Family(
    kind=Kind.HOLDER,
    paragraph=(
        (
            "'Stop turning the cupboards out,' called the "
            "housekeeper. 'By now {x} {state}, and good luck to you.'"
        ),
        "One question over the garden wall was enough to learn that {x} {state}.",
        "Out of breath, the errand boy told the whole kitchen that {x} {state}.",
        "It was the talk of the bazaar from stall to stall: {x} {state}, of all things.",
    ),
    summary=(
        "After changing hands once more, {x} {state}.",
        "The trail is clear so far: {x} {state}.",
        "It is beyond dispute that {x} {state}.",
        "At the end of the day's dealings, {x} {state}.",
    ),
    ledger=(
        "At present {x} {state}.",
        "Latest holder: {x} {state}.",
        "To be noted: {x} {state}.",
    ),
    named=(
        "To obtain {x}, they must knock at one particular door and flatter whoever opens.",
        "A fake order demands that {x} be surrendered, and it bears a correct address.",
        "Somebody proposes to steal {x} tonight and describes the premises.",
        "The buyer from abroad insists on a glimpse of {x} and has to be taken there.",
    ),
    half=(
        "A swap is arranged, with {x} on one side of the bargain.",
        "There can be no ceremony without {x}, therefore a runner is dispatched.",
        "The inspector wants to know who has {x}, and an honest witness speaks.",
        "A bid for {x} goes out, and its recipient is delighted or insulted.",
    ),
    nameless=(
        "If {x} should be back before sunrise, the burglar has to climb through somebody's window.",
        "The person currently in charge of {x} has an unexpected visitor.",
        "Two collectors race to get {x}, and the quicker one guesses right.",
        "Word comes that {x} will be needed at once, and an envoy goes straight to the keeper.",
    ),
    things=(
        Thing(
            "the stolen star chart",
            "the missing map of the heavens",
            (
                "is in the glassmakers' strongbox",
                "has passed to the toll captain",
                "is pinned up in the nomad prince's tent",
            ),
        ),
        Thing(
            "the governor's chain of office",
            "the insignia of the city's ruler",
            (
                "lies with the pawnbroker",
                "hangs around the jester's neck",
                "has gone to the goldsmith for repair",
            ),
        ),
        Thing(
            "the only vial of antidote",
            "the cure against the poison",
            (
                "is in the herb woman's apron",
                "is with the pilgrim doctor",
                "is locked in the abbess's cabinet",
            ),
        ),
        Thing(
            "the diamond glass-cutter",
            "the tool for scoring panes",
            (
                "hangs in the glazier's workshop",
                "has been pocketed by a street urchin",
                "is in the magistrate's keeping as evidence",
            ),
        ),
        Thing(
            "the monks' oldest psalter",
            "the ancient book of hymns",
            (
                "lies on the antiquary's counter",
                "is with the bookbinder",
                "has come to the bishop's nephew",
            ),
        ),
        Thing(
            "the iron meteorite",
            "the lump that fell from the sky",
            (
                "sits on the blacksmith's anvil",
                "has gone to the sultan's collector",
                "serves as a doorstop at the midwife's",
            ),
        ),
        Thing(
            "the commander's signal horn",
            "the bugle of the garrison chief",
            (
                "has been won by a card sharper",
                "is in a shepherd's hut",
                "is back with the gate sergeant",
            ),
        ),
        Thing(
            "the puppet of the dead king",
            "the marionette with the royal features",
            (
                "is in the showman's cart",
                "has been given to the miller's little girl",
                "is with the toy mender",
            ),
        ),
        Thing(
            "the guild charter",
            "the document that grants the craftsmen their rights",
            (
                "is with the archivist",
                "has been grabbed by the strikers",
                "lies under the notary's seal",
            ),
        ),
        Thing(
            "the sapphire nose stud",
            "the blue jewel for a pierced face",
            (
                "is worn by the innkeeper",
                "lies with the money changer",
                "has ended up in the magpie tamer's box",
            ),
        ),
        Thing(
            "the plaster cast of the footprint",
            "the mould of the intruder's sole",
            (
                "is on the constable's desk",
                "has been bought by a ballad seller",
                "stands in the cobbler's shop",
            ),
        ),
        Thing(
            "the dowry chest",
            "the trunk of bridal goods",
            (
                "stands in the mother-in-law's attic",
                "is with the carrier",
                "has been seized by the bailiff",
            ),
        ),
        Thing(
            "the ashes of the first astronomer",
            "the cremated remains of the pioneer of sky watching",
            (
                "stand in the tea seller's window",
                "have been carried off by the deaf verger",
                "rest with the bell ringer's widow",
            ),
        ),
        Thing(
            "the brass astrolabe",
            "the metal instrument for taking altitudes",
            (
                "is with the surveyor",
                "has been traded to the raisin merchant",
                "hangs in the schoolmaster's classroom",
            ),
        ),
    ),
    distractors=(
        Thing(
            "the almshouse ladle",
            "",
            ("is with the soup cook", "has gone to the tinsmith", "is in the beadle's kitchen"),
        ),
        Thing(
            "the fiddle bow",
            "",
            (
                "is with the wedding band",
                "was left with the innkeeper's son",
                "is at the horsehair dealer's",
            ),
        ),
        Thing(
            "the tax rolls",
            "",
            (
                "are with the head clerk",
                "have been taken by the auditors",
                "lie in the prefect's bedroom",
            ),
        ),
        Thing(
            "the stuffed pike",
            "",
            (
                "hangs in the angler's den",
                "is with the taxidermist",
                "decorates the fishwife's stall",
            ),
        ),
        Thing(
            "the black umbrella",
            "",
            (
                "is with the undertaker",
                "was picked up by the postmaster",
                "stands in the tailor's corner",
            ),
        ),
        Thing(
            "the three-legged stool",
            "",
            (
                "is with the milkmaid",
                "has been lent to the organ grinder",
                "is in the sexton's shed",
            ),
        ),
        Thing(
            "the bandleader's baton",
            "",
            (
                "is with the trumpeter",
                "was snatched by a schoolboy",
                "is in the stage manager's drawer",
            ),
        ),
        Thing(
            "the rabbit snares",
            "",
            (
                "are with the poacher",
                "have been impounded by the forester",
                "hang in the furrier's yard",
            ),
        ),
        Thing(
            "the jade comb",
            "",
            (
                "is with the hairdresser",
                "was bought by the opera singer",
                "lies on the dowager's dresser",
            ),
        ),
        Thing(
            "the trophy for the largest melon",
            "",
            ("is with last year's winner", "is at the engraver's", "stands in the gardeners' club"),
        ),
        Thing(
            "the leather football",
            "",
            (
                "is with the choirboys",
                "was kept by the angry neighbour",
                "is in the saddler's basket",
            ),
        ),
        Thing(
            "the gingerbread tin",
            "",
            (
                "is with the confectioner",
                "has been borrowed by the nuns",
                "hangs in the woodcarver's hall",
            ),
        ),
    ),
)

_WHEREABOUTS = Family(
    kind=Kind.WHEREABOUTS,
    paragraph=(
        "Four doors were tried in vain before a lamplighter explained that {A}, {x}, {state}.",
        "'You want {A}?' asked the landlady. 'Everyone wants {A}. But {x} {state}, my dear.'",
        (
            "A scrawled note told callers that {A} {state}, "
            "and callers there were plenty, this being {x}."
        ),
        (
            "{A}, in demand with half the town as {x}, "
            "{state}, and the drovers confirmed it twice over."
        ),
    ),
    summary=(
        "{A} ({x}) {state}.",
        "As to {x}, it is certain that {A} {state}.",
        "{A} is no longer at home and {state}; this matters because {A} is {x}.",
        "News has come of {x}: {A} {state}.",
    ),
    ledger=(
        "Now: {A}, {x}, {state}.",
        "{A}, {x}, {state}.",
        "Whereabouts: {A} {state}; {A} is {x}.",
    ),
    named=(
        "{A} must be fetched at once, for {A} is {x}, and horses gallop off in one direction.",
        "Somebody packs provisions for the trip to {A}, because no one but {A} will do as {x}.",
        "A letter for {A} has to arrive unopened, since {A} is {x}, so the postman plans ahead.",
        (
            "By evening {A} should stand before those who need {x}, "
            "however long the road from {A}'s present lodging."
        ),
    ),
    half=(
        "They set out to bring {x} back, asking for {A} at every gate.",
        "How far it is to {A}, the one they require as {x}, a mapmaker measures with a thread.",
        "The silver buys the services of {x}, provided that somebody finds {A} in time.",
        "An impostor poses as {A} to be paid as {x}, until somebody names the place to look.",
    ),
    nameless=(
        "It can't be done without {x}, so a small party leaves to search in the likeliest quarter.",
        "In the end {x} is found and persuaded to join them.",
        "The only hope is {x}, and getting there takes as long as it takes.",
        "Many roads lead across the plain, and those in search of {x} pick theirs.",
    ),
    things=(
        Thing(
            "the only witness to the poisoning",
            "whoever saw the fatal cup being mixed",
            (
                "has fled to the hot springs",
                "lies in the nuns' infirmary",
                "has joined a caravan going west",
            ),
        ),
        Thing(
            "the sole rider whom the black stallion obeys",
            "the person the dark horse will carry",
            (
                "is at the spring cattle market",
                "has been posted to the border fort",
                "is snowed in at the charcoal burners' camp",
            ),
        ),
        Thing(
            "the mason who laid the escape stair",
            "the builder of the secret way out",
            (
                "works in the marble quarry",
                "has been thrown into the debtors' tower",
                "sits released in the stonecutters' tavern",
            ),
        ),
        Thing(
            "the surgeon who removes cataracts",
            "the doctor for cloudy eyes",
            (
                "is touring the oasis villages",
                "is under arrest at the consulate",
                "has moved in above the spice shop",
            ),
        ),
        Thing(
            "the last player of the glass harp",
            "the musician of the singing goblets",
            (
                "has retired to a hermitage",
                "has been called to the governor's court",
                "is on a raft bound for the delta",
            ),
        ),
        Thing(
            "the expert on forged seals",
            "the specialist in false wax stamps",
            (
                "is teaching at the college of law",
                "has gone to the salt flats on business",
                "is in hiding with the laundresses",
            ),
        ),
        Thing(
            "the guide who knows the crevasse route",
            "the scout for the path between the ice cracks",
            (
                "has gone up to the shepherds' meadow",
                "is drinking in the muleteers' inn",
                "lies with a fever in the pilgrim hostel",
            ),
        ),
        Thing(
            "the translator of the clay tablets",
            "the decipherer of the wedge script on baked mud",
            (
                "is copying inscriptions in the ruined capital",
                "has been taken to the sultan's palace",
                "is on the way back by barge",
            ),
        ),
        Thing(
            "the preacher who can calm the mob",
            "the orator to whom the rioters will listen",
            (
                "is fasting in a cave",
                "has been driven out to the tanners' suburb",
                "is locked in the bishop's coach house",
            ),
        ),
        Thing(
            "the actor who can pass for the governor",
            "the double for the city's ruler",
            (
                "is on tour with a tent theatre",
                "has been hired at the summer residence",
                "has entered a silent convent",
            ),
        ),
        Thing(
            "the diver who can reach the drowned shrine",
            "the swimmer for the sunken sanctuary",
            (
                "is raking salt at the lagoon",
                "has gone to the pearl banks",
                "is nursing an earache in the fishers' hamlet",
            ),
        ),
        Thing(
            "the locksmith who made the triple lock",
            "the inventor of the threefold bolt",
            (
                "has opened a stall in the tinkers' alley",
                "has been pressed into the army's baggage train",
                "lodges with the widow who sells wool",
            ),
        ),
        Thing(
            "the tracker with the bloodhound",
            "the huntsman whose dog can follow a scent",
            (
                "is out in the cedar forest",
                "has been engaged by the northern lead works",
                "is resting at the ferry station",
            ),
        ),
        Thing(
            "the courier with the pardon",
            "the bearer of the paper that saves the condemned",
            (
                "has been delayed at the quarantine post",
                "is riding through the long gorge",
                "has reached the guardhouse by the walls",
            ),
        ),
    ),
    distractors=(
        Thing(
            "the best noodle cook in the valley",
            "",
            (
                "has gone to a wedding upriver",
                "is at the army kitchen",
                "has opened a booth by the walls",
            ),
        ),
        Thing(
            "the organ tuner",
            "",
            ("is in the cathedral loft", "has gone to the spa", "is held up by the floods"),
        ),
        Thing(
            "the beekeepers' delegate",
            "",
            ("is at the honey fair", "has been sent to the capital", "is back among the hives"),
        ),
        Thing(
            "the poet laureate",
            "",
            ("is in a sanatorium", "has gone to the islands", "is staying with a patron"),
        ),
        Thing(
            "the one who mends accordions",
            "",
            ("is at the fairground", "has moved to the harbour", "is in jail for brawling"),
        ),
        Thing(
            "the dance master",
            "",
            (
                "is with the officers' wives",
                "has fled from creditors",
                "teaches at the girls' school",
            ),
        ),
        Thing(
            "the falconers' judge",
            "",
            ("is on the high moor", "has been called home", "is at the duke's lodge"),
        ),
        Thing(
            "the champion of the egg race",
            "",
            ("is at the chicken farm", "has gone travelling", "is in bed with mumps"),
        ),
        Thing(
            "the tutor in shorthand",
            "",
            ("is at the parliament", "has gone over to the newspaper", "is on leave by the lake"),
        ),
        Thing(
            "the wine taster",
            "",
            (
                "is in the southern vineyards",
                "has been sent to a cure",
                "is at the vintners' dinner",
            ),
        ),
        Thing(
            "the maker of carnival floats",
            "",
            ("is in the timber yard", "has gone north for paint", "is at the mayor's barn"),
        ),
        Thing(
            "the snake charmer",
            "",
            ("is at the reptile market", "has sailed home", "is in the garrison hospital"),
        ),
    ),
)

REPORTED = Wordings(
    language="English",
    premise=(
        "High above the caravan city of Veshkar stands Hathumar, a monastery whose monks gave up "
        "their bells for telescopes. The pass behind it is closed by snow, the guilds of "
        "glassmakers and lens grinders are at odds with the governor over tolls and furnaces, and "
        "somebody has stolen the star chart by which the caravans find their way through the "
        "desert."
    ),
    people=(
        "Odruin",
        "Tesska",
        "Kavith",
        "Ismere",
        "Dovrak",
        "Quillow",
        "Zaferra",
        "Emmerik",
        "Haldis",
        "Yorune",
        "Bezzim",
        "Orsolo",
        "Farrukel",
        "Jorimund",
        "Ghislan",
        "Peredine",
        "Umbrec",
        "Corvane",
        "Sidrat",
        "Thelonai",
        "Rasko Two-Hats",
        "Old Gremmel",
        "Nedjra",
        "Tulvane",
    ),
    alike=(
        ("Maddren", "Maddrin"),
        ("Solvek", "Solvik"),
        ("Ilyane", "Ilyana"),
        ("Korbas", "Korbus"),
        ("Tarrowen", "Tarrowin"),
        ("Belisk", "Belosk"),
        ("Hennoc", "Hennuc"),
        ("Ravelle", "Ruvelle"),
    ),
    places=(
        "the Lensgrinders' Steps",
        "Cinder Gate",
        "the Nine Ropes",
        "Camel Court",
        "the Old Refectory",
        "the Azimuth Tower",
        "Furnace Lane",
        "the Snowed Chapel",
        "the Sand Guildhall",
        "the Larch Arcade",
        "the Mule Bridge",
        "Kiln Hill",
        "the Moon Cistern",
        "Alembic Yard",
        "the Toll Tower",
        "the Blue Caravanserai",
        "Widow's Ledge",
        "the Ossuary Vault",
        "Larkspur Terrace",
        "the Ropeway House",
    ),
    families=(
        _OWNS,
        _PROMISED,
        _FEARS,
        _KIN,
        _HID,
        _WOUND,
        _SECRET,
        _NUMBER,
        _DATE,
        _VOW,
        _ALIKE,
        _CONDITION,
        _HOLDER,
        _WHEREABOUTS,
    ),
    deeds=(
        (
            "{A} spilled ink across a page of tables and spent "
            "an hour blotting the constellation of the Heron."
        ),
        "{A} taught the kitchen jackdaw to imitate the dinner gong.",
        "A sudden gust took {A}'s hat and carried it over three roofs into a vat of dye.",
        "{A} counted meteors from the woodpile until the chill drove everyone indoors.",
        "{A} sneezed at the quietest moment of the evening reading.",
        "{A} lost a bet on the soup of the day and swept the west corridor in a paper crown.",
        "{A} dreamed of walking on a ceiling of stars and told nobody at breakfast.",
        "{A} peeled forty onions for the stew and wept for no other reason.",
        "With a stub of charcoal {A} drew a very fat camel on the novice master's door.",
        "{A} overslept the dawn watch and appeared with straw on one cheek.",
        "{A} argued with a tea merchant over the size of a sack, and both enjoyed it.",
        "A goat ate the fringe off {A}'s scarf during the sermon.",
        "{A} hummed a caravan tune until half the scriptorium was tapping along.",
        "{A} tried on a velvet cap from the carnival basket and was saluted by a recruit.",
        "{A} mistook a planet for a lantern and hailed it.",
        "{A} and {B} raced two snails along the balustrade and disputed the winner.",
        "{A} recited the worst poem of the year, and {B} laughed until the benches shook.",
        "{B} beat {A} at draughts for the fourth evening in a row.",
        "{A} helped {B} wring out the washing before it could stiffen on the line.",
        (
            "{A} and {B} finished a bag of roasted chickpeas "
            "on the roof and flicked the husks at the gutter."
        ),
        "Over a dish of lentils {A} explained parallax to {B} with two spoons and a radish.",
        "{A} trod on {B}'s robe in the procession, to general delight.",
        "{B} mimicked the rector's cough so well that {A} jumped to attention.",
        "{A} and {B} pushed a stuck handcart out of the slush, and its wheel sprayed them both.",
        "{A} complained about the porridge, and {B} delivered a lecture on gratitude.",
        (
            "{A} came upon {B} snoring over a heap of star "
            "tables and draped a tablecloth over the shoulders."
        ),
        "{B} and {A} debated whether the speck in the eyepiece was a moon or a crumb.",
        "{A} trimmed the wicks while {B} invented rude names for the constellations.",
        "{A} caught {B} slipping crusts to a mouse in the lecture hall.",
        "{A} borrowed a thimble from {B} and gave it back with a bow.",
        "{A} waited out a hailstorm at {P}, in the company of two wet donkeys.",
        "A fortune teller at {P} read {A}'s tea leaves upside down.",
        "{A} bought a paper of sugared almonds at {P} and was short-changed.",
        "Somebody at {P} took {A} for a debt collector and vaulted over a wall.",
        "{A} lingered at {P} long enough to see the evening star go down in the smoke.",
        "A street musician at {P} dedicated an endless song to {A}.",
        "{A} slipped on a melon rind at {P} and was applauded by the loafers.",
        "The pigeons at {P} scattered when {A} ran by with the morning post.",
        "{A} sketched the shadows at {P} on the back of an old menu.",
        "Fog rolled in so thick at {P} that {A} apologised to a hitching post.",
        "{A} listened at {P} to two carters quarrelling about the price of sand.",
        "Among the idlers at {P}, {A} saw an acrobat miss the rope and bow all the same.",
        "{A} stood too long over a chestnut brazier at {P} and missed the third bell.",
        "Children at {P} pelted {A} with snowballs and ran off shrieking.",
        (
            "{A} picked a burr from a mule's mane at {P}, "
            "for which the mule sneezed on a clean sleeve."
        ),
        "{A} ran into {B} at {P}, and they talked about nothing but soup.",
        (
            "Leaning on a wall at {P}, {A} and {B} watched "
            "the glass carts go by and gave each a nickname."
        ),
        "{A} and {B} got caught at {P} between a funeral and a flock of geese.",
        "{B} treated {A} to a bowl of noodles at {P}, and the chilli made both of them cry.",
        "Early at {P}, {A} steadied the ladder while {B} took down a wilted garland.",
        "{A} chased {B} at {P} with a fistful of snow until both were out of breath.",
        "{B} lost sight of {A} in the crush at {P} and shouted until the dogs joined in.",
        "{A} and {B} threw pebbles at a tin cup at {P}, and the night watchman complained.",
        (
            "A street painter at {P} made a single portrait "
            "of {A} and {B}, with three ears between them."
        ),
        (
            "Late at {P}, {B} pointed out a shooting star "
            "that {A} insisted was a spark from a chimney."
        ),
        "{A} and {B} squeezed under one awning at {P} and both got soaked.",
        "While {A} queued for bread at {P}, {B} chanted the price list like a litany.",
        "{A} dared {B} to shout into the echo at {P}, and the echo answered with a cough.",
        "A peddler at {P} sold {A} and {B} the same whistle twice.",
        "{A} left {B} dozing on a bench at {P} and came back with warm flatbread.",
    ),
    moods=(
        "The wind found every gap in the shutters and played on each a different note.",
        "Smoke from the glassworks lay over the roofs like a second, lower sky.",
        "Far down the slope a mule bell tinkled and fell silent.",
        "The lamps had been turned so low that faces floated without bodies.",
        "Snow slid from the refectory roof with a long sigh.",
        "It smelled of wet wool, cardamom and hot sand.",
        "Somewhere a pump handle squealed four times and gave up.",
        "The stars came out all at once, as though a cloth had been pulled away.",
        "Dust danced in the beam that fell through the meridian slit.",
        "Nobody had lit the fire, and breath hung white above the desks.",
        "A caravan was unloading in the street, with much cursing in six dialects.",
        "The marble was so cold that it felt wet.",
        "Rooks quarrelled on the gutter about matters of their own.",
        "The dial's shadow crept one finger further and nobody remarked on it.",
        "Rain had turned the market to brown porridge.",
        "Each blow of the smith's hammer came back from the cliff a heartbeat late.",
        "The evening had that greenish light which comes before sleet.",
        "A draught turned three pages of the open book, then turned one back.",
        "Bread was baking, and for a little while no one was angry.",
        "Frost flowers had grown over the lower panes.",
        "Below, the furnaces glowed through their doors like the eyes of patient animals.",
        "The bazaar was folding itself up for the night, awning by awning.",
        "Ice ticked in the water butt.",
        "The mountain kept its head in cloud, as if it were thinking.",
        "A forgotten kettle boiled dry and began to stink.",
        "Candle wax had run down the stair rail and set in little beards.",
        "The silence after the bells was thicker than the one before.",
        "Grit crunched between the teeth whenever the south wind blew.",
        "Two copyists were sharpening quills and did not speak.",
        "The moon stood in the skylight like a coin at the bottom of a cup.",
        "A sleepy bee walked across the window sill and back.",
        "Everything had a rim of gold, even the dung heap.",
        "The stove clanked, settled, and clanked again.",
        "It was the hour at which the camels groan for no reason.",
        "The whole valley lay under mist, with just the chimneys poking out.",
        "Water dripped into a bucket, a little out of time with the clockwork.",
        "The old timbers creaked like a ship that had never seen water.",
        "Someone was practising a flute, always the same four bars.",
        "A smear of daylight showed behind the eastern ridge.",
        "The carpets steamed where the snow had been shaken off on them.",
        "In the courtyard the novices were stamping their feet in chorus.",
        "Moths of ash rose from the brazier and sank.",
        "The air was so dry that sleeves crackled.",
        "Crates of bottles chimed softly whenever a cart went past.",
        "Noon flattened the city until it looked like its own ground plan.",
        "The cat had taken the only warm chair and intended to keep it.",
        "Ravens of cloud gathered over the glacier and dispersed.",
        "Chalk squeaked on slate, and a dozen shoulders winced.",
        "Old snow, grey as pumice, still lay in the corners of the yard.",
        "The night tasted of iron and juniper.",
    ),
    intents=(
        "{A} will take a long walk on the ramparts to cool off.",
        "{A} means to sulk in the library until supper.",
        "{A} is going to try out the new stew and regret it.",
        "{A} rehearses a speech in front of the goats.",
        "{A} spends the morning cataloguing clouds for want of anything better.",
        "{A} wants to sleep late for once and is woken by trumpets.",
        "{A} polishes boots and thinks about nothing in particular.",
        "{A} should have a comic scene with a stubborn donkey.",
        "{A} gets lost in the fog and is found by a laundry maid.",
        "{A} takes up whittling and produces something like a duck.",
        "{A} wanders through the spice stalls sniffing at every sack.",
        "{A} sees the first swallow and makes far too much of it.",
        "{A} tells a tall story to the novices at bedtime.",
        "{A} sits by the furnace and draws in a sketchbook.",
        "{A} is drawn into a snowball fight against all dignity.",
        "{A} writes a poem about soot and tears it up.",
        "{A} volunteers to shovel the yard and soon repents.",
        "{A} joins the queue for hot chestnuts and eavesdrops.",
        "{A} watches the sky alone and for a moment is happy.",
        "{A} fails to light a damp pipe through an entire conversation.",
        "{A} practises bowing in a doorway and hits the lintel.",
        "{A} learns a rude word in the drovers' dialect.",
        "{A} stays up with the night watch, chewing dried figs.",
        "{A} inspects the pantry under some flimsy pretext.",
        "{A} loses patience with a quill and snaps it.",
        "{A} goes up on the roof to shake out a rug.",
        "{A} bargains for turnips as though an empire were at stake.",
        "{A} mends a torn sleeve, badly, while it rains.",
        "{A} is bored by a sermon and counts the rafters.",
        "{A} feels a cold coming on and blames the soup.",
        "{A} and {B} play a lazy game of cards and talk about the weather.",
        "{A} invites {B} for tea, and the talk stays on trifles.",
        "{A} bumps into {B} in the corridor, and both apologise at length.",
        "{A} teases {B} about that dreadful haircut.",
        "{A} and {B} clear snow from the steps side by side.",
        "{A} shows {B} a constellation that looks like a teapot.",
        "{A} gives {B} a lesson in juggling with radishes.",
        "{A} and {B} race to the bottom of the hill on trays.",
        "{A} lends {B} a dry pair of socks after the downpour.",
        "{A} cooks dumplings, and {B} praises them with tears in the eyes.",
        "{A} and {B} have a petty squabble over a draughty window.",
        "{A} is shaken awake by {B} to see the northern lights.",
        "{A} reads a dull treatise aloud until {B} nods off.",
        "{A} and {B} sing a round and lose each other in the third verse.",
        "{A} tries to cheer {B} up with a dreadful pun.",
        "{A} strolls to {P} to watch the sunset.",
        "{A} kills an hour at {P} people-watching.",
        "{A} eats lunch on a wall at {P} among the sparrows.",
        "{A} shelters from a squall at {P} and chats with a carter.",
        "{A} feels homesick at {P} for no good reason.",
        "{A} buys gingerbread at {P} and drops half of it.",
        "{A} hears a street singer at {P} and hums along all day.",
        "{A} is jostled at {P} by a crowd on its way to a puppet play.",
        "{A} paints a watercolour of {P} in the morning haze.",
        "{A} has a splendid view of the fireworks from {P}.",
        "{A} daydreams at {P} until the pigeons get bold.",
        "{A} tries the famous pickled lemons at {P}.",
        "{A} goes by way of {P} simply because the light is lovely there.",
        "{A} laughs at a mime at {P} and is made part of the act.",
        "{A} strikes up a conversation about cats with a porter at {P}.",
    ),
    titles=(
        "{A} under a cold sky",
        "{A} and the long stairs",
        "What {A} saw in the eyepiece",
        "{A} comes down the mountain",
        "A bad night for {A}",
        "{A} at the furnace mouth",
        "The patience of {A}",
        "{A} among the guilds",
        "{A} asks too much",
        "Snow on {A}'s sleeves",
        "{A} keeps the watch",
        "No supper for {A}",
        "The second thoughts of {A}",
        "{A} goes unannounced",
        "Evening at {P}",
        "Crowds at {P}",
        "The way to {P}",
        "Smoke over {P}",
        "A quarrel at {P}",
        "Footprints at {P}",
        "Lamps at {P}",
        "Before dawn at {P}",
        "Rain at {P}",
        "Strangers at {P}",
        "Once more to {P}",
        "The pass stays shut",
        "Sand in the clockwork",
        "A parliament of glassmakers",
        "The meridian line",
        "What the caravan brought",
        "Fire in the lower quarter",
        "A lens without flaw",
        "The governor is displeased",
        "Thin air",
        "Seven hours of starlight",
        "The drovers' bargain",
        "Ash and quicklime",
        "Nobody rings the bells",
        "The thaw comes early",
        "Below the snow line",
    ),
)
