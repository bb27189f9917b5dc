//! Waiting for an answer, but not for ever.

use std::{pin::pin, time::Duration};

use futures::future::{Either, select};

/// What `call` answers within this time, or `None`: then the call is dropped.
///
/// Dropping it tells the host that nobody waits any more and gives back all that the call held in this instance: its
/// arguments, the place for its results, its handle. The callee cannot be stopped, though. It may do its work to the
/// end, and nobody hears of it, so whatever moves something has to be asked about afterwards, under a name that was
/// stored before it was sent.
pub async fn within<T>(limit: Duration, call: impl Future<Output = T>) -> Option<T> {
    let timer = spin_sdk::time::sleep(limit);
    match select(pin!(call), pin!(timer)).await {
        Either::Left((answer, _)) => Some(answer),
        Either::Right(_) => None,
    }
}
