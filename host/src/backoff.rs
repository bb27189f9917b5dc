//! How long to wait before trying again.

use std::time::Duration;

use rand::RngExt;

/// The pause after the first failure.
const SHORTEST: Duration = Duration::from_millis(100);

/// The pause that no longer grows.
const LONGEST: Duration = Duration::from_secs(30);

/// The pause after `failures` failures in a row: doubling from 100 ms to 30 s, less up to a quarter by chance, so that what
/// failed together does not come back together.
pub fn pause(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let longest = SHORTEST.saturating_mul(1 << doublings).min(LONGEST);
    longest.mul_f64(rand::rng().random_range(0.75..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound() {
        for (failures, milliseconds) in [(1, 100), (2, 200), (5, 1_600), (10, 30_000), (u32::MAX, 30_000)] {
            let longest = Duration::from_millis(milliseconds);
            let pause = pause(failures);
            assert!(pause <= longest && pause >= longest.mul_f64(0.74), "{failures}: {pause:?}");
        }
    }
}
