//! What every service of the shop shares.
//!
//! Pure, for the domain as well: [`money`], [`faults`], [`page`] (cursors), [`role`], [`text`], [`failure`], [`hex`].
//! For the edge, in the order in which a request meets it: [`serve`] (CORS, security headers, problems for what axum
//! refuses) → [`trace`] → [`token`] and [`caller`] (who asks), [`mod@directory`] (what they may do now) → [`input`] (bodies, paths and queries, with every fault listed) →
//! [`idempotency`] → [`sql`], [`inbox`] and [`uuid`] → [`etag`], [`page`] and [`problem`] (the answer). [`openapi`] and [`asyncapi`] describe it all,
//! [`settings`] reads the component's variables, [`within()`] bounds how long another is waited for. What a component exports is also
//! reached over HTTP, by those who have the [`service_token`]: [`internal`].

pub mod asyncapi;
pub mod caller;
pub mod directory;
pub mod etag;
pub mod failure;
pub mod faults;
pub mod hex;
pub mod idempotency;
pub mod inbox;
pub mod input;
pub mod internal;
pub mod money;
pub mod openapi;
pub mod page;
pub mod problem;
pub mod role;
pub mod serve;
pub mod service_token;
pub mod settings;
pub mod sql;
pub mod text;
pub mod token;
pub mod trace;
pub mod uuid;
mod within;

pub use caller::{ActingAdmin, Admin, Caller, DEACTIVATED};
pub use directory::Directory;
pub use failure::{Failure, Unavailable};
pub use faults::{Fault, Faults};
pub use input::{Id, Input, Listing, Unchecked, Valid};
pub use money::{Currency, Money};
pub use page::{Page, Paging};
pub use problem::Problem;
pub use role::Role;
pub use trace::Traceparent;
pub use within::within;

/// Makes a future of guest calls acceptable to axum, which wants `Send`.
///
/// A component has one thread, so the promise always holds; elsewhere a wrong thread would panic, not race.
pub fn local<F: Future>(future: F) -> impl Future<Output = F::Output> + Send {
    send_wrapper::SendWrapper::new(future)
}
