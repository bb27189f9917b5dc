//! The first administrator, out of the component's variables.

use std::cell::Cell;

use kit::{Failure, settings};

use crate::{
    domain::accounts::{Registration, ensure_first_admin},
    outbound::{passwords::Passwords, sql::Sql},
};

thread_local! {
    /// An administrator that was there stays, so each instance asks once.
    static ENSURED: Cell<bool> = const { Cell::new(false) };
}

/// Makes sure that the account of `admin_email` is there before anyone registers or logs in.
pub async fn ensure() -> Result<(), Failure> {
    if ENSURED.get() {
        return Ok(());
    }
    let setting = async |name: &str| {
        let value = settings::get(name).await;
        value.map_err(|error| Failure::lasting(error.to_string()))
    };
    let email = setting("admin_email").await?;
    let password = setting("admin_password").await?;
    let registration = Registration {
        name: parsed("name", "Administrator")?,
        email: parsed("admin_email", &email)?,
        password: parsed("admin_password", &password)?,
    };
    ensure_first_admin(&Sql, &Passwords, registration).await?;
    ENSURED.set(true);
    Ok(())
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(name: &str, text: &str) -> Result<T, Failure> {
    text.parse().map_err(|error| Failure::lasting(format!("variable {name}: {error}")))
}
