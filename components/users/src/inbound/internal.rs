//! `/internal/users/…`: the accounts and the clock, for those who reach them over HTTP.

use axum::response::Response;
use kit::{
    Problem,
    internal::{Call, Internal, nothing_here},
};

use crate::bindings::{
    Component,
    exports::{plaza::schedule::task, shop::users::directory},
};

impl Internal for Component {
    const COMPONENT: &'static str = "users";

    async fn answer(call: Call) -> Result<Response, Problem> {
        match call.function() {
            "directory/get-user" => call.run(async |(id,)| <Self as directory::Guest>::get_user(id).await).await,
            "tick" => call.tick(<Self as task::Guest>::tick).await,
            _ => Ok(nothing_here()),
        }
    }
}
