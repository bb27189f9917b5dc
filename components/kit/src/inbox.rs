//! Events that have had their effect, remembered in a table `inbox (event_id, received_at)` by the statement that had it.

use crate::sql::{Database, SqlError};

/// Forgets events after a month, when none can come again; a thousand at a time, for the tick.
pub async fn forget(database: &Database) -> Result<u64, SqlError> {
    let statement = "delete from inbox where event_id = any (array(
        select event_id from inbox where received_at < now() - interval '30 days' limit 1000))";
    database.execute(statement, Vec::new()).await
}
