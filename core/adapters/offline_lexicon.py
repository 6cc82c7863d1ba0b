"""The words of the offline narrator: six moods, and what all of them share.

Data only. Lists are written as lines with ``|`` between entries; the grammar role of each list is
said at its field. No entry is longer than seven words, so that an entry which comes back within
fifty turns never makes a run of eight by itself; none begins with a capital unless it is a name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a plan aims at; decides which scenes can be played with it."""

    PLACE = "place"
    WAY = "way"
    THING = "thing"
    PERSON = "person"
    SIGN = "sign"


@dataclass(frozen=True, slots=True)
class Mood:
    """The words of one kind of story.

    Attributes:
        name: what it is called.
        keywords: words of a premise or genre that call for this mood.
        places: where it all happens; fits "in and around …".
        roles: people's trades, with article.
        smell: what the air smells of, without article.
        sound: a noun phrase, singular, that can be heard.
        sight: a whole clause in the past: what can be seen.
        weather: a whole clause in the past.
        surface: what a hand can touch, with article.
        walkon: somebody who passes, with article, singular.
        far: a place further off, with its preposition.
        risk: what may go wrong, singular, with article.
        tool: what the lead carries, with article.
        simile: fits after "like".
        goals: what plans aim at, with "the".
        threads: question and answer, both clauses in the past; ``{R}`` is the rival.
    """

    name: str
    keywords: frozenset[str]
    places: tuple[str, ...]
    roles: tuple[str, ...]
    smell: tuple[str, ...]
    sound: tuple[str, ...]
    sight: tuple[str, ...]
    weather: tuple[str, ...]
    surface: tuple[str, ...]
    walkon: tuple[str, ...]
    far: tuple[str, ...]
    risk: tuple[str, ...]
    tool: tuple[str, ...]
    simile: tuple[str, ...]
    goals: Mapping[Kind, tuple[str, ...]]
    threads: tuple[tuple[str, str], ...]


def _curled(text: str) -> str:
    """With the apostrophes of a printed book; they are typed straight here."""
    return text.replace("'", "’")


def _list(text: str) -> tuple[str, ...]:
    return tuple(" ".join(entry.split()) for entry in _curled(text).split("|"))


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    """Lines "question → answer"."""
    pairs = (line.split("→") for line in _curled(text).strip().splitlines())
    return tuple((question.strip(), answer.strip()) for question, answer in pairs)


SEA = Mood(
    name="sea",
    keywords=_words("""sea ocean ship boat harbour harbor lighthouse tide island sailor captain
        ferry pirate coast beach fisherman keeper whale mermaid port sail wreck storm shore
        bay submarine iceberg diver reef penguins whalers"""),
    places=_list("""the harbour town of Saltmere | the island of Grey Skerry | the village under
        Gull Point | the drowned coast at Marrow Bay | the old port of Tallow Quay | the
        fishing town of Kelder | the long pier at Wrackhaven | the strait below Candle Head"""),
    roles=_list("""a harbour pilot | a net mender | a chandler's apprentice | a retired mate | a
        chart maker | a diver for sponges | a customs clerk | a bell ringer | a cook off a
        whaler | a sailmaker | a lamp trimmer | a rope walker"""),
    smell=_list("""tar and wet rope | sun-dried kelp | cold salt and lamp oil | rust and herring |
        rain on warm planks | smoke from a drying shed | brine and old canvas | mussels and
        coal | a coming squall | varnish and fish scales | wet wool and tobacco | low tide |
        bilge water and oranges | storm-washed stone"""),
    sound=_list("""a slapping halyard | a bell buoy | the breath of the swell | a winch complaining
        under load | hull knocking on hull | a gull laughing at nothing | water sucking at
        wood | a dripping net | a groaning mooring rope | a foghorn | a bumping oar | the hiss
        of foam | a chain running out | the flap of wet canvas"""),
    sight=_list("""gulls stood backwards on the wall | a red sail leaned far out | the boats nodded
        at their moorings | weed turned slowly round the piles | the lamp swept over and away
        | foam ran white along the mole | a seal looked up and sank | the nets hung stiff as
        lace | wet footprints crossed the planks | the masts drew small circles | a lantern
        moved along the breakwater | crabs went sideways under the ladder | the tide had bared
        old posts | two cormorants dried their wings | the horizon was a ruled line |
        barnacles clicked on the stones"""),
    weather=_list("""the fog had come in low | the wind went northerly | rain walked across the bay
        | the clouds hung like wet sails | a thin sun broke through | the squall passed
        without touching them | spray blew over the rail | the evening turned to pewter | the
        swell grew heavy and slow | frost glittered on the ropes | the mist tore and closed
        again | the air went suddenly still"""),
    surface=_list("""the wet rail | the barnacled step | the tarred planks | the cold bollard | the
        salt-white door | the slick rungs | the rough harbour stone | the swollen hatch | the
        brass binnacle | the coiled hawser | the upturned keel | the oiled table"""),
    walkon=_list("""a crab boy | a woman gutting herring | the harbour dog | a sailor with one boot
        | a widow with a telescope | a clerk counting barrels | an old boat builder | a girl
        selling whelks | a drunk pilot | a priest with wet hems"""),
    far=_list("""beyond the breakwater | out past the bar | on the far quay | under the cliffs | by
        the salt pans | along the shingle | out on the skerry | below the tide line | behind
        the fish market | out on the mole"""),
    risk=_list("""the rising tide | the patrol cutter | the rotten ladder | the undertow | the bar
        fog | the pilots' dog | the changing wind | the unlit wreck | the night watch | the
        spreading leak | the breaking chain | the strait's current"""),
    tool=_list("""a storm lantern | a marlinspike | a brass spyglass | a tarred line | a gutting
        knife | a wax match tin | a tide table | a cracked compass"""),
    simile=_list("""a bell under water | a hull finding bottom | a sail losing the wind | a gull on
        a grave | a knot pulled wet | a boat nobody had moored | the last plank | a lamp seen
        through rain"""),
    goals={
        Kind.PLACE: _list("""the boathouse | the drowned chapel | the lamp room | the salt cellar |
            the customs shed | the tide cave | the wreck | the net loft | the quarantine hut"""),
        Kind.WAY: _list("""the iron stair | the causeway | the smugglers' tunnel | the harbour
            chain | the cliff path | the rope bridge | the slipway | the sluice"""),
        Kind.THING: _list("""the logbook | the sealed cask | the black pennant | the ship's bell |
            the brass sextant | the drowned anchor | the tide table | the green bottle | the
            figurehead"""),
        Kind.PERSON: _list("""the ferryman | the harbour master | the pearl diver | the old
            smuggler | the signal girl | the ship's surgeon | the wrecker | the lamp inspector
            | the stowaway"""),
        Kind.SIGN: _list("""the second light | the humming below | the fog bell | the green flare |
            the missing gulls | the singing hull | the knocking pile | the false beacon"""),
    },
    threads=_pairs("""
        who put out the lamp → {R} had put it out to hide a landing
        why the ferry never returned → the ferry had been sunk on {R}'s orders
        what the wreck still holds → the hold had been full of the town's own records
        who lights the second lamp → {R} had lit it each night for a ship long lost
        where the pilot's money went → {R} had paid it to keep the channel closed
        why boats avoid the skerry → {R} had moved the buoys by a cable's length
        whose grave is empty → the drowned man had walked ashore and become {R}
        what the bell warns of → the sea wall had been hollowed out for years
        """),
)

