//! The clock.

use super::first_admin;
use crate::{
    bindings::{Component, exports::plaza::schedule::task::Guest},
    outbound::{sql, throttle},
};

impl Guest for Component {
    async fn tick() -> Result<(), String> {
        first_admin::ensure().await.map_err(|error| error.to_string())?;
        sql::forget_sessions().await.map_err(|error| error.to_string())?;
        throttle::forget_failures().await.map_err(|error| error.to_string())?;
        Ok(())
    }
}
