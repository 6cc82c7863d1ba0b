"""The SpendLedger port on Redis: one hash a day, changed by scripts that can be run twice.

    call:<id>                    "open <tokens> <micros>" until it is settled, then "done …"
    total, total:micros          what the process spent; "total" is also what older versions count
    guild:<id>, …:micros         what a server spent
    story:<name>, …:micros       what a story spent; the name of its account isn't its id
    told:<percent>:<account>     who is to tell people that an account has come so far

Every account's sum is that of the calls it paid for, whatever is repeated and in whatever order.
The rule by which a budget is spent is spending.reached; the script asks it where nobody can come
between.
"""

from collections.abc import Sequence
from typing import cast

from core.adapters import redis_keys as keys
from core.adapters.redis_database import Part, RedisDatabase, Script
from core.domain.spending import (
    NEARLY,
    WHOLE,
    Account,
    Budgets,
    Reservation,
    Ruling,
    Scope,
    Spent,
    Standing,
)

# ARGV: the call's field, tokens, micros, lifetime, the two percentages, then for each payer its
# field, its caps ("" for none) and who would tell people. An answer holds three values a payer.
_COMMON = """
local day, call, tokens, micros = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local nearly, whole = ARGV[5], ARGV[6]
local payers = {}
for at = 7, #ARGV, 4 do
  payers[#payers + 1] =
    {name = ARGV[at], cap = ARGV[at + 1], money = ARGV[at + 2], teller = ARGV[at + 3]}
end
local function look(payer)
  payer.tokens = redis.call('HGET', day, payer.name) or '0'
  payer.micros = redis.call('HGET', day, payer.name .. ':micros') or '0'
end
local function beyond(spent, cap, percent)
  return cap ~= '' and tonumber(spent) * 100 >= tonumber(cap) * tonumber(percent)
end
local function reached(payer, percent)
  return beyond(payer.tokens, payer.cap, percent) or beyond(payer.micros, payer.money, percent)
end
local function count(more_tokens, more_micros)
  for _, payer in ipairs(payers) do
    redis.call('HINCRBY', day, payer.name, more_tokens)
    redis.call('HINCRBY', day, payer.name .. ':micros', more_micros)
  end
end
local function report(answer, refused)
  for place, payer in ipairs(payers) do
    look(payer)
    local teller, percent = '', place == refused and whole or nearly
    if reached(payer, percent) and payer.teller ~= '' then
      local mark = 'told:' .. percent .. ':' .. payer.name
      redis.call('HSETNX', day, mark, payer.teller)
      teller = redis.call('HGET', day, mark)
    end
    for _, part in ipairs({payer.tokens, payer.micros, teller}) do answer[#answer + 1] = part end
  end
  redis.call('EXPIRE', day, ARGV[4])
  return answer
end
"""

_RESERVE = Script(
    _COMMON
    + """
local refused = 0
local fresh = redis.call('HEXISTS', day, call) == 0
if fresh then
  for place = #payers, 1, -1 do
    look(payers[place])
    if reached(payers[place], whole) then refused = place end
  end
end
local answer = report({tostring(refused)}, refused)
if fresh and refused == 0 then
  redis.call('HSET', day, call, 'open ' .. tokens .. ' ' .. micros)
  count(tokens, micros)
  redis.call('EXPIRE', day, ARGV[4])
end
return answer
"""
)

_SETTLE = Script(
    _COMMON
    + """
local known = redis.call('HGET', day, call) or 'open 0 0'
local aside_tokens, aside_micros = known:match('^open (%d+) (%d+)$')
if aside_tokens then
  redis.call('HSET', day, call, 'done ' .. tokens .. ' ' .. micros)
  count(tokens - aside_tokens, micros - aside_micros)
end
return report({'0'}, 0)
"""
)


class RedisSpendLedger:
    """Spending per day in Redis.

    Args:
        database: open; stays open.
    """

    def __init__(self, database: RedisDatabase) -> None:
        self._database = database

    async def reserve(self, reservation: Reservation, budgets: Budgets) -> Ruling:
        """See SpendLedger."""
        doing = "set aside what a request may cost"
        refused, standings = await self._run(
            _RESERVE, reservation, reservation.spent, budgets, doing
        )
        return Ruling(standings, standings[refused - 1] if refused else None)

    async def settle(
        self, reservation: Reservation, cost: Spent, budgets: Budgets
    ) -> tuple[Standing, ...]:
        """See SpendLedger."""
        _, standings = await self._run(_SETTLE, reservation, cost, budgets, "record what was spent")
        return standings

    async def spent(self, day: str, accounts: Sequence[Account]) -> list[Spent]:
        """See SpendLedger."""
        if not accounts:
            return []
        names = [name for account in accounts for name in fields_of(account)]
        found = [int(value or 0) for value in await self._database.fields(keys.spend(day), names)]
        return [Spent(*pair) for pair in zip(found[::2], found[1::2], strict=True)]

    async def _run(
        self, script: Script, reservation: Reservation, spent: Spent, budgets: Budgets, doing: str
    ) -> tuple[int, tuple[Standing, ...]]:
        arguments: list[Part] = [f"call:{reservation.call}", spent.tokens, spent.micros]
        arguments += [keys.SPEND_LIFETIME_S, NEARLY, WHOLE]
        for payer in reservation.payers:
            caps = budgets.caps(payer.scope)
            limits = ["" if cap is None else cap for cap in (caps.tokens, caps.micros)]
            arguments += [fields_of(payer)[0], *limits, reservation.teller(payer)]
        answer = await self._database.script(
            script, [keys.spend(reservation.day)], arguments, doing=doing
        )
        refused, *parts = [part.decode() for part in cast(list[bytes], answer)]
        told = zip(reservation.payers, parts[::3], parts[1::3], parts[2::3], strict=True)
        return int(refused), tuple(
            Standing(payer, Spent(int(tokens), int(micros)), teller)
            for payer, tokens, micros, teller in told
        )


def fields_of(account: Account) -> tuple[str, str]:
    """Where an account's tokens and its micro-dollars stand."""
    name = "total" if account.scope is Scope.PROCESS else f"{account.scope}:{account.name}"
    return name, f"{name}:micros"
