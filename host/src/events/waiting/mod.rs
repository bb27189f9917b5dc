//! What waits for a subscriber of the bus in this process.
//!
//! The row of an event may be marked once everybody has taken it, so whoever takes nothing for long would hold up everybody: a relay has
//! only so many keys in hand. An event that its subscriber has not taken for some seconds therefore goes into a table, where it waits
//! for that subscriber alone, and later ones of its key go behind it. There is a [`Queue`] for each subscriber, topic and outbox. Whoever
//! has the lease of the outbox also carries on what waits of its events ([`Queue::carry`]).
//!
//! **Invariant:** an event is in its outbox, unmarked, or waits here, until its subscriber has taken or rejected it.
//! **Invariant:** while anything of a key waits, nothing of that key is delivered past it.

mod keys;
mod queue;
mod table;

pub(super) use self::{queue::Queue, table::Table};
