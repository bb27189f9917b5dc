//! A client who asks again until there is an answer, while hosts and databases come and go.

use std::time::{Duration, Instant};

use crate::{Answer, Client, client::Call};

/// How long the same thing is asked again: a start on a busy machine, and behind it the lease of a request that died.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// How long one answer is waited for.
const ANSWER_PATIENCE: Duration = Duration::from_secs(20);

/// The pause between two times.
const PAUSE: Duration = Duration::from_millis(50);

/// A client who asks again.
pub struct Patient<'a> {
    /// Who asks.
    pub client: &'a Client,
    /// What may be answered while something is away, beside nothing at all.
    pub passing: &'a [u16],
}

impl Patient<'_> {
    /// Sends a request again until the answer is one of `wanted`; fails the test when it is neither that nor passing. For a
    /// while after a crash a key may be leased to the request that died.
    pub async fn persist(&self, call: impl Fn(&Client) -> Call, wanted: &[u16]) -> Answer {
        let start = Instant::now();
        loop {
            if let Ok(Ok(answer)) = tokio::time::timeout(ANSWER_PATIENCE, call(self.client).try_send()).await {
                let in_flight = is_in_flight(&answer);
                if wanted.contains(&answer.status) && !in_flight {
                    return answer;
                }
                let passes = in_flight || self.passing.contains(&answer.status);
                assert!(passes, "wanted one of {wanted:?}: {} {}", answer.status, answer.text());
            }
            assert!(start.elapsed() < PATIENCE, "asked for {PATIENCE:?} in vain for one of {wanted:?}");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Whether this 409 only says that the first request with the key still has its lease.
fn is_in_flight(answer: &Answer) -> bool {
    answer.status == 409 && answer.text().contains("request-in-flight")
}
