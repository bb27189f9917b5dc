//! How busy this machine is.

use std::{fs, thread, time::Instant};

/// Ticks of `/proc/stat` in a second, on every Linux that Rust runs on.
const TICKS: f64 = 100.0;
/// Where in its first line the ticks stand in which a processor had nothing to do: idle, and waiting for a disk.
const AT_REST: [usize; 2] = [3, 4];

/// What all processors together had done at some time.
pub struct Processors {
    at: Instant,
    ticks_at_rest: u64,
}

impl Processors {
    /// How many there are.
    pub fn number() -> usize {
        thread::available_parallelism().expect("a number of processors").get()
    }

    /// What they have done by now.
    pub fn now() -> Self {
        let text = fs::read_to_string("/proc/stat").expect("Linux");
        let numbers = text.lines().next().expect("a line").split_whitespace().skip(1).map(|word| word.parse::<u64>());
        let ticks: Vec<u64> = numbers.collect::<Result<_, _>>().expect("numbers");
        Self { at: Instant::now(), ticks_at_rest: AT_REST.map(|place| ticks[place]).iter().sum() }
    }

    /// How many of them were busy since, on average.
    pub fn busy_since(&self) -> f64 {
        let now = Self::now();
        let rested = (now.ticks_at_rest - self.ticks_at_rest) as f64 / TICKS / (now.at - self.at).as_secs_f64();
        Self::number() as f64 - rested
    }
}