CITY = Mood(
    name="city",
    keywords=_words("""city street detective noir tram alley rooftop gang market tower underground
        cyberpunk metro office newspaper cafe apartment clockwork steampunk factory police
        thief heist robot neon taxi hotel"""),
    places=_list("""the tram quarter of Ostrow | the lower wards of Vell | the old glass market |
        the canal streets of Lantern Row | the eleventh district | the clockmakers' quarter |
        the city under the viaduct | the night market of Brass Cross"""),
    roles=_list("""a tram conductor | a court stenographer | a locksmith | a night editor | a
        bicycle courier | a pawnbroker | a union clerk | a map engraver | a retired inspector
        | a lift operator | a piano tuner | a forger of stamps"""),
    smell=_list("""hot iron and rain | frying onions | coal smoke and newsprint | wet dog and steam
        | diesel and oranges | burnt sugar | drains after a storm | roasting chestnuts | floor
        polish and fear | cheap gin | ozone from the tram wires | wet plaster | machine oil |
        yesterday's lilies"""),
    sound=_list("""a tram grinding round | the tick of cooling pipes | a radio two floors up | the
        rattle of a shutter | a whistle from the yards | a flapping newspaper | a lift cage
        closing | the cough of an engine | a violin practising one bar | heels on an iron
        stair | a telephone nobody answered | the hum of the substation | a bottle rolling |
        the clank of coal"""),
    sight=_list("""steam rose from the gratings | a tram threw blue sparks | washing hung between
        the roofs | the clock tower ran slow | pigeons argued along the cornice | posters
        peeled in long strips | a window went dark upstairs | the lamps came on in pairs | a
        cat owned the whole stair | the canal carried a single shoe | neon wrote half a word |
        somebody had chalked a number there | the newsstand was shuttered early | umbrellas
        crossed the square like beetles | soot lay along every sill | the last shift came out
        blinking"""),
    weather=_list("""the rain came down in wires | the fog smelled of pennies | sleet ticked on the
        tin roofs | the brick was still hot | a dirty snow began | the wind chased paper | the
        sky was zinc grey | the drizzle could not decide | a storm stood over the yards |
        frost drew ferns on the glass | evening rose from the cellars | the sun found one
        window"""),
    surface=_list("""the cold banister | the marble counter | the wet cobbles | the tin cornice |
        the greasy lock | the brass letter box | the cage of the lift | the damp wallpaper |
        the green baize | the hot pipe | the cracked tiles | the steel shutter"""),
    walkon=_list("""a paper seller | a policeman eating a pear | a woman with a birdcage | a
        delivery boy | a drunk in evening dress | a nun with a suitcase | a street sweeper | a
        conductor off duty | a man reading yesterday's paper | a flower girl without flowers"""),
    far=_list("""beyond the viaduct | across the canal | over the rooftops | in the next street |
        behind the gasworks | down by the locks | down the line | under the arches | past the
        opera | on the other platform"""),
    risk=_list("""the night patrol | the landlord's nephew | the last tram | the loose gutter | a
        man in grey | the alarm wire | the police informer | the locked gate | the blackout |
        the barricade crowd | the failing lift | the rat-eaten floor"""),
    tool=_list("""a skeleton key | a folding camera | a conductor's punch | a pocket torch | a
        reporter's notebook | a jeweller's loupe | a bent hairpin | a tram map"""),
    simile=_list("""a tram with no driver | a lift between floors | a coin spun on marble | a bill
        come due | a misprinted headline | a match in a stairwell | a door on its chain | a
        wrong number at night"""),
    goals={
        Kind.PLACE: _list("""the pawnshop | the clock tower | the flooded cellar | the print works
            | the empty theatre | the night court | the signal box | the roof garden | the
            left-luggage hall"""),
        Kind.WAY: _list("""the service stair | the storm drain | the tram tunnel | the fire escape
            | the coal chute | the rooftop run | the dumb waiter | the towpath"""),
        Kind.THING: _list("""the ledger | the stolen negative | the punch cards | the silver key |
            the sealed file | the music box | the burned map | the wrong suitcase | the forged
            stamp"""),
        Kind.PERSON: _list("""the night clerk | the pawnbroker's wife | the tram driver | the
            informer | the blind typist | the minister's chauffeur | the chess player | the
            lamplighter | the coroner"""),
        Kind.SIGN: _list("""the ringing telephone | the stopped clocks | the chalk numbers | the
            blue light | the missing window | the printed warning | the tapping pipe | the
            late tram"""),
    },
    threads=_pairs("""
        who stopped the city's clocks → {R} had stopped them to win one hour
        what the missing file said → the file had held every name that {R} had sold
        why the tram runs empty → the empty tram had carried {R}'s papers out
        who sends the blank letters → the letters had come from a prisoner {R} had forgotten
        who never drowned → the dead clerk had been hidden by {R} all along
        where the eleventh floor went → {R} had bricked it up with the evidence inside
        who owns the unnumbered house → the house had belonged to {R}'s first wife
        what the chalk numbers count → the numbers had counted down to {R}'s departure
        """),
)

