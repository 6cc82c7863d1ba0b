"""Settings: what is read, what each fault says, and that no secret is ever shown."""

from pathlib import Path

import pytest

from bot.setting_table import SETTINGS, Embeddings, LogFormat, LogLevel
from bot.settings import BotSettings, SettingsError, environment
from core.domain.spending import Budgets, Caps, Price
from core.domain.story import Settings, VotingRule
from core.errors import StartError

ENOUGH = {"DISCORD_TOKEN": "token-1", "OPENAI_API_KEY": "key-1"}


def faults(**environ: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        BotSettings.read(ENOUGH | environ)
    return caught.value.faults


def test_token_and_key_are_enough() -> None:
    settings = BotSettings.read(ENOUGH)
    assert settings.discord_token == "token-1"
    assert settings.openai_api_key == "key-1"
    assert settings.redis_url == "redis://127.0.0.1:6379/0"
    assert settings.embeddings is Embeddings.MINILM
    assert settings.story == Settings()
    assert settings.language == "English"
    assert settings.allowed_guilds == frozenset()
    assert settings.caps.tokens is None
    assert settings.lease_s == 10


def test_everything_can_be_said() -> None:
    settings = BotSettings.read(
        {
            "DISCORD_TOKEN": "t",
            "DISCORD_API_URL": "http://127.0.0.1:8080/api/v10/",
            "DISCORD_GATEWAY_URL": "ws://127.0.0.1:8081",
            "OPENAI_BASE_URL": "http://localhost:8000/v1",
            "NARRATOR_MODEL": "big",
            "REFLECTOR_MODEL": "small",
            "MODEL_PATIENCE": "6",
            "EMBEDDINGS": "OpenAI",
            "EMBEDDING_MODEL": "embed",
            "REDIS_URL": "unix:///run/redis.sock?db=0",
            "ALLOWED_GUILDS": "12, 34,",
            "DAILY_TOKEN_CAP": "100000",
            "VOTE_SECONDS": "60",
            "SENTENCES": "5",
            "QUORUM": "2",
            "VOTING": "single",
            "LANGUAGE": "Português",
            "LOG_LEVEL": "debug",
            "LOG_FORMAT": "json",
            "LEASE_SECONDS": "3",
        }
    )
    assert settings.discord_api_url == "http://127.0.0.1:8080/api/v10"
    assert (settings.narrator_model, settings.reflector_model) == ("big", "small")
    assert settings.model_patience == 6
    assert settings.embeddings is Embeddings.OPENAI
    assert settings.allowed_guilds == {12, 34}
    assert settings.caps.tokens == 100_000
    assert settings.story == Settings(60, 5, VotingRule.SINGLE, 2)
    assert (settings.log_level, settings.log_format) == (LogLevel.DEBUG, LogFormat.JSON)
    assert settings.lease_s == 3


def test_an_empty_text_is_as_good_as_none() -> None:
    """The example file has empty values, and compose files pass them on."""
    empty = {setting.name: "  " for setting in SETTINGS}
    assert BotSettings.read(empty | ENOUGH) == BotSettings.read(ENOUGH)


def test_the_reflector_is_the_narrator_unless_said() -> None:
    assert BotSettings.read(ENOUGH | {"NARRATOR_MODEL": "m"}).reflector_model == "m"


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("DISCORD_TOKEN", "two words"),
        ("DISCORD_API_URL", "discord.com/api"),
        ("DISCORD_GATEWAY_URL", "https://gateway"),
        ("OPENAI_API_KEY", "ké y"),
        ("OPENAI_BASE_URL", "ftp://host/v1"),
        ("NARRATOR_MODEL", "m" * 201),
        ("REFLECTOR_MODEL", "a\x07b"),
        ("EMBEDDINGS", "word2vec"),
        ("EMBEDDING_MODEL", "m" * 201),
        ("REDIS_URL", "redis://127.0.0.1:6379/3"),
        ("REDIS_URL", "unix:///run/redis.sock?db=1"),
        ("REDIS_URL", "http://127.0.0.1:6379"),
        ("REDIS_URL", "redis://:6379"),
        ("ALLOWED_GUILDS", "12;34"),
        ("ALLOWED_GUILDS", ","),
        ("ALLOWED_GUILDS", ", ,"),
        ("DAILY_TOKEN_CAP", "0"),
        ("DAILY_TOKEN_CAP", "1e6"),
        ("VOTE_SECONDS", "4"),
        ("VOTE_SECONDS", "604801"),
        ("VOTE_SECONDS", "an hour"),
        ("SENTENCES", "41"),
        ("QUORUM", "0"),
        ("VOTING", "ranked"),
        ("LANGUAGE", "x" * 61),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
        ("LEASE_SECONDS", "61"),
    ],
)
def test_a_bad_value_is_one_line_with_name_and_what_would_be_right(name: str, bad: str) -> None:
    [line] = faults(**{name: bad})
    setting = next(setting for setting in SETTINGS if setting.name == name)
    assert line.startswith(f"{name}: ")
    assert line.endswith(f"must be {setting.right}")
    assert "\n" not in line
    assert (bad[:20] in line) is (not setting.secret and bad.isprintable())


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(StartError) as caught:
        BotSettings.read({"VOTE_SECONDS": "1", "QUORUM": "x"})
    lines = str(caught.value).splitlines()
    names = [line.split(":")[0] for line in lines]
    assert names == ["VOTE_SECONDS", "QUORUM", "DISCORD_TOKEN", "OPENAI_API_KEY"]


