//! How the workers of a version stand.

/// How a pool stands, for status and metrics.
#[derive(Debug, Default, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub struct PoolStatus {
    /// Live instances, those about to end included.
    pub instances: usize,
    /// Jobs that an instance holds, until the last byte of the answer is sent or nobody wants it any more.
    pub in_flight: usize,
    /// Jobs that wait for a place.
    pub waiting: usize,
}

impl std::iter::Sum for PoolStatus {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            instances: sum.instances + one.instances,
            in_flight: sum.in_flight + one.in_flight,
            waiting: sum.waiting + one.waiting,
        })
    }
}