FOREST = Mood(
    name="forest",
    keywords=_words("""forest wood woods tree trees fairy witch wolf fox deer village fantasy
        dragon elf magic druid hunter moss river mountain goblin spirit giant knight king
        queen castle bear"""),
    places=_list("""the village at the edge of Hollin Wood | the valley of the nine mills | the
        forest called Undermoss | the clearing at Crow Stones | the hill country of Bramble |
        the hunting lodge in the Thornwald | the birch country | the marsh below Eldergate"""),
    roles=_list("""a charcoal burner | a hedge witch | a bee keeper | a runaway squire | a bell
        founder | a herb seller | a wolf hunter | a miller's ward | a wandering scribe | a
        goose girl | a bridge toller | a woodcarver"""),
    smell=_list("""leaf mould and mushrooms | wet fern | woodsmoke | crushed pine | wild garlic |
        fox and cold ash | honey in old timber | mud and mint | rain on bark | bruised apples
        | resin | river stones | thunder | dry bracken"""),
    sound=_list("""an owl correcting itself | a birch creaking | a twig, and then none | water
        talking under the roots | a jay giving everyone away | the tap of a woodpecker | the
        rush of wings overhead | a goat's bell | the grunt of something rooting | wind combing
        the tops | a branch shedding snow | the drone of hidden bees | a fox barking | the
        tick of drying leaves"""),
    sight=_list("""moss had closed over the milestone | a deer stood between two trunks | mushrooms
        made half a ring | light came down in coins | the path forked where none had | crows
        sat in order of age | roots held the bank together | a hare crossed and looked back |
        rags hung from the boughs | smoke stood straight above the trees | the stream ran
        backwards awhile | spider silk caught at every sleeve | ivy had eaten the gate | the
        birches shone like peeled bone | a feather lay where none should | old snow hid under
        the hollies"""),
    weather=_list("""mist lay in the hollows | a soft rain began | the frost had not lifted | the
        wind dropped all at once | the sun went behind the ridge | snow sifted through the
        needles | thunder walked along the hills | dusk rose from the ground | the air was
        thick with pollen | a cold blew from the stones | the moon rose too early | fog moved
        between the trunks"""),
    surface=_list("""the mossy stone | the split trunk | the cold gatepost | the rough bark | the
        damp thatch | the root-bound bank | the carved lintel | the slick log | the lichened
        wall | the frozen latch | the well's rim | the worn altar"""),
    walkon=_list("""an empty-handed pedlar | a child with a pony | a white-pawed fox | a monk
        picking sloes | a shepherd without sheep | a crone shelling beans | a sleeping tinker
        | a girl carrying bees | a bandaged forester | a stubborn crow"""),
    far=_list("""beyond the beeches | across the ford | up on the ridge | deep in the hollies |
        under the waterfall | at the charcoal pits | behind the standing stones | along the
        deer track | past the old mill | on the other bank"""),
    risk=_list("""the rotten bridge | the ridge wolf | the early dark | the bog | the hunter's
        snare | the lord's rider | the flooding ford | the hornets' nest | the poisoned spring
        | the turning path | the wakened bear | the falling timber"""),
    tool=_list("""a hazel staff | a horn lantern | a salt pouch | a bone whistle | a pruning knife
        | a bell rope | an elder-wine flask | a tinderbox"""),
    simile=_list("""a startled deer | a well with no bottom | a tree deciding to fall | a coal
        under ash | an owl by daylight | a path after snow | a bee in a flower | an old tune
        half remembered"""),
    goals={
        Kind.PLACE: _list("""the hollow oak | the burned mill | the standing stones | the hermit's
            hut | the drowned village | the bone orchard | the wolf's den | the ice house |
            the chapel of moss"""),
        Kind.WAY: _list("""the deer track | the root stair | the rope ferry | the sunken lane | the
            bramble gate | the plank bridge | the old drove road | the waterfall path"""),
        Kind.THING: _list("""the antler crown | the silver acorn | the stolen bell | the witch's
            jar | the blackthorn staff | the honey chest | the rune stone | the wolf skin |
            the cracked mirror"""),
        Kind.PERSON: _list("""the charcoal queen | the blind huntsman | the ferry witch | the
            hermit | the miller's ghost | the fox priest | the tinker | the goose girl's
            mother | the toll giant"""),
        Kind.SIGN: _list("""the white stag | the marsh lights | the drumming | the red smoke | the
            silent birds | the singing well | the wrong moon | the trail of feathers"""),
    },
    threads=_pairs("""
        who cut down the boundary tree → {R} had felled it to let the forest in
        why the birds left the valley → {R} had sold their songs one by one
        what sleeps under the mill → the first miller had slept there, with {R} standing guard
        whose child walks in the marsh → the child had been {R}'s, and never drowned
        where the bells were taken → {R} had sunk them to quiet the hill
        who answers from the well → {R} had been answering, from a room in the stone
        why the path moves at night → the path had been fleeing from {R} for a year
        what the wolves are guarding → the wolves had guarded the last seed of the old wood
        """),
)

