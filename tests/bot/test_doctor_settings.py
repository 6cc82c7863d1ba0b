"""What the settings and the machine tell by themselves."""

import asyncio

import pytest
from aiohttp import web

from bot.doctor.machine_checks import machine_findings, running
from bot.doctor.settings_checks import is_near, settings_findings
from bot.settings import BotSettings
from core.domain.checkup import Finding, Verdict

WELL = {"DISCORD_TOKEN": "token-1", "OPENAI_API_KEY": "key-1", "DAILY_TOKEN_CAP": "1000"}


def found(*file: str, **environ: str) -> list[Finding]:
    return settings_findings(BotSettings.inspect(WELL | environ), file)


def worse(*file: str, **environ: str) -> list[Finding]:
    return [one for one in found(*file, **environ) if one.verdict is not Verdict.OK]


def test_settings_without_a_risk_are_one_line() -> None:
    [only] = found()
    assert (only.check, only.verdict, only.found) == ("values", Verdict.OK, "all can be read")


def test_each_fault_is_a_line_with_what_would_be_right() -> None:
    one, other = worse(VOTE_SECONDS="1", DISCORD_TOKEN="")
    assert (one.verdict, one.found) == (Verdict.FAULT, 'VOTE_SECONDS: "1"')
    assert one.remedy == "It must be a whole number from 5 to 604800."
    assert other.found == "DISCORD_TOKEN: not set"
    assert not [one for one in found(VOTE_SECONDS="1") if one.check == "values" and not one.remedy]


def test_a_cap_in_money_without_a_price_says_what_to_add() -> None:
    [one] = worse(DAILY_COST_CAP="2")
    assert one.verdict is Verdict.FAULT
    assert one.found.startswith("PRICES: holds no price of gpt-5-mini")
    assert one.remedy.startswith("Add gpt-5-mini=prompt/completion")
    assert one.remedy.endswith(".")


def test_a_name_that_looks_misspelt_is_pointed_out() -> None:
    """It does nothing, and nobody would ever say so; names of others' stay out of it."""
    [one] = worse("DAILY_TOKENS_CAP", "DISCORD_TOKEN", "COMPOSE_PROJECT_NAME", "TZ")
    assert "DAILY_TOKENS_CAP" in one.found
    assert one.remedy == "If you meant DAILY_TOKEN_CAP, write that."


def test_a_day_without_any_cap_is_a_warning_where_it_may_cost() -> None:
    [one] = worse(DAILY_TOKEN_CAP="")
    assert (one.check, one.verdict) == ("spending", Verdict.WARNING)
    assert not worse(DAILY_TOKEN_CAP="", STORY_DAILY_TOKEN_CAP="5")
    assert not worse(DAILY_TOKEN_CAP="", OPENAI_BASE_URL="http://ollama:11434/v1")


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"METRICS_PORT": "9000", "METRICS_HOST": "0.0.0.0"}, "METRICS_HOST 0.0.0.0 lets every"),  # noqa: S104
        ({"OPENAI_BASE_URL": "http://models.example.com/v1"}, "OPENAI_BASE_URL goes over"),
        ({"REDIS_URL": "redis://:pw@redis.example.com/0"}, "REDIS_URL goes over the network"),
        ({"LOG_LEVEL": "DEBUG"}, "LOG_LEVEL DEBUG"),
        ({"DISCORD_API_URL": "http://localhost:8080/api"}, "DISCORD_API_URL or"),
        ({"MODERATION_API_KEY": "key-2"}, "a moderation endpoint is set and no MODERATION_MODEL"),
        ({"FAILPOINT": "after commit text:3"}, "FAILPOINT has the bot kill itself"),
    ],
)
def test_a_choice_with_a_risk_is_told(environ: dict[str, str], says: str) -> None:
    [one] = worse(**environ)
    assert one.found.startswith(says)


@pytest.mark.parametrize(
    "environ",
    [
        {"METRICS_HOST": "0.0.0.0"},  # noqa: S104 - no port: nothing listens
        {"METRICS_PORT": "9000"},
        {"OPENAI_BASE_URL": "https://models.example.com/v1"},
        {"OPENAI_BASE_URL": "http://192.168.1.20:8000/v1"},
        {"REDIS_URL": "redis://:pw@redis:6379/0"},
        {"REDIS_URL": "unix://:pw@/run/redis.sock"},
        {"REDIS_URL": "redis://redis.example.com/0"},
    ],
)
def test_what_is_protected_or_near_is_no_risk(environ: dict[str, str]) -> None:
    assert not worse(**environ)


def test_near_is_this_machine_and_the_networks_of_ones_own() -> None:
    near = ["http://localhost/", "http://127.0.0.1/", "http://[::1]/", "http://10.1.2.3/"]
    near += ["redis://redis:6379", "http://nas.local/v1", "unix:///run/redis.sock"]
    far = ["http://example.com/", "http://8.8.8.8/", "http://0.0.0.0/", "http://[::]/", ""]
    assert [is_near(one) for one in near + far] == [True] * len(near) + [False] * len(far)


@pytest.mark.parametrize(
    ("environ", "embeddings", "processors", "warned"),
    [
        ({}, "minilm", 2, True),
        ({"OPENBLAS_NUM_THREADS": "4"}, "minilm", 2, True),
        ({"OPENBLAS_NUM_THREADS": "1"}, "minilm", 2, False),
        ({}, "minilm", 1, False),
        ({}, "openai", 8, False),
    ],
)
def test_threads_that_wait_for_one_another_are_told(
    environ: dict[str, str], embeddings: str, processors: int, warned: bool
) -> None:
    settings = BotSettings.inspect(WELL | {"EMBEDDINGS": embeddings}).settings
    system, *more = machine_findings(settings, environ, "3.11.7", "Linux x86_64", processors)
    assert system.found.startswith("Python 3.11.7 on Linux x86_64, ")
    assert [one.check for one in more] == ["threads"] * warned


@pytest.mark.parametrize(
    ("status", "said", "verdict", "says"),
    [
        (200, "ok", Verdict.OK, "it runs, and says of itself: ok"),
        (503, "stuck: the wheel", Verdict.FAULT, "it runs and isn't well: stuck: the wheel"),
    ],
)
async def test_a_bot_that_runs_beside_is_asked_how_it_is(
    status: int, said: str, verdict: Verdict, says: str
) -> None:
    async def health(_: web.Request) -> web.Response:
        return web.Response(status=status, text=said)

    app = web.Application()
    app.router.add_get("/healthz", health)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = int(runner.addresses[0][1])
    [finding] = [one async for one in running("127.0.0.1", port)]
    await runner.cleanup()
    assert (finding.verdict, finding.found) == (verdict, says)


async def test_a_bot_that_does_not_answer_is_a_fault() -> None:
    """It listens, so it is there: its loop is blocked."""

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    port = int(server.sockets[0].getsockname()[1])
    [finding] = [one async for one in running("127.0.0.1", port, timeout_s=0.1)]
    server.close()
    assert finding.verdict is Verdict.FAULT
    assert "timed out" in finding.found


async def test_no_bot_beside_is_no_fault(unused_tcp_port: int) -> None:
    """It may be stopped, or run in another container."""
    [finding] = [one async for one in running("127.0.0.1", unused_tcp_port)]
    assert finding.verdict is Verdict.OK
    assert finding.found.startswith("none runs on this machine, or in this container")
