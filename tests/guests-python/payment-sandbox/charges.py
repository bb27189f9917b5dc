"""Charges and refunds, one row per key, in the tables of `components/payment-sandbox/migrations`."""

from dataclasses import dataclass

from postgres import Row, execute, integer, one, row, text
from tokens import FLAKY_FAILURES, State


@dataclass
class NewCharge:
    """A charge that is asked for; the amount in minor units of the currency."""

    key: str
    payment_id: int
    amount_minor: int
    currency: str
    token: str


@dataclass
class Charge:
    """A charge as it is remembered."""

    id: str
    state: State
    code: str | None
    # How often it was asked for.
    calls: int
    # Whether it is what was asked for under this key the first time.
    same_request: bool


async def charge(new: NewCharge, begins_as: State) -> Charge:
    """Makes the charge, or finds the one with this key; a failing one works once it was asked for often enough."""
    statement = """
        insert into charges as c (key, payment_id, amount_minor, currency, token, state, code)
        values ($1::text, $2::bigint, $3::bigint, $4::text, $5::text, $6::text, $7::text)
        on conflict (key) do update set calls = c.calls + 1,
            state = case when c.state = 'failing' and c.calls >= $8::bigint then 'succeeded' else c.state end
        returning id, state, code, calls,
            (payment_id, amount_minor, currency, token) is not distinct from ($2::bigint, $3::bigint, $4::text, $5::text)
                as same_request"""
    asked = [text(new.key), integer(new.payment_id), integer(new.amount_minor), text(new.currency), text(new.token)]
    state = [text(begins_as.value), text(begins_as.code), integer(FLAKY_FAILURES)]
    return read(await one(statement, asked + state))


async def find_charge(key: str) -> Charge | None:
    """The charge with this key."""
    found = await row("select id, state, code, calls, true as same_request from charges where key = $1::text", [text(key)])
    return None if found is None else read(found)


async def finish(key: str, state: State) -> None:
    """Ends a charge that waited for its customer."""
    statement = """
        update charges set state = $2::text, code = $3::text
        where key = $1::text and state = 'action_required'"""
    await execute(statement, [text(key), text(state.value), text(state.code)])


async def withdraw(key: str) -> Charge:
    """Gives the charge up unless it moved money or was declined, be it that it was never asked for; returns it as it is then."""
    statement = """
        insert into charges as c (key, state) values ($1::text, 'withdrawn')
        on conflict (key) do update set
            state = case when c.state in ('action_required', 'failing') then 'withdrawn' else c.state end
        returning id, state, code, calls, true as same_request"""
    return read(await one(statement, [text(key)]))


async def refund(key: str, charge_id: str, amount_minor: int) -> str | None:
    """Gives back a part of a charge and returns the refund's id; nothing when there is no such charge or less is left of it."""
    statement = """
        with taken as (
            update charges set refunded_minor = refunded_minor + $3::bigint
            where id = $2::text and state = 'succeeded' and $3::bigint > 0
                and refunded_minor + $3::bigint <= amount_minor
            returning id
        )
        insert into refunds (key, charge_id, amount_minor)
        select $1::text, id, $3::bigint from taken
        returning id"""
    made = await row(statement, [text(key), text(charge_id), integer(amount_minor)])
    return None if made is None else made["id"]


async def find_refund(key: str) -> str | None:
    """The id of the refund with this key."""
    found = await row("select id from refunds where key = $1::text", [text(key)])
    return None if found is None else found["id"]


def read(found: Row) -> Charge:
    return Charge(found["id"], State(found["state"]), found["code"], found["calls"], found["same_request"])