SPACE = Mood(
    name="space",
    keywords=_words("""space ship spaceship station star stars planet orbit astronaut moon mars
        alien galaxy colony crew captain science sci-fi scifi fiction airlock robot android
        rocket comet satellite future"""),
    places=_list("""the relay station Halcyon | the ore hauler Patient Margaret | the dome at Tycho
        South | the slow ship Evening Star | the ring colony of Corrin | the listening post on
        Vesper | the dry docks over Juno | the ice mines of Pell"""),
    roles=_list("""a hull inspector | a hydroponics tech | a radio operator | a dock pilot | an ice
        miner | a ship's archivist | a union medic | a salvage diver | a quartermaster | a
        star cartographer | a reactor apprentice | a customs android's minder"""),
    smell=_list("""hot dust and coolant | scorched wiring | recycled air and basil | machine oil |
        cold metal | ozone | somebody's reheated noodles | wet algae | new plastic | burnt
        insulation | iron and frost | stale coffee | solder | the inside of a helmet"""),
    sound=_list("""cooling plates ticking | a stuttering pump | a far airlock sighing | a burst of
        static | a relay clicking over | the hum under the deck | a boot magnet letting go | a
        tired gyro whining | a bent fan blade | a shift chime | ice rattling in pipes |
        somebody's breath on the channel | the groaning ring | a drill three decks down"""),
    sight=_list("""the stars wheeled past the port | frost flowered on the bulkhead | a glove
        drifted at eye height | the status lights ran amber | dust hung where it was | the
        planet filled half the glass | a cable moved without a draught | solar panels turned
        like leaves | a boot print crossed the hatch | the screens showed yesterday | one
        light blinked out of step | the docking arms hung open | beads of water joined and
        parted | someone had drawn a tree there | the ring's shadow came round | the tether
        pointed at nothing"""),
    weather=_list("""night cycle had begun | the heating had failed again | a dust storm brushed
        the dome | the solar wind was rising | gravity was light this side | the sun came over
        the rim | the air was thin and dry | the shielding pinged with grit | ice fog crept
        along the deck | the spin had slowed a little | the dark side took them | the pressure
        shifted in their ears"""),
    surface=_list("""the cold bulkhead | the hatch wheel | the scratched port | the worn keypad |
        the frosted pipe | the deck plate | the padded wall | the console's edge | the tether
        ring | the patched seal | the warm casing | the galley table"""),
    walkon=_list("""a cleaning drone | a yellow-suited loader | a child eating basil | a one-armed
        pilot | an air-office clerk | a sleepwalking engineer | a medic off shift | a mechanic
        under a panel | a ship's priest | a recruit with no badge"""),
    far=_list("""beyond the ring | on the dark side | three decks down | out along the tether |
        behind the shielding | in the next module | past the ore locks | at the dead antenna |
        under the reactor | across the docking bay"""),
    risk=_list("""the failing seal | the radiation count | the captain's override | the loose
        tether | the oxygen margin | the locked bulkhead | the debris field | the watch
        officer | the coolant leak | the scanner's blind spot | the drifting hauler | the
        burned-out relay"""),
    tool=_list("""a hand scanner | a magnetic wrench | a spare oxygen bottle | a hull patch | an
        analogue watch | a signal mirror | a welding torch | a paper star chart"""),
    simile=_list("""a dead ship's signal | a hatch onto nothing | a tether going slack | a star
        seen twice | a pump missing a beat | a breath in a helmet | a satellite nobody
        remembers | the last warm room"""),
    goals={
        Kind.PLACE: _list("""the dead module | the seed vault | the observation dome | the old
            bridge | the morgue deck | the cargo spine | the quarantine bay | the silent
            greenhouse | the antenna house"""),
        Kind.WAY: _list("""the spin shaft | the outer ladder | the coolant duct | the ore lift |
            the emergency tether | the blind airlock | the cable tunnel | the drop pod"""),
        Kind.THING: _list("""the black recorder | the sealed helmet | the seed case | the broken
            beacon | the captain's key | the spare core | the handwritten log | the frozen
            sample | the second passport"""),
        Kind.PERSON: _list("""the night pilot | the ship's doctor | the android clerk | the
            stowaway | the reactor chief | the last colonist | the signal officer | the
            sleeping captain | the salvage boss"""),
        Kind.SIGN: _list("""the repeated signal | the amber light | the knocking hull | the missing
            minute | the second shadow | the backward song | the warm airlock | the empty
            frequency"""),
    },
    threads=_pairs("""
        who sends the distress call → {R} had sent it, forty years too early
        why the captain will not wake → {R} had kept the captain under with a false alarm
        what the ninth container holds → the ninth container had held the real crew list
        where the missing hour went → {R} had cut the hour out of every log
        who breathes the spare air → {R} had hidden a second crew behind the tanks
        why the stars are wrong → {R} had turned the ship around and told nobody
        whose voice the recorder holds → the voice had been {R}'s, from before the launch
        what the station listens for → the station had been listening for its own first word
        """),
)