def test_without_key_a_local_endpoint_will_do() -> None:
    assert BotSettings.read({"DISCORD_TOKEN": "t", "OPENAI_BASE_URL": "http://localhost:8000/v1"})
    with pytest.raises(SettingsError, match="or set OPENAI_BASE_URL for a local server"):
        BotSettings.read({"DISCORD_TOKEN": "t"})


def test_the_playground_needs_neither_token_nor_endpoint() -> None:
    assert not BotSettings.read({}, playground=True).has_endpoint


def test_no_secret_is_shown_in_faults_or_repr() -> None:
    secret = "hush hush"
    [line] = faults(DISCORD_TOKEN=secret)
    assert secret not in line
    assert "9 characters" in line
    [line] = faults(REDIS_URL="redis://user:hush@host/7")
    assert "hush" not in line
    assert "host/7" in line
    shown = repr(BotSettings.read(ENOUGH | {"REDIS_URL": "redis://:hush@host/0"}))
    assert not [word for word in ("token-1", "key-1", "hush") if word in shown]


def test_secrets_are_known_so_that_logs_can_hide_them() -> None:
    """The passwords of addresses are among them."""
    settings = BotSettings.read(
        ENOUGH
        | {
            "REDIS_URL": "redis://:hush@host/0",
            "OPENAI_BASE_URL": "https://me:quiet@host/v1",
            "DISCORD_API_URL": "http://me:still@host/api",
            "DISCORD_GATEWAY_URL": "ws://me:calm@host",
        }
    )
    secrets = ("token-1", "key-1", "hush", "quiet", "still", "calm")
    assert settings.secrets == secrets
    assert not [secret for secret in secrets if secret in repr(settings)]


def test_a_password_that_breaks_its_address_is_not_shown_either() -> None:
    [line] = faults(REDIS_URL="redis://user:hu/sh@host/0")
    assert line.startswith('REDIS_URL: "redis://(hidden)@host/0" must be ')


def test_what_can_be_read_is_read_beside_what_cannot() -> None:
    """A fault takes its own setting's place only, and its text stays a secret."""
    read = BotSettings.inspect(
        {
            "DISCORD_TOKEN": "two words",
            "REDIS_URL": "redis://:hu/sh@host/0",
            "OPENAI_BASE_URL": "https://sk-a-long-key@host/v1",
            "QUORUM": "3",
        }
    )
    assert read.faulty == {"DISCORD_TOKEN", "REDIS_URL"}
    assert (read.settings.discord_token, read.settings.story.quorum) == ("", 3)
    assert {"two words", "hu/sh", "sk-a-long-key"} <= set(read.secrets)


def test_the_user_of_an_address_is_no_secret() -> None:
    """It would be hidden wherever the word stands."""
    assert BotSettings.inspect(ENOUGH | {"REDIS_URL": "redis://default@host"}).secrets == (
        *("token-1", "key-1"),
        *("token-1", "key-1"),
    )


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("VOTE_SECONDS=60\nDISCORD_TOKEN='a$b'\nBARE\n", encoding="utf-8")
    monkeypatch.setenv("VOTE_SECONDS", "90")
    monkeypatch.delenv("DISCORD_TOKEN", raising=False)
    read = environment(tmp_path)
    assert read["VOTE_SECONDS"] == "90"
    assert read["DISCORD_TOKEN"] == "a$b"
    assert "BARE" not in read


