"""Texts that mean harm: what members or a model could write to act, to hide or to break a frame."""

from hypothesis import strategies as st

ACTS = (
    *("<@81384788765712384>", "<@!8>", "<@&77>", "<#5>", "@everyone", "@here", "<id:browse>"),
    *("</story start:12>", "<t:1700000000:R>", "<t:1>", "<a:x:123>", "<:x:1>", "<sound:0:5>"),
    *("https://evil.example/a_b", "http://evil.example", "<https://evil.example>"),
    *("[free](https://evil.example)", "[a](<https://evil.example>)", "[x", "](", "](https://e.x)"),
    *("discord.gg/abc", "https://discord.com/invite/x", "DiscordApp.com/channels/1/2"),
)
"""Whom or what a message could mention, link, run or show."""
MARKS = (
    *("# ", "## ", "#\ufeff", "-# ", "> ", ">>> ", "- ", "* ", "+ ", "1. ", "12345. ", "- # "),
    *("||", "```", "```py\n", "`", "``", "**", "*", "***", "__", "_", "~~", "\\", "\\\\", "<", ">"),
    *("2️⃣ ", "3\u20e3", "**2️⃣ won**", " · turn 99", "■■■", "1)", "2. "),
)
"""What markdown is made of, and our own frames."""
SIGNS = (
    *(
        "\n",
        "\n\n",
        "\r",
        "\r\n",
        "\u2028",
        "\u2029",
        "\x85",
        "\x0b",
        "\x0c",
        "\x1c",
        "\t",
        "\u3000",
    ),
    *("\x1c", "\ufeff", "\u200b", "\u200d", "\u200e", "\u2060", "\u00ad", "\u3164", "\u2800"),
    *("\u202e", "\u202a", "\u2066", "\u2069", "\x00", "\x07", "\x1b[31m", "\x9b31m", "\x7f"),
    *("\ud800", "\udc00", "\ud83d\ude00", "\ufdd0", "\uffff", "\U000e0041\U000e007f"),
    *("Z" + "\u0301" * 40, "\u0489" * 12, "\u20dd\u20e3", "\u200b" * 40),
    *("😀", "👩‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "漢字", "שלום", "مرحبا", "क्षि", "မြွှေ့"),
)
"""Ends of lines in every spelling, what nobody sees, what turns or floods a line, honest signs."""
WORDS = ("Mira", "a", "the lamp", "ed.", " ", "  ", ", ", "w" * 60, "e " * 30)

hostile = st.lists(
    st.sampled_from(ACTS + MARKS + SIGNS + WORDS) | st.text(max_size=6), max_size=40
).map("".join)
"""Any mixture of them, down to single characters."""
long_hostile = st.tuples(hostile, st.integers(1, 12)).map(lambda it: it[0] * it[1])