HOUSE = Mood(
    name="house",
    keywords=_words("""house mansion manor mystery murder ghost haunted attic cellar butler
        inheritance horror gothic library family room door garden school museum hotel diary
        grandmother clock window"""),
    places=_list("""the house called Wintercombe | the shut wing of Harrow Hall | the old school at
        Lydd | the house with nine chimneys | the museum on Candle Street | the manor above
        Thrale | the hotel Belvoir out of season | the rectory at Stone Acre"""),
    roles=_list("""a visiting nurse | a clock repairer | a disinherited niece | a librarian | a
        piano teacher | an estate clerk | a portrait restorer | a gardener's boy, long grown |
        a retired magistrate | a parlour medium | a locksmith's widow | a collector of
        wallpapers"""),
    smell=_list("""beeswax and dust | cold fireplaces | lavender gone brown | damp plaster | candle
        smoke | old paper | mice and camphor | wet coats | apples stored too long | furniture
        polish | rain in the chimney | tea gone cold | snuffed wicks | roses and rot"""),
    sound=_list("""a clock striking wrong | the back stairs sighing | a door deciding to close |
        rain in the gutters | a piano string letting go | a chair scraping above | mice behind
        the panels | the drip in the scullery | an unanswered bell | the cough of the boiler |
        a shutter knocking | the rustle of a skirt | the tick of cooling grates | a key
        turning elsewhere"""),
    sight=_list("""the portraits looked elsewhere | dust lay thick on everything | a candle burned
        upstairs | the mirror faced the wall | every clock showed ten past four | the curtains
        stirred without wind | the table was laid for six | pale squares marked missing
        pictures | the stair carpet had worn unevenly | spiders had closed the keyhole | a glove lay
        on the newel | ivy pressed against the panes | the bell board showed room nine | frost
        had got inside the glass | the rocking horse faced the door | the music box was wound"""),
    weather=_list("""rain had set in | the fog was at the windows | snow shut the lane | the wind
        got into the chimneys | a storm rolled round the hill | the afternoon went early dark
        | the thaw dripped from every ledge | hail rattled on the skylight | a frost held the
        lawn | the moon came and went | the garden steamed in thin sun | thunder shook the
        spoons"""),
    surface=_list("""the newel post | the cold mantel | the panelled wall | the dusty keys | the
        sill | the iron latch | the velvet rope | the kitchen slab | the cracked mirror | the
        banister | the desk's green leather | the cellar door"""),
    walkon=_list("""a maid carrying coal | a cousin nobody had invited | the oldest of the cats | a
        solicitor with damp cuffs | a gardener with a lantern | a child in a nightshirt | a
        cook wiping one knife | a wet postman | a guest without luggage | the deaf footman"""),
    far=_list("""beyond the yew walk | in the east wing | under the back stairs | across the
        landing | along the gallery | behind the stables | up in the attics | down by the ice
        house | past the shut ballroom | on the floor above"""),
    risk=_list("""the creaking stair | the housekeeper's hearing | the rotten floor | the locked
        door | the sudden draught | the cousin's temper | the yard dog | the family solicitor
        | the falling plaster | the gas | the window's watcher | the returning carriage"""),
    tool=_list("""a bedroom candle | a house key | a magnifying glass | a paper knife | a matchbox
        | an ear trumpet | a pencil stub | a hand mirror"""),
    simile=_list("""a drawer that sticks | a guest outstaying supper | a clock nobody winds | a
        piano under a sheet | a name struck out | a hand on a banister | breath on a mirror |
        a letter burned too late"""),
    goals={
        Kind.PLACE: _list("""the locked nursery | the east wing | the wine cellar | the family
            vault | the shut ballroom | the glasshouse | the music room | the priest hole |
            the attic"""),
        Kind.WAY: _list("""the back stairs | the hidden passage | the laundry chute | the yew walk
            | the cellar steps | the coal hole | the long gallery | the roof ladder"""),
        Kind.THING: _list("""the torn will | the ninth key | the burned letter | the music box |
            the empty frame | the family bible | the wedding ring | the stopped clock | the
            blue bottle"""),
        Kind.PERSON: _list("""the housekeeper | the deaf footman | the uninvited cousin | the old
            nurse | the solicitor | the gardener | the lady in grey | the family doctor | the
            governess"""),
        Kind.SIGN: _list("""the ringing bell | the candle upstairs | the scratching | the cold spot
            | the wet footprints | the piano at night | the smell of roses | the tenth
            portrait"""),
    },
    threads=_pairs("""
        who rings the servants' bell → {R} had rung the bell to keep the house awake
        what the will left out → the will had left everything away from {R}
        why the ninth room vanished → {R} had papered it over in one night
        whose child the portrait shows → the painted child had been {R}'s own
        who stopped the house's clocks → {R} had stopped them at the hour of the death
        where the governess went → the governess had never left; {R} fed her through the wall
        what the library fire took → {R} had burned the only honest map of the house
        who brings the grave flowers → {R} had brought them for the wrong sister
        """),
)

ROAD = Mood(
    name="road",
    keywords=_words("road town train journey desert circus farm inn travel wagon west"),
    places=_list("""the market town of Amberley | the crossroads at Five Elms | the salt road | the
        hill town of Corvane | the railway halt at Dunmere | the valley of Low Ashes | the
        border village of Tarn | the fairground at Millbrook"""),
    roles=_list("""a letter carrier | a travelling dentist | a well digger | a circus rigger | a
        map seller | a schoolteacher | a horse doctor | a railway clerk | a puppet maker | a
        baker's widow | a toll keeper | a piano mover"""),
    smell=_list("""dust and hot leather | bread from an unseen oven | cut hay | rain on the way |
        horse and harness oil | coal smoke | wild thyme | damp straw | onions and lamp oil |
        old canvas | dry grass | wet chalk | ginger and machine grease | church stone"""),
    sound=_list("""a cart that needed grease | a far dog barking | a creaking inn sign | the late
        train's whistle | a distant hammer | crickets stopping all at once | a barrel organ |
        a gate on one hinge | a team's far bells | wind in the telegraph wires | a kettle on
        the boil | a child counting | a loose shutter | hooves on packed earth"""),
    sight=_list("""dust stood above the road | a kite hung over the chimneys | swallows stitched
        the eaves | somebody had painted out the sign | the shadows lay long as fences | a
        scarecrow wore a good coat | the shops had shut at noon | a wheel leaned without its
        cart | poppies grew between the rails | the milestone gave another distance | lamps
        went on along the hill | the clock had lost a hand | a goat watched from the roof |
        chalk arrows pointed both ways | the well rope was newly cut | paper flags hung from
        the fair"""),
    weather=_list("""the heat lay on the fields | a dry wind got up | rain stood in the west | the
        morning was milk white | dusk came in across the stubble | thunder muttered and went
        on | the road steamed after the shower | the stars were out early | a chill came off
        the river | the dust had begun to dance | hail whitened the ditch | a rainbow ended at
        the gallows"""),
    surface=_list("""the warm milestone | the gate's top bar | the inn table | the wagon's
        tailboard | the dry-stone wall | the pump handle | the ticket counter | the worn
        saddle | the church door | the oven's edge | the painted sign | the parapet"""),
    walkon=_list("""a drover without cattle | a bride on a bicycle | a boy with a drum | a knife
        grinder | a parson on a mule | a woman selling eels | a soldier walking home | a clown
        without paint | a surveyor with no instruments | a girl with a goose"""),
    far=_list("""beyond the toll house | over the next hill | down by the river | behind the
        fairground | out in the stubble | across the tracks | up at the quarry | past the last
        farm | under the aqueduct | along the hedge"""),
    risk=_list("""the washed-out bridge | the sheriff's man | the last train | the dry well | the
        loose wheel | the loose bull | the coming storm | the toll gate | the jealous landlord
        | the quicksand | the chained dog | the market crowd"""),
    tool=_list("""a bull's-eye lantern | a carpet bag | a brass whistle | a folding rule | a letter
        case | a clasp knife | a railway timetable | a red string"""),
    simile=_list("""a wheel working loose | a train not stopping | a dog at a crossroads | a letter
        sent back | a tent in wind | an inn with no sign | a hat on a bed | a milestone turned
        round"""),
    goals={
        Kind.PLACE: _list("""the shut inn | the tollhouse | the gypsum quarry | the circus wagon |
            the water tower | the freight shed | the roofless church | the dovecote | the
            fairground"""),
        Kind.WAY: _list("""the old aqueduct | the drovers' road | the railway cutting | the dry
            riverbed | the mill race | the orchard wall | the ford | the hayloft ladder"""),
        Kind.THING: _list("""the undelivered letter | the tin strongbox | the painted mask | the
            brass whistle | the wrong coffin | the marked deck | the red ledger | the puppet
            king | the surveyor's chain"""),
        Kind.PERSON: _list("""the innkeeper | the stationmaster | the fortune teller | the well
            digger | the deserter | the ringmaster | the postmistress | the bone setter | the
            bell founder"""),
        Kind.SIGN: _list("""the chalk arrows | the midnight train | the far drums | the burning
            field | the empty chairs | the barrel organ | the light in the quarry | the dogs'
            silence"""),
    },
    threads=_pairs("""
        who turned the signposts round → {R} had turned them to keep one traveller lost
        why no train stops → {R} had paid the line to pass the town by
        what the wrong coffin held → the coffin had held the town's stolen silver
        where the mayor walks → the mayor had gone each night to beg {R} for time
        who writes the unstamped letters → the letters had come from {R}'s own brother
        why the well went dry → {R} had dug under it, looking for a grave
        whose tent stands outside the fair → the tent had been {R}'s, and full of borrowed names
        what the children must forget → the children had seen {R} come back from the dead
        """),
)