def test_a_file_that_is_not_text_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"DISCORD_TOKEN=\xff\xfe")
    with pytest.raises(SettingsError, match="UTF-8"):
        environment(tmp_path)


def test_defaults_would_be_accepted_themselves() -> None:
    """A default that its own setting refuses would be a trap for whoever writes it down."""
    for setting in SETTINGS:
        text = str(setting.default or "")
        if text:
            assert setting.read(text) == setting.default


def test_money_is_said_in_dollars_and_kept_in_micro_dollars() -> None:
    settings = BotSettings.read(
        ENOUGH
        | {
            "DAILY_COST_CAP": "5",
            "GUILD_DAILY_COST_CAP": "0.50",
            "STORY_DAILY_COST_CAP": "0.000001",
            "STORY_DAILY_TOKEN_CAP": "7",
            "PRICES": "gpt-5-mini=0.25/2",
        }
    )
    assert settings.caps == Caps(None, 5_000_000)
    assert settings.guild_caps == Caps(None, 500_000)
    assert settings.story_caps == Caps(7, 1)
    assert settings.budgets == Budgets(
        settings.caps, settings.guild_caps, settings.story_caps, settings.prices
    )


@pytest.mark.parametrize("text", ["0", "0.0", "-1", "1e3", "1,5", ".5", "$5", "0.0000001"])
def test_money_in_any_other_form_is_a_fault(text: str) -> None:
    (fault,) = faults(DAILY_COST_CAP=text)
    assert fault.endswith("must be an amount of dollars such as 2.50, or empty for no cap")


def test_prices_are_read_for_each_model() -> None:
    """Without a price of its own what was cached costs what all that is sent costs."""
    prices = BotSettings.read(
        ENOUGH | {"PRICES": "big=2/8, small = 0.25/0.025/2, embed=0.02, org/model=x=1/1"}
    ).prices
    assert prices == {
        "big": Price(2, 8, 2),
        "small": Price(0.25, 2, 0.025),
        "embed": Price(0.02, 0, 0.02),
        "org/model=x": Price(1, 1, 1),
    }


@pytest.mark.parametrize("text", ["big", "big=", "=1/2", "big=1/2/3/4", "a=1,a=2", ",", "a=1/x"])
def test_prices_in_any_other_form_are_a_fault(text: str) -> None:
    (fault,) = faults(PRICES=text)
    assert fault.startswith(f'PRICES: "{text}" must be model=prompt/completion or ')


MODELS = {"NARRATOR_MODEL": "big", "REFLECTOR_MODEL": "small", "EMBEDDING_MODEL": "vectors"}


@pytest.mark.parametrize("cap", ["DAILY_COST_CAP", "GUILD_DAILY_COST_CAP", "STORY_DAILY_COST_CAP"])
def test_a_cap_in_dollars_needs_a_price_of_each_model_that_is_used(cap: str) -> None:
    """Else it would hold nothing back: one line for each model, with what to add."""

    def missing(model: str, setting: str, form: str = "prompt/completion") -> str:
        return (
            f"PRICES: holds no price of {model} ({setting}), which {cap} needs; "
            f"add {model}={form}, in dollars for a million tokens"
        )

    told = (missing("big", "NARRATOR_MODEL"), missing("small", "REFLECTOR_MODEL"))
    assert faults(**MODELS, **{cap: "1"}) == told
    assert faults(**MODELS, **{cap: "1"}, PRICES="big=1/2,bigger=1/2") == told[1:]
    embedded = faults(**MODELS, **{cap: "1"}, EMBEDDINGS="openai", PRICES="big=1/2,small=1/2")
    assert embedded == (missing("vectors", "EMBEDDING_MODEL", "prompt"),)
    BotSettings.read(ENOUGH | MODELS | {cap: "1", "PRICES": "big=1/2,small=1/2"})


def test_a_model_that_writes_and_reflects_is_missed_once() -> None:
    [fault] = faults(NARRATOR_MODEL="big", DAILY_COST_CAP="1")
    assert "big (NARRATOR_MODEL)" in fault


