"""Which language a story's free words mean: its tag (BCP 47) and the direction it is written in.

A moderator writes "Português", "brazilian portuguese" or "pt-BR"; a book that is read aloud, broken
into lines or turned page by page needs the tag. What isn't known for sure is "und", as BCP 47 has
it, and nothing is guessed from the text itself.
"""

import re
import unicodedata
from dataclasses import dataclass

UNKNOWN = "und"

_NAMES = {
    "af": "afrikaans",
    "am": "amharic, አማርኛ",
    "ar": "arabic, العربية, عربي, عربية",
    "az": "azerbaijani, azeri, azərbaycanca",
    "be": "belarusian, беларуская",
    "bg": "bulgarian, български",
    "bn": "bengali, bangla, বাংলা",
    "bs": "bosnian, bosanski",
    "ca": "catalan, català, valencian, valencià",
    "cs": "czech, čeština, česky",
    "cy": "welsh, cymraeg",
    "da": "danish, dansk",
    "de": "german, deutsch, allemand, alemán, alemão",
    "de-AT": "austrian german, österreichisches deutsch",
    "de-CH": "swiss german, schweizerdeutsch, schwyzerdütsch",
    "el": "greek, ελληνικά, modern greek",
    "en": "english, englisch, anglais, inglés, inglês, inglese",
    "en-AU": "australian english",
    "en-GB": "british english, uk english",
    "en-US": "american english, us english",
    "eo": "esperanto",
    "es": "spanish, español, castellano, castilian, spanisch, espagnol, espanhol",
    "es-419": "latin american spanish, español latinoamericano",
    "es-AR": "argentinian spanish, argentine spanish, rioplatense spanish",
    "es-ES": "european spanish",
    "es-MX": "mexican spanish, español mexicano",
    "et": "estonian, eesti, eesti keel",
    "eu": "basque, euskara",
    "fa": "persian, farsi, فارسی",
    "fi": "finnish, suomi",
    "fil": "filipino, tagalog, pilipino",
    "fr": "french, français, französisch, francés, francês",
    "fr-CA": "canadian french, québécois, quebec french",
    "fy": "frisian, frysk",
    "ga": "irish, gaeilge, irish gaelic",
    "gd": "scottish gaelic, gàidhlig",
    "gl": "galician, galego",
    "gu": "gujarati, ગુજરાતી",
    "ha": "hausa",
    "he": "hebrew, עברית",
    "hi": "hindi, हिन्दी, हिंदी",
    "hr": "croatian, hrvatski",
    "hu": "hungarian, magyar",
    "hy": "armenian, հայերեն",
    "id": "indonesian, bahasa indonesia",
    "ig": "igbo",
    "is": "icelandic, íslenska",
    "it": "italian, italiano, italienisch",
    "ja": "japanese, 日本語, nihongo",
    "ka": "georgian, ქართული",
    "kk": "kazakh, қазақ тілі, қазақша",
    "km": "khmer, cambodian, ភាសាខ្មែរ, ខ្មែរ",
    "kn": "kannada, ಕನ್ನಡ",
    "ko": "korean, 한국어, 조선말",
    "ckb": "sorani, central kurdish, سۆرانی",
    "ku": "kurdish, kurmanji, kurdî",
    "la": "latin, lingua latina",
    "lb": "luxembourgish, lëtzebuergesch",
    "lo": "lao, laotian, ພາສາລາວ",
    "lt": "lithuanian, lietuvių",
    "lv": "latvian, latviešu",
    "mi": "maori, te reo māori",
    "mk": "macedonian, македонски",
    "ml": "malayalam, മലയാളം",
    "mn": "mongolian, монгол",
    "mr": "marathi, मराठी",
    "ms": "malay, bahasa melayu, melayu",
    "mt": "maltese, malti",
    "my": "burmese, myanmar, မြန်မာ, မြန်မာစာ, မြန်မာဘာသာ",
    "nb": "bokmål, norwegian bokmål, norsk bokmål",
    "ne": "nepali, नेपाली",
    "nl": "dutch, nederlands, flemish, vlaams",
    "nn": "nynorsk, norwegian nynorsk, norsk nynorsk",
    "no": "norwegian, norsk",
    "pa": "punjabi, panjabi, ਪੰਜਾਬੀ",
    "pl": "polish, polski, po polsku",
    "ps": "pashto, پښتو",
    "pt": "portuguese, português, portugiesisch",
    "pt-BR": "brazilian portuguese, português brasileiro, português do brasil, portuguese brazil, "
    "português brasil, brazilian",
    "pt-PT": "european portuguese, português europeu, português de portugal, portuguese portugal",
    "ro": "romanian, română, moldovan",
    "ru": "russian, русский, по-русски, russisch",
    "sa": "sanskrit, संस्कृतम्",
    "si": "sinhala, sinhalese, සිංහල",
    "sk": "slovak, slovenčina, slovensky",
    "sl": "slovenian, slovene, slovenščina",
    "so": "somali, soomaali",
    "sq": "albanian, shqip",
    "sr": "serbian, српски, srpski",
    "sv": "swedish, svenska",
    "sw": "swahili, kiswahili",
    "ta": "tamil, தமிழ்",
    "te": "telugu, తెలుగు",
    "th": "thai, ไทย, ภาษาไทย",
    "tr": "turkish, türkçe",
    "uk": "ukrainian, українська, українською",
    "ur": "urdu, اردو",
    "uz": "uzbek, o'zbek, oʻzbekcha",
    "vi": "vietnamese, tiếng việt",
    "yi": "yiddish, ייִדיש, יידיש",
    "yo": "yoruba, yorùbá",
    "zh": "chinese, 中文, 汉语, 漢語, mandarin, 普通话, 國語, 华语",
    "zh-Hans": "simplified chinese, chinese simplified, 简体中文, 简体, 中文简体",
    "zh-Hant": "traditional chinese, chinese traditional, 繁體中文, 繁體, 正體中文, 中文繁體",
    "yue": "cantonese, 粵語, 粤语, 廣東話, 广东话",
    "zu": "zulu, isizulu",
}
_RIGHT_TO_LEFT = frozenset({"ar", "ckb", "fa", "he", "ps", "ur", "yi"})
_NOT_WORDS = re.compile(r"[^\w'’-]+")