MOODS = (SEA, CITY, FOREST, SPACE, HOUSE, ROAD)
"""In order of preference when a premise calls for two equally; the last is what is left over."""

# ── what all moods share ─────────────────────────────────────────────────────────────────────────

NAMES_HER = _list("""Mira | Ilse | Tamsin | Odile | Brenna | Sabine | Marit | Yara | Petra | Nell |
    Rosalind | Imke | Dagny | Lucia""")
NAMES_HIS = _list("""Corvin | Anselm | Bram | Tobias | Emeric | Jonas | Aldous | Piet | Ruben |
    Fenn | Matthias | Osric | Luca | Harald""")
PLAIN_ROLES = _list("""a stubborn soul | a light sleeper | a born listener | a poor liar | an early
    riser | a patient sort | a restless spirit | a good guesser""")
"""For somebody whom the premise names without saying what they are."""
RIVALS = _list("""Hesper | Varga | Mordaunt | Quill | Sorrel | Crane | Ashby | Lorne | Thessaly |
    Drake | Merrow | Pike""")

SMELL = _list("""iron | dust | wet wool | candle wax | cold stone | old smoke | rust | snow |
    something burnt | soap and sweat""")
SOUND = _list("""the scrape of a boot | a door somewhere | a single heartbeat | three knocks and a
    pause | the rustle of paper | a low whistle | the scrape of a chair | the strike of a
    match | a laugh cut short | the creak of a hinge""")
SURFACE = _list("""the wall | the nearest ledge | the cold floor | the back of a chair | the edge
    of the table | the door frame | the rough stone | the lid""")
RISK = _list("""the early dawn | a wrong word | the locked gate | a sudden light | a noise overhead
    | a strange footstep | a nosy neighbour | an old enemy""")
SIMILE = _list("""a question nobody wanted | a hand laid flat | a candle in a draught | a debt | a
    word in another language | a held breath | bad news in good shoes | a bruise | a coin on a
    drum | a lid on a kettle | somebody else's coat | a promise made at night | a stair that
    isn't there | the end of a song | a cat among strangers | weather | a string pulled tight
    | a bad tooth | the second knock | a borrowed name | an unpaid bill | a good lie | a stone
    in a shoe | the hush before applause""")

SIGHT = _list("""a moth circled the light | somebody had swept a single path | a curtain moved
    and was still | the shadows had changed sides | a footprint pointed the wrong way | the
    light came in slantwise | a thread hung from a nail | one lamp burned where two should | a
    door stood a hand open | crumbs led nowhere in particular""")
WEATHER = _list("""the cold had settled in | the light was going | a draught found them | the air
    had thickened | the day was already tired | the dark came on by inches | the wind held its
    tongue | it had grown late""")
FAR = _list("""behind them | further on | round the corner | somewhere below | at the far end | out
    of sight | on the other side | just ahead | in the dark | a little way off""")
TOOL = _list("""a candle end | a length of string | a borrowed knife | a walking stick | a piece of
    chalk | a pocket mirror""")
WALKON = _list("""a bandaged man | a child sucking a pebble | a woman carrying a chair | an old man
    counting steps | somebody in a good hat | a sleepy boy""")