def test_a_price_without_what_comes_back_isnt_enough_for_a_model_that_writes() -> None:
    """Its answers would cost nothing, and they are the greater part."""
    [fault] = faults(NARRATOR_MODEL="big", DAILY_COST_CAP="1", PRICES="big=2")
    assert fault == (
        "PRICES: says nothing of what big (NARRATOR_MODEL) writes, which DAILY_COST_CAP needs; "
        "add big=prompt/completion, in dollars for a million tokens"
    )
    BotSettings.read(ENOUGH | {"NARRATOR_MODEL": "own", "DAILY_COST_CAP": "1", "PRICES": "own=0/0"})


def test_prices_that_cant_be_read_are_one_fault() -> None:
    [fault] = faults(DAILY_COST_CAP="1", PRICES="big")
    assert fault.startswith('PRICES: "big" must be')


def test_without_a_model_there_is_nothing_to_price() -> None:
    """The playground's narrator costs nothing."""
    BotSettings.read({"DAILY_COST_CAP": "1"}, playground=True)


# ── the moderation endpoint ──────────────────────────────────────────────────────────────────────

FILTER = {"MODERATION_MODEL": "omni-moderation-latest"}
OPENAI = "https://api.openai.com/v1"
LOCAL = "http://127.0.0.1:8000/v1"


def test_without_a_moderation_model_its_key_is_nobodys_business() -> None:
    settings = BotSettings.read(ENOUGH | {"MODERATION_BASE_URL": LOCAL})
    assert settings.moderation_model == ""
    assert settings.moderation_api_key == ""


@pytest.mark.parametrize("writer", ["", OPENAI, f"{OPENAI}/"])
@pytest.mark.parametrize("moderation", ["", OPENAI])
def test_openais_own_endpoints_share_a_key(writer: str, moderation: str) -> None:
    said = {"OPENAI_BASE_URL": writer, "MODERATION_BASE_URL": moderation}
    assert BotSettings.read(ENOUGH | FILTER | said).moderation_api_key == "key-1"


@pytest.mark.parametrize(
    "addresses",
    [
        {"OPENAI_BASE_URL": LOCAL},
        {"MODERATION_BASE_URL": LOCAL},
        {"OPENAI_BASE_URL": LOCAL, "MODERATION_BASE_URL": LOCAL},
        {"OPENAI_BASE_URL": OPENAI, "MODERATION_BASE_URL": "https://api.openai.com.example/v1"},
        {"OPENAI_BASE_URL": "https://api.openai.com@example/v1"},
    ],
)
def test_a_key_never_goes_to_another_endpoint(addresses: dict[str, str]) -> None:
    """The start ends with a line that says whose key is missing, unless there is one."""
    [line] = faults(**FILTER, **addresses)
    assert line.startswith("MODERATION_API_KEY: not set; must be the endpoint's key, ")
    assert "key-1" not in line
    own = FILTER | addresses | {"MODERATION_API_KEY": "key-2"}
    assert BotSettings.read(ENOUGH | own).moderation_api_key == "key-2"


def test_a_key_of_its_own_is_used_beside_openais() -> None:
    own = FILTER | {"MODERATION_API_KEY": "key-2"}
    assert BotSettings.read(ENOUGH | own).moderation_api_key == "key-2"


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "MODERATION_API_KEY"])
def test_a_key_that_is_wrong_is_one_fault(name: str) -> None:
    """It isn't told as a missing one too."""
    [line] = faults(**FILTER, **{name: "a b"})
    assert line.startswith(f"{name}: (hidden, 3 characters) must be ")


def test_the_playground_asks_for_a_moderation_key_too() -> None:
    """Whoever wants texts to be checked there is told what is missing."""
    with pytest.raises(SettingsError, match="MODERATION_API_KEY: not set"):
        BotSettings.read(FILTER, playground=True)


@pytest.mark.parametrize("address", ["http://[", "gpt"])
def test_an_address_that_cannot_be_read_shares_no_key(address: str) -> None:
    """Whosever key it is, it is sent to nobody else, not even by what only looks at settings."""
    found = BotSettings.inspect(ENOUGH | FILTER | {"OPENAI_BASE_URL": address})
    assert found.faulty >= {"OPENAI_BASE_URL"}
    assert address != "http://[" or found.settings.moderation_api_key == ""