@dataclass(frozen=True, slots=True)
class Language:
    """A language as documents name it.

    Attributes:
        tag: of BCP 47; UNKNOWN where it isn't known.
        direction: "ltr" or "rtl"; "auto", as HTML has it, where it isn't known.
    """

    tag: str
    direction: str


def language_of(named: str) -> Language:
    """The language that a brief names in its own words."""
    words = _folded(named)
    tag = _TAGS.get(words) or _by_tag(named) or _named_within(words) or UNKNOWN
    if tag == UNKNOWN:
        return Language(tag, "auto")
    return Language(tag, "rtl" if tag in _RIGHT_TO_LEFT else "ltr")


def _folded(text: str) -> str:
    """Words as they are compared: no case, no marks on Latin letters, no brackets."""
    plain = "".join(
        character
        for character in unicodedata.normalize("NFKD", text.casefold())
        if not unicodedata.combining(character)
    )
    return " ".join(_NOT_WORDS.sub(" ", plain).split())


def _by_tag(named: str) -> str | None:
    """A tag that was given as such, in any spelling: "PT_br"."""
    given = named.strip().replace("_", "-").casefold()
    return next((tag for tag in _NAMES if tag.casefold() == given), None)


def _named_within(words: str) -> str | None:
    """The only language among several words, the longest name first: "simple German, informal"."""
    found: set[str] = set()
    rest = f" {words} "
    for name in _LONGEST_FIRST:
        if f" {name} " in rest:
            found.add(_TAGS[name])
            rest = rest.replace(f" {name} ", "  ")
    # "中文（简体）" names Chinese twice, once more closely.
    exact = [tag for tag in found if not any(other.startswith(f"{tag}-") for other in found)]
    return exact[0] if len(exact) == 1 else None


_TAGS = {_folded(name): tag for tag, names in _NAMES.items() for name in names.split(",")}
_LONGEST_FIRST = sorted(_TAGS, key=len, reverse=True)