PROVERB = _list("""a lock is only a question | doors remember who slammed them | nobody whispers
    good news | an honest map has blank places | fear keeps poor books | the dead are never
    hurried | small keys open large mistakes | a secret charges rent | even ghosts need a
    reason | luck is a short blanket | every shortcut is somebody's fence | the quiet ones
    keep count | a clean table hides most | nobody guards an empty box | silence has a
    landlord too | old dust tells no lies | brave is what late looks like | a liar always
    knows the time | two witnesses make three stories | buried things were loved once | the
    second look costs double | a name is a handle | trouble never travels alone | the truth
    has cold hands | you can't unring that bell | guilt walks on its heels | even a shadow
    wants company | a promise outlives its reasons | nothing heavy is lost by chance | the
    patient thief eats twice | one candle makes many corners | not every gate wants a wall |
    grief is a very good locksmith | a straight answer bends the room | whoever runs has read
    ahead | the first price is never it | wolves do not knock | somebody always sweeps up | a
    map is a polite guess | rust never sleeps alone""")

GESTURE = _list("""rubbed @ neck | turned up @ collar | counted @ fingers | chewed @ lip | emptied
    @ pockets | breathed out | looked up | wiped @ palms dry | pulled @ sleeves down | tilted
    @ head | half smiled | shifted @ weight | knocked on wood | stood very still | laughed
    once, without sound | drew @ coat closer | looked over one shoulder | bit back an answer |
    shook @ head slowly | raised one eyebrow | held up a finger | swallowed hard | scratched @
    chin | blinked twice | folded @ arms | hummed a bar of something | straightened @ back |
    pushed @ hair aside | yawned, on purpose | nodded once | whistled through @ teeth | looked
    at the ground | cleared @ throat | drummed on one knee | frowned | sat down on a step |
    pinched @ nose | buttoned @ cuffs | shrugged | squinted into the light""")
"""What somebody did in the past; ``@`` is that person's possessive pronoun."""

TIME = _list("""before the hour was out | after an age | at the third try | when the light changed
    | in less than a minute | with no warning | long before anyone was ready | between two
    breaths | sooner than was decent | when the noise had settled | a little after that | at
    the worst possible moment | once the others had gone | with the day half used | for the
    second time | in the end | without any hurry | as if by appointment | at last | after a
    while | as the talk ran dry | against all advice | with no time to spare | a
    heartbeat later""")

MANNER = _list("""without asking anyone | with cold hands | in borrowed boots | on an empty stomach
    | with more hope than sense | on borrowed courage | as quietly as wood allows | with the
    wind behind them | by the shortest way | humming under @ breath | with a plan of sorts |
    in something of a hurry | in the first grey light | half turned to go | without
    looking back | with the lamp turned low | a little too fast | step by step | with dry
    mouths | as if on an errand | by feel more than sight | with a straight back | on a guess
    | without a word""")
"""How somebody went about it; ``@`` as in GESTURE."""

ITEM = _list("""a torn page | a brass button | a child's drawing | a folded receipt | a lock of
    grey hair | a key without teeth | a burnt photograph | a strip of red cloth | a stub of
    candle | a silver thimble | a list of names | a broken seal | a pressed flower | a glass
    eye | a ticket for one | a single die | a letter without an address | a blue feather | a
    copper plate | a wax cylinder | a knotted cord | a small ivory hand | a page of sums | a
    cracked lens | a wedding spoon | a tin soldier | a map on silk | a mourning ring | a bent
    coin | a vial of grey sand | a visiting card | a snapped chain | a bell clapper | a doll's
    shoe | a leather tag | a fold of sheet music | a spent match | a chess piece | a gilt
    crown | a thumbprint in wax | an oilcloth packet | an unsigned note | an empty locket | a
    cork with teeth marks | a roll of film | a jar of buttons | an ivory comb | a hotel key |
    a lump of lead | a horn spoon | a library card | a wooden tooth | a scrap of lace | a
    bullet never fired | a thin gold ring""")
"""What is found, always singular with its article."""

MEANING = _list("""dated tomorrow | still warm | signed with {R}'s initials | written in a hand {L}
    knew | wrapped in yesterday's news | older than it should have been | cut clean in two |
    with {C}'s name scratched out | marked twice in red | the twin of one from home | stained
    with something brown | hidden by somebody in a hurry | far too new | with half an address
    on it | smelling faintly of {R} | folded nine times | missing its other half | made for a
    left hand | no larger than a thumb | tied with {R}'s own knot | with a number scratched
    inside | polished by years of worry | meant for somebody else | stamped by an office long
    closed | burned along one edge | with a second message underneath | wet although nothing
    else was | numbered seven of nine | carved with a tiny eye | addressed to nobody living |
    heavier than it looked | the wrong way round | stitched shut with wire | blank until held
    to the light | copied by someone who couldn't read | exactly as {C} had described it |
    kept like a relic | thrown away and fetched back | bearing a date before the trouble |
    with one word crossed out | stuck together with honey | as light as ash | chewed by
    something small | sewn into oilcloth | sold once already | ringed with salt | tagged for a
    museum | oddly clean | colder than the room | half eaten by moths | inscribed to a dog |
    painted over in black""")
"""What the find was like; no verb of its own, so that it fits any tense."""

