//! What the swaps of a service came to.

use std::{
    fmt,
    time::{Duration, Instant},
};

use super::{
    crowd::{Asked, Told},
    deployment::Deployment,
};
use crate::table::time;

/// Half of the second around a swap.
const HALF: Duration = Duration::from_millis(500);
/// So far apart are the points at which it is looked at more closely.
const STEP: Duration = Duration::from_millis(100);
/// Failures that are printed in full.
const FAILURES_SHOWN: usize = 5;

/// Of one service.
pub struct Figures {
    service: &'static str,
    swaps: usize,
    requests: usize,
    /// Requests a second that were answered, from the first that was due to the last.
    rate: f64,
    failures: Vec<String>,
    /// p99 while nothing was replaced: before the first swap, and in the second before each command.
    steady: Duration,
    /// How many processors were busy before the first swap: of a machine that is nearly full these figures tell more than of the swaps.
    busy: f64,
    /// p99 in the seconds around all swaps, around those of bytes that were known, and of new ones, which are compiled meanwhile.
    around: [Duration; 3],
    /// p99 of what was due in each tenth of these seconds: where in them it is that customers wait.
    courses: [Vec<Duration>; 2],
    /// From the command to the first answer of the new version, half of the swaps took no longer: known and new bytes.
    to_active: [Duration; 2],
    /// The same to the end of the command.
    to_end: Duration,
}

impl Figures {
    /// Works them out; nothing was replaced from `before.0` to `before.1`, when so many processors were busy.
    pub fn of(
        service: &'static str,
        told: &Told,
        (before, busy): ((Instant, Instant), f64),
        deployments: &[Deployment],
    ) -> Self {
        let still = deployments.iter().map(|swap| (swap.began - 2 * HALF, swap.began)).chain([before]);
        let still: Vec<(Instant, Instant)> = still.collect();
        let is_steady = |asked: &&Asked| still.iter().any(|(from, to)| *from <= asked.due && asked.due < *to);
        let all: Vec<_> = deployments.iter().collect();
        let (known, new): (Vec<_>, Vec<_>) = all.iter().partition(|deployment| !deployment.new);
        let around = |swaps: &[&Deployment]| {
            p99(told.good.iter().filter(|asked| swaps.iter().any(|swap| is_around(asked, swap.switched))))
        };
        let to_active = |swaps: &[&Deployment]| median(swaps.iter().map(|swap| swap.to_active).collect());
        Self {
            service,
            swaps: deployments.len(),
            requests: told.good.len() + told.failures.len(),
            rate: rate(told),
            failures: told.failures.clone(),
            steady: p99(told.good.iter().filter(is_steady)),
            busy,
            around: [around(&all), around(&known), around(&new)],
            courses: [course(told, &known), course(told, &new)],
            to_active: [to_active(&known), to_active(&new)],
            to_end: median(deployments.iter().map(|swap| swap.to_end).collect()),
        }
    }

    /// Whether every request had a good answer.
    pub fn nothing_failed(&self) -> bool {
        self.failures.is_empty()
    }

    /// One row for each service.
    pub fn print_table(rows: &[Self]) {
        println!(
            "| service | swaps | requests | a second | failed | busy | p99 steady | p99 around a swap | … of known bytes | … of new bytes | to active | … of new bytes | to the end |"
        );
        println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
        for row in rows {
            let [all, known, new] =
                row.around.map(|p99| format!("{} ({:.1} ×)", time(p99), p99.as_secs_f64() / row.steady.as_secs_f64()));
            let [to_active_known, to_active_new] = row.to_active;
            println!(
                "| {} | {} | {} | {:.0} | {} | {:.2} | {} | {all} | {known} | {new} | {} | {} | {} |",
                row.service,
                row.swaps,
                row.requests,
                row.rate,
                row.failures.len(),
                row.busy,
                time(row.steady),
                time(to_active_known),
                time(to_active_new),
                time(row.to_end),
            );
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, swaps, requests, failures, steady, courses, .. } = self;
        let failed = failures.len();
        write!(
            f,
            "{service}: {swaps} swaps, {requests} requests, {failed} failed; p99 steady {}, by the tenths of the second",
            time(*steady)
        )?;
        for (bytes, course) in ["known", "new"].iter().zip(courses) {
            write!(f, "\n  around {bytes} bytes:")?;
            course.iter().try_for_each(|time_of_tenth| write!(f, " {}", time(*time_of_tenth)))?;
        }
        failures.iter().take(FAILURES_SHOWN).try_for_each(|failure| write!(f, "\n  {failure}"))
    }
}

fn rate(told: &Told) -> f64 {
    let first = told.good.iter().map(|asked| asked.due).min();
    let last = told.good.iter().map(|asked| asked.due + asked.took).max();
    first.zip(last).map_or(0.0, |(first, last)| told.good.len() as f64 / (last - first).as_secs_f64())
}

fn course(told: &Told, deployments: &[&Deployment]) -> Vec<Duration> {
    let tenth_of = |asked: &Asked| {
        let around = deployments.iter().find(|swap| is_around(asked, swap.switched))?;
        Some((asked.due + HALF).duration_since(around.switched).as_millis() / STEP.as_millis())
    };
    let mut tenths = vec![Vec::new(); (2 * HALF.as_millis() / STEP.as_millis()) as usize];
    for asked in &told.good {
        let tenth = tenth_of(asked).and_then(|tenth| tenths.get_mut(usize::try_from(tenth).ok()?));
        tenth.into_iter().for_each(|times| times.push(asked.took));
    }
    tenths.into_iter().map(|times| place(times, 0.99)).collect()
}

fn is_around(asked: &Asked, switched: Instant) -> bool {
    asked.due.max(switched).duration_since(asked.due.min(switched)) <= HALF
}

fn p99<'a>(asked: impl Iterator<Item = &'a Asked>) -> Duration {
    place(asked.map(|asked| asked.took).collect(), 0.99)
}

fn median(times: Vec<Duration>) -> Duration {
    place(times, 0.5)
}

/// The time that so large a share of them does not pass; zero where there are none.
fn place(mut times: Vec<Duration>, share: f64) -> Duration {
    times.sort_unstable();
    times.get((times.len().saturating_sub(1) as f64 * share) as usize).copied().unwrap_or_default()
}
