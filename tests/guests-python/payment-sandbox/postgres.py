"""The component's own Postgres database. Each statement takes a connection of its own, which the host hands out of its pool."""

import settings
from componentize_py_types import Err
from wit_world.imports.postgres import (
    Connection,
    DbValue_DbNull,
    Error_QueryFailed,
    ParameterValue,
    ParameterValue_DbNull,
    ParameterValue_Int64,
    ParameterValue_Str,
    QueryError_DbError,
)

URL_VARIABLE = "sandbox_database_url"
ROWS_AT_ONCE = 128

Row = dict[str, object]
"""The values of a row by the names of its columns."""


class SqlError(Exception):
    """A statement had no result."""

    def __init__(self, message: str, constraint: str | None = None):
        super().__init__(message)
        # The name of the constraint that a row would break, if that is why.
        self.constraint = constraint


async def rows(statement: str, parameters: list[ParameterValue]) -> list[Row]:
    """All rows of a statement."""
    try:
        with await Connection.open_async(await settings.get(URL_VARIABLE)) as connection:
            columns, values, ended = await connection.query_async(statement, parameters)
            names = [column.name for column in columns]
            found = []
            with values:
                while not values.writer_dropped:
                    found += await values.read(ROWS_AT_ONCE)
            result = await ended.read()
    except Err as error:
        raise failure(error)
    if isinstance(result, Err):
        raise failure(result)
    return [dict(zip(names, map(plain, row))) for row in found]


async def row(statement: str, parameters: list[ParameterValue]) -> Row | None:
    """The first row of a statement, if it has one."""
    return next(iter(await rows(statement, parameters)), None)


async def one(statement: str, parameters: list[ParameterValue]) -> Row:
    """The only row of a statement that always has one."""
    found = await row(statement, parameters)
    if found is None:
        raise SqlError("it returned no row, though it always must")
    return found


async def execute(statement: str, parameters: list[ParameterValue]) -> int:
    """How many rows a statement changed."""
    try:
        with await Connection.open_async(await settings.get(URL_VARIABLE)) as connection:
            return await connection.execute_async(statement, parameters)
    except Err as error:
        raise failure(error)


def text(value: str | None) -> ParameterValue:
    """A text as a parameter."""
    return ParameterValue_DbNull() if value is None else ParameterValue_Str(value)


def integer(value: int) -> ParameterValue:
    """A bigint as a parameter."""
    return ParameterValue_Int64(value)


def plain(value):
    return None if isinstance(value, DbValue_DbNull) else value.value


def failure(error: Err) -> SqlError:
    match error.value:
        case Error_QueryFailed(QueryError_DbError(told)):
            return SqlError(told.message, dict(told.extras).get("constraint"))
        case other:
            return SqlError(str(other))