GOALS: Mapping[Kind, tuple[str, ...]] = {
    Kind.PLACE: _list("""the locked room | the old bakery | the archive | the empty shop | the
        schoolroom | the cold store | the watchman's hut | the graveyard | the stable | the
        washhouse | the kiln | the storehouse | the well house | the dispensary | the loft |
        the guardroom | the old forge | the crypt | the dyer's yard | the ruined arch | the
        kennel | the tannery | the toll booth | the hospital wing | the records office | the
        cistern | the bathhouse | the weighing room"""),
    Kind.WAY: _list("""the narrow gap | the broken fence | the back door | the spiral stair | the
        loose grating | the low tunnel | the ladder | the dark corridor | the side gate | the
        trapdoor | the steep path | the hatchway | the blind alley | the covered bridge | the
        cellar window | the stone ford | the goods lift | the crooked lane | the iron gate |
        the crawl space | the landing stage | the long ramp | the winding track | the hole in
        the wall | the servants' door | the catwalk | the dry moat | the north passage | the
        overflow pipe"""),
    Kind.THING: _list("""the iron box | the missing page | the red lantern | the broken compass |
        the sealed jar | the wooden idol | the cipher | the locked trunk | the tin whistle |
        the old rifle | the bone comb | the painted fan | the torn flag | the clay tablet |
        the brass scale | the hourglass | the black glove | the empty cradle | the carved
        stick | the copper kettle | the stuffed owl | the bundle of keys | the white mask |
        the cracked bell | the velvet case | the glass heart | the lead pipe | the old almanac"""),
    Kind.PERSON: _list("""the stranger | the witness | the archivist | the twin | the beggar | the
        messenger | the widow | the apprentice | the gravedigger | the surveyor | the
        translator | the nightwatchman | the debt collector | the exile | the puppeteer | the
        midwife | the pickpocket | the retired judge | the mapmaker | the mute boy | the rat
        catcher | the bookbinder | the fiddler | the glassblower | the pilgrim | the card
        sharp | the toymaker | the hangman's sister"""),
    Kind.SIGN: _list("""the distant bell | the strange smoke | the blood trail | the whispering |
        the sudden silence | the flicker | the chalk mark | the echo | the low rumble | the
        humming wire | the trail of ash | the smell of smoke | the odd reflection | the triple
        knock | the cold draught | the wet handprint | the faint singing | the blue glow | the
        ticking | the far shot | the moving shadow | the broken rhythm | the warning cry | the
        lit window | the buried pulse | the dust cloud | the wrong echo | the second heartbeat"""),
}

PREMISE_THREADS: Mapping[Kind, tuple[str, str]] = {
    Kind.PLACE: ("what @ hid", "{R} had once lived in @"),
    Kind.WAY: ("where @ led", "{R} had come by @, long ago"),
    Kind.THING: ("what @ meant", "@ had cost {R} a brother"),
    Kind.PERSON: ("what @ wanted", "{R} had sent for @"),
    Kind.SIGN: ("what @ meant", "{R} had begun @ by mistake"),
}
"""A question and its answer about a thing of the premise (``@``), which may be a plural."""
MISSING_THREAD = ("where @ went", "{R} had seen the last of @")
"""The same about what has vanished."""
MATTER_THREAD = ("what @ meant", "{R} had paid for @")
"""The same about what can't be told to be a thing or a place."""

PERSON_NOUNS = _words("""keeper daughter son captain thief witch wizard girl boy woman man child
    detective pilot nurse doctor soldier queen king prince princess knight baker sailor clerk
    teacher student scientist astronaut mother father sister brother widow orphan hunter
    priest monk nun robot android spy gardener librarian clockmaker cartographer courier
    smuggler pirate fisherman ferryman musician painter poet mechanic engineer apprentice
    stranger traveller inspector journalist butler cook farmer shepherd miller smith
    blacksmith merchant innkeeper ghost dragon wolf fox bear giant translator accountant
    poisoner taster composer passenger grandmother grandfather aunt uncle cousin twin husband
    wife bride groom baby child teenager student professor lawyer judge mayor president emperor
    empress sheriff outlaw cowboy rancher barber tailor weaver cobbler plumber electrician
    carpenter architect dancer singer actor actress clown acrobat juggler conjurer dreamer
    beekeeper vampire werewolf zombie mermaid fairy elf dwarf goblin troll ogre demon angel
    alien cyborg hacker gambler assassin bandit burglar guard warden prisoner exile refugee
    pilgrim beggar servant maid governess tutor explorer cosmonaut biologist diver captive hero
    heroine cat dog horse cow goat sheep pig hen goose duck owl raven crow parrot penguin whale
    dolphin octopus shark elephant lion tiger monkey ape mouse rat rabbit hare squirrel badger
    hedgehog tortoise turtle snake frog toad spider bee ant butterfly unicorn phoenix friend
    enemy neighbour neighbor rival partner boss worker miner driver waiter waitress bartender
    chef surgeon dentist undertaker gravedigger general colonel sergeant spirit god goddess""")
PLACE_NOUNS = _words("""lighthouse house town city village island castle station ship forest
    harbour harbor school library museum hotel inn farm mansion manor tower valley bakery
    monastery abbey theatre theater market mill colony planet moon hospital prison church
    cathedral palace fort fortress cave mine desert mountain lake river street garden attic
    cellar room shop factory circus vineyard orchard desert valley moor swamp jungle beach
    airport hangar bunker laboratory lab observatory graveyard cemetery bank court office
    arcade bar pub tavern restaurant cafe kitchen bathroom building skyscraper apartment
    elevator lift maze labyrinth reef iceberg glacier volcano canyon basement orphanage
    kindergarten academy university hall barn windmill watermill greenhouse zoo stadium park
    kingdom country continent asteroid submarine spaceship starship""")
WAY_NOUNS = _words("door gate bridge path road stair stairs tunnel passage ladder window")
SIGN_NOUNS = _words("""light sound song voice noise shadow signal bell smoke fog music storm
    wedding war blizzard flood fire eclipse comet rumour rumor dream laughter whisper silence
    plague festival funeral duel""")
THING_NOUNS = _words("""map key book letter ring lamp clock box diary sword crown mirror coin
    compass lantern painting statue violin piano machine engine telescope camera photograph
    ledger recipe oven loaf bottle coat mask necklace stone jewel treasure chest egg seed
    flower radio phone computer chip file document manuscript scroll wand potion cup knife gun
    bicycle balloon kite watch locket teapot kettle suitcase trunk hive violin piano cello
    guitar drum trumpet button beer wine bread cake soup shoe shoes hat glove umbrella carpet
    blanket bed chair table train tram bus car truck tractor rocket telegram postcard parcel
    newspaper puppet doll toy robot clockwork tree rose pumpkin apple bone skull candle
    lighter pistol rifle cannon bomb safe vault contract will testament passport ticket""")
ABSTRACT_NOUNS = _words("""night day morning evening week month year years winter summer autumn
    spring time times hour minute moment way lot kind sort part end beginning job work name
    love life death mistake sense reason thing things place world future past self one ones
    others weather century age chance turn trip side story""")
"""What a premise mentions without being about it."""
