//! Events: outbox → bus → subscribers.
