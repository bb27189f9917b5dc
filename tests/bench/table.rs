//! The figures side by side.

use std::time::Duration;

use crate::load::{Load, Rate};

/// Rows of figures, printed at the end and each as it comes.
pub struct Table {
    rows: Vec<[String; 5]>,
}

impl Table {
    /// Nothing measured so far.
    pub fn new() -> Self {
        Self { rows: Vec::new() }
    }

    /// Throughput and latency; `goal` is empty where none is set.
    pub fn rates(&mut self, what: &str, [plaza, native]: [Rate; 2], goal: &str) {
        let share = format!("{:.0} %", 100.0 * plaza.per_second / native.per_second);
        self.row(what, words(plaza), words(native), share, goal);
    }

    /// The same twice, alone and beside something else: how much longer the slowest wait.
    pub fn slowed(&mut self, what: &str, [alone, beside]: [Rate; 2], goal: &str) {
        let ratio = format!("p99 {:.1} ×", beside.p99.as_secs_f64() / alone.p99.as_secs_f64());
        self.row(what, words(beside), format!("plaza alone: {}", words(alone)), ratio, goal);
    }

    /// The same at a modest and at a high rate.
    pub fn pressed(&mut self, what: &str, [modest, high]: [Rate; 2], goal: &str) {
        let ratio = format!("p99 {:.1} ×", high.p99.as_secs_f64() / modest.p99.as_secs_f64());
        self.row(what, words(modest), format!("plaza at a high rate: {}", words(high)), ratio, goal);
    }

    /// Two times.
    pub fn times(&mut self, what: &str, [plaza, native]: [Duration; 2], goal: &str) {
        let ratio = format!("{:.1} ×", plaza.as_secs_f64() / native.as_secs_f64());
        self.row(what, time(plaza), time(native), ratio, goal);
    }

    /// The proportional set size of two processes.
    pub fn memory(&mut self, what: &str, plaza: u32, native: u32, goal: &str) {
        let (plaza, native) = (memory_mib(plaza), memory_mib(native));
        let ratio = format!("{:.1} ×", plaza / native);
        self.row(what, format!("{plaza:.1} MiB"), format!("{native:.1} MiB"), ratio, goal);
    }

    /// Prints all of it.
    pub fn print(&self, load: &Load) {
        println!(
            "\n{} connections, {} s a figure; the load comes from the same machine.\n",
            load.connections,
            load.time.as_secs()
        );
        println!("{}\n", crate::effects::CAPTION);
        println!("| what | plaza | beside it: native, or what it says | ratio | goal |\n|---|---|---|---|---|");
        for row in &self.rows {
            println!("| {} |", row.join(" | "));
        }
    }

    fn row(&mut self, what: &str, plaza: String, native: String, ratio: String, goal: &str) {
        println!("{what}: {plaza}; beside it {native}");
        self.rows.push([what.to_owned(), plaza, native, ratio, goal.to_owned()]);
    }
}

/// A rate with its latencies.
fn words(rate: Rate) -> String {
    format!("{:.0}/s, p50 {}, p99 {}", rate.per_second, time(rate.median), time(rate.p99))
}

/// A time in the unit that suits it.
pub fn time(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 1e-3 => format!("{:.2} µs", seconds * 1e6),
        seconds => format!("{:.1} ms", seconds * 1e3),
    }
}

/// What a process holds of the memory, shared pages by their share; its resident size where the system does not tell.
pub fn memory_mib(process: u32) -> f64 {
    let from = |file: &str, field: &str| {
        let text = std::fs::read_to_string(format!("/proc/{process}/{file}")).ok()?;
        let line = text.lines().find(|line| line.starts_with(field))?;
        line.split_whitespace().nth(1)?.parse::<f64>().ok()
    };
    from("smaps_rollup", "Pss:").or_else(|| from("status", "VmRSS:")).unwrap_or(f64::NAN) / 1024.0
}
