//! Components that are reached over HTTP: what they do unasked is asked of them by requests, wherever they are served.
//!
//! | `POST <target>/internal/<component>/…` | body |
//! |---|---|
//! | `events` | the event's value; all else of it is in headers, as CloudEvents 1.0 has them in its binary mode |
//! | `tick` | nothing |
//!
//! Each carries `Authorization: Bearer <token>`. 204 says that it is done, 422 that the event is rejected, for the reason in the body's
//! `detail`. Whatever else is answered, or if nothing is, an event is posted again, and a tick when the next one is due, neither before
//! the time in `Retry-After` where there is one.
//!
//! **Invariant:** nothing but 204 makes an event a taken one: a page that answers 200 to everything takes none.

mod address;
mod answer;
mod message;
mod remote;
mod standing;
mod target;

pub use self::{
    address::{Address, AddressError},
    remote::Remote,
    standing::Standing,
    target::{Target, TargetError},
};
