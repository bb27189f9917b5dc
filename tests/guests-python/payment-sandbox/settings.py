"""The component's variables."""

from componentize_py_types import Err
from wit_world.imports import variables

# Values are fixed while an instance lives, so each is fetched once.
_known: dict[str, str] = {}


async def get(name: str) -> str:
    """The variable's value; the interface's error where there is none."""
    if name not in _known:
        _known[name] = await variables.get(name)
    return _known[name]


async def get_or(name: str, default: str) -> str:
    """The variable's value, or `default` where it is not declared or empty."""
    try:
        return await get(name) or default
    except Err:
        return default
