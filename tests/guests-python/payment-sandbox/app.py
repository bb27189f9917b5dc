"""The payment provider of `components/payment-sandbox` once more, in Python.

It exports the same interface, `shop:payments/provider`, and keeps its rows in the same tables, so that either may be put in the
place of the other while the shop serves. What the tokens do stands in `tokens.py`, what is remembered in `charges.py`.
"""

import sys
import time

import charges
import settings
import webhook
from charges import Charge, NewCharge
from componentize_py_types import Err
from postgres import SqlError
from tokens import LATE_SECONDS, SUCCEEDS_LATE, State, behaviour_of
from wit_world import exports
from wit_world.exports.provider import (
    ChargeRequest,
    Error_Invalid,
    Error_NotFound,
    Error_Unavailable,
    Notice,
    Outcome,
    Outcome_ActionRequired,
    Outcome_Declined,
    Outcome_Succeeded,
    RefundRequest,
)
from wit_world.imports import monotonic_clock

NAME = "sandbox"
"""The provider's name, as payments remember it."""

NANOSECONDS = 1_000_000_000


def answers(function):
    """A failed statement leaves the caller without knowledge of whether money moved: it has to ask again."""

    async def answered(*arguments):
        try:
            return await function(*arguments)
        except SqlError as error:
            print(f"error: {error}", file=sys.stderr)
            raise Err(Error_Unavailable(str(error)))

    return answered


class Provider(exports.Provider):
    """The functions of the interface; what each returns and when is said in `wit/shop/payments/provider.wit`."""

    async def name(self) -> str:
        return NAME

    @answers
    async def charge(self, request: ChargeRequest) -> Outcome:
        is_meant(request.provider)
        behaviour = behaviour_of(request.token)
        if behaviour is None:
            raise Err(Error_Invalid("it is no token of the sandbox"))
        if request.amount_minor < 1:
            raise Err(Error_Invalid("the amount must be more than nothing"))
        new = NewCharge(request.key, request.payment_id, request.amount_minor, request.currency, request.token)
        charge = await charges.charge(new, behaviour.begins_as)
        if charge.state is State.WITHDRAWN:
            return Outcome_Declined("withdrawn")
        if not charge.same_request:
            raise Err(Error_Invalid("the key was used for another charge"))
        if behaviour is SUCCEEDS_LATE and charge.calls == 1:
            # asyncio.sleep has no clock here: the event loop of componentize-py lacks timers.
            await monotonic_clock.wait_for(LATE_SECONDS * NANOSECONDS)
        made = outcome(charge)
        if made is None:
            raise Err(Error_Unavailable("the sandbox fails, as it was asked to"))
        return made

    @answers
    async def refund(self, request: RefundRequest) -> Outcome:
        is_meant(request.provider)
        known = await charges.find_refund(request.key)
        if known is not None:
            return Outcome_Succeeded(known)
        try:
            made = await charges.refund(request.key, request.charge_id, request.amount_minor)
        except SqlError as error:
            if error.constraint != "refunds_pkey":
                raise
            # The same key came twice at once, and the other request was first.
            made = await charges.find_refund(request.key)
            if made is None:
                raise Err(Error_NotFound())
        return Outcome_Declined("exceeds_charge") if made is None else Outcome_Succeeded(made)

    @answers
    async def find(self, provider: str, key: str) -> Outcome:
        is_meant(provider)
        return await find(key)

    @answers
    async def withdraw(self, provider: str, key: str) -> Outcome:
        is_meant(provider)
        return moved(outcome(await charges.withdraw(key)))

    @answers
    async def verify_webhook(self, headers: list[tuple[str, str]], body: bytes) -> Notice:
        secret = await settings.get_or("sandbox_webhook_secret", "")
        try:
            message = webhook.read(headers, body, secret, int(time.time()))
        except webhook.NotBelieved as error:
            raise Err(Error_Invalid(str(error)))
        await charges.finish(message.key, message.outcome)
        return Notice(message.id, message.key, await find(message.key))


def is_meant(provider: str) -> None:
    """Whatever is meant for another provider is left alone."""
    if provider != NAME:
        raise Err(Error_Unavailable(f"it is meant for the provider `{provider}`, and this is `{NAME}`"))


async def find(key: str) -> Outcome:
    refund = await charges.find_refund(key)
    if refund is not None:
        return Outcome_Succeeded(refund)
    charge = await charges.find_charge(key)
    return moved(None if charge is None else outcome(charge))


def moved(known: Outcome | None) -> Outcome:
    if known is None:
        raise Err(Error_NotFound())
    return known


def outcome(charge: Charge) -> Outcome | None:
    """What is known of a charge; nothing while nothing has moved."""
    match charge.state:
        case State.SUCCEEDED:
            return Outcome_Succeeded(charge.id)
        case State.DECLINED:
            return Outcome_Declined(charge.code or "")
        case State.ACTION_REQUIRED:
            return Outcome_ActionRequired(f"https://sandbox.example/3ds/{charge.id}")
        case State.FAILING | State.WITHDRAWN:
            return None
