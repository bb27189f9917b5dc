"""What each test token makes happen."""

from dataclasses import dataclass
from enum import Enum

FLAKY_FAILURES = 2
"""How often a flaky charge is refused before it works."""

LATE_SECONDS = 6
"""How long a late answer takes: longer than any caller of good sense waits."""


class State(Enum):
    """What is remembered of a charge, by the word for it in SQL."""

    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    ACTION_REQUIRED = "action_required"
    FAILING = "failing"
    WITHDRAWN = "withdrawn"

    @property
    def code(self) -> str | None:
        """The code that goes with it."""
        return "card_declined" if self is State.DECLINED else None


@dataclass(frozen=True)
class Behaviour:
    """What a token makes happen, and the state in which a charge with it begins."""

    token: str
    begins_as: State


SUCCEEDS_LATE = Behaviour("tok_timeout", State.SUCCEEDED)
"""It succeeds, but says so too late."""

BEHAVIOURS = [
    Behaviour("tok_ok", State.SUCCEEDED),
    Behaviour("tok_declined", State.DECLINED),
    SUCCEEDS_LATE,
    Behaviour("tok_flaky", State.FAILING),
    Behaviour("tok_3ds", State.ACTION_REQUIRED),
]


def behaviour_of(token: str) -> Behaviour | None:
    """The behaviour of this token; nothing for one that the sandbox never gave."""
    return next((behaviour for behaviour in BEHAVIOURS if behaviour.token == token), None)
