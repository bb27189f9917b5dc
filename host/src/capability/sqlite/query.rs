//! One statement, run on a connection. Blocks.

use rusqlite::{
    ErrorCode, params_from_iter,
    types::{Value as Stored, ValueRef},
};

use super::{Failure, RowResult, Value, brake::Brake};

/// What takes in the rows of a statement.
pub trait Rows {
    /// The columns' names, once, before any row.
    fn columns(&mut self, names: Vec<String>) -> Result<(), Failure>;

    /// A row, and how many bytes it has.
    fn row(&mut self, row: RowResult, bytes: usize) -> Result<(), Failure>;
}

/// Runs a statement, until its brake stops it. Its columns are told once its first row is there, or that it has none: what fails before that fails at
/// once.
///
/// # Errors
/// What SQLite says, what `taker` does, and that it was stopped.
pub fn run(
    connection: &rusqlite::Connection,
    sql: &str,
    parameters: Vec<Value>,
    taker: &mut impl Rows,
    brake: &Brake,
) -> Result<(), Failure> {
    let failed = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => brake.failure(),
        _ => error.into(),
    };
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let mut rows = statement.query(params_from_iter(parameters.into_iter().map(stored))).map_err(failed)?;
    let mut row = rows.next().map_err(failed)?.map(read).transpose()?;
    let Some(running) = rows.as_ref().filter(|_| row.is_some()) else {
        drop(rows);
        return taker.columns(names(&statement));
    };
    taker.columns(names(running))?;
    while let Some((values, bytes)) = row {
        taker.row(RowResult { values }, bytes)?;
        brake.restart();
        row = rows.next().map_err(failed)?.map(read).transpose()?;
    }
    Ok(())
}

fn names(statement: &rusqlite::Statement<'_>) -> Vec<String> {
    statement.column_names().into_iter().map(str::to_owned).collect()
}

/// A row's values, and how many bytes they have.
fn read(row: &rusqlite::Row<'_>) -> Result<(Vec<Value>, usize), Failure> {
    let mut values = Vec::new();
    let mut bytes = size_of::<RowResult>();
    for column in 0..row.as_ref().column_count() {
        let value = match row.get_ref(column)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => Value::Integer(number),
            ValueRef::Real(number) => Value::Real(number),
            ValueRef::Text(text) => match str::from_utf8(text) {
                Ok(text) => Value::Text(text.to_owned()),
                Err(_) => return Err(Failure::Statement(format!("column {column} holds a text that is no UTF-8"))),
            },
            ValueRef::Blob(blob) => Value::Blob(blob.to_owned()),
        };
        bytes += size_of::<Value>();
        bytes += match &value {
            Value::Text(text) => text.len(),
            Value::Blob(blob) => blob.len(),
            _ => 0,
        };
        values.push(value);
    }
    Ok((values, bytes))
}

fn stored(value: Value) -> Stored {
    match value {
        Value::Null => Stored::Null,
        Value::Integer(number) => Stored::Integer(number),
        Value::Real(number) => Stored::Real(number),
        Value::Text(text) => Stored::Text(text),
        Value::Blob(blob) => Stored::Blob(blob),
    }
}
