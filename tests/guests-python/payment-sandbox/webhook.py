"""Webhooks: signed with a secret that only the sandbox and the shop know, and worthless once old."""

import hmac
import json
import re
from dataclasses import dataclass

from tokens import State

TOLERANCE_SECONDS = 300
"""How far a webhook's clock may be from ours, either way."""

ENDINGS = {"succeeded": State.SUCCEEDED, "declined": State.DECLINED}

# As Rust reads them: int() and bytes.fromhex() would let spaces, underscores and digits of other scripts through.
SECONDS = re.compile(r"[+-]?[0-9]{1,18}")
HEXADECIMAL = re.compile(r"([0-9A-Fa-f]{2})*")
# An id or a key: visible ASCII of a bounded length.
NAME = re.compile(r"[!-~]{1,255}")


@dataclass
class Webhook:
    """What a webhook says: its own id, the key of the charge or refund that it speaks of, and how that ended."""

    id: str
    key: str
    outcome: State


class NotBelieved(Exception):
    """Why a webhook is not believed."""


def read(headers: list[tuple[str, str]], body: bytes, secret: str, now_s: int) -> Webhook:
    """Checks signature and age, and reads what it says. `headers` are lower-case."""
    if not secret:
        raise NotBelieved("the variable sandbox_webhook_secret is empty")
    timestamp = header(headers, "webhook-timestamp")
    signature = header(headers, "webhook-signature")
    if not SECONDS.fullmatch(timestamp) or not HEXADECIMAL.fullmatch(signature):
        raise NotBelieved("it needs the headers webhook-timestamp (seconds since 1970) and webhook-signature (hexadecimal)")
    expected = hmac.digest(secret.encode(), timestamp.encode() + b"." + body, "sha256")
    # Compared in constant time, and before anything else is said about it.
    if not hmac.compare_digest(expected, bytes.fromhex(signature)):
        raise NotBelieved("its signature is not the HMAC-SHA-256 over `timestamp.body`")
    if abs(now_s - int(timestamp)) > TOLERANCE_SECONDS:
        raise NotBelieved(f"its timestamp is more than {TOLERANCE_SECONDS} seconds off")
    return message(body)


def message(body: bytes) -> Webhook:
    try:
        pairs = json.loads(body.decode(), object_pairs_hook=list)
        said = dict(pairs)
        sound = len(pairs) == 3 and NAME.fullmatch(said["id"]) and NAME.fullmatch(said["key"])
        ending = ENDINGS[said["outcome"]]
    except (ValueError, TypeError, KeyError, RecursionError):
        sound = False
    if not sound:
        raise NotBelieved("its body is not a message of the sandbox")
    return Webhook(said["id"], said["key"], ending)


def header(headers: list[tuple[str, str]], name: str) -> str:
    return next((value for key, value in headers if key == name), "")
