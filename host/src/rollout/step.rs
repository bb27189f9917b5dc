//! What happens in a deploy, step by step, for whoever watches it.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

/// A step of a deploy, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The manifest is read again and held against what is served.
    Check,
    /// Its bytes are compiled, unless this host has compiled them before.
    Compile,
    /// Its imports and exports are held against those of every component it deals with, and against the manifest's grants.
    Contract,
    /// It is kept, under a number.
    Keep,
    /// Its new migrations are applied.
    Migrate,
    /// Instances are made: one in any case, and as many as the version before has.
    Instantiate,
    /// One request is sent to it alone.
    Probe,
    /// From now on it answers.
    Switch,
    /// The version before finishes what it has.
    Drain,
}

/// What a watcher is told; one JSON object a line on the control port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Report {
    /// A step begins.
    Begun {
        /// Which.
        step: Step,
    },
    /// A step is done.
    Done {
        /// Which.
        step: Step,
        /// How long it took.
        took_ms: u64,
        /// What came of it, for people.
        detail: String,
    },
    /// It ends here, and what is served has not changed.
    Refused {
        /// The step that failed; none where it did not come so far.
        step: Option<Step>,
        /// Why, each with what to do.
        reasons: Vec<String>,
    },
    /// A manifest is served.
    Applied {
        /// What changed.
        changes: usize,
        /// Requests and calls that were cut off.
        cut_off: usize,
    },
    /// It went through.
    Finished {
        /// The component.
        component: String,
        /// The version that answers now.
        active: String,
        /// The version on trial.
        trial: Option<String>,
        /// Requests and calls that were cut off.
        cut_off: usize,
    },
}

/// Why a deploy, a rollback or a promotion was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", reasons.join("; "))]
pub struct Refused {
    /// The step that failed.
    pub step: Option<Step>,
    /// Why, each with what to do.
    pub reasons: Vec<String>,
}

impl Refused {
    /// Before the first step.
    pub fn at_once(reason: impl Into<String>) -> Self {
        Self { step: None, reasons: vec![reason.into()] }
    }
}

/// Tells a watcher, if there is one. That nobody listens any more stops nothing.
#[derive(Clone)]
pub struct Progress(Option<mpsc::UnboundedSender<Report>>);

impl Progress {
    /// For nobody.
    pub fn untold() -> Self {
        Self(None)
    }

    /// For who receives.
    pub fn told() -> (Self, mpsc::UnboundedReceiver<Report>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(Some(sender)), receiver)
    }

    /// Tells one thing.
    pub fn tell(&self, report: Report) {
        if let Some(sender) = &self.0 {
            _ = sender.send(report);
        }
    }

    /// Does a step, told of before and after.
    pub async fn step<T>(
        &self,
        step: Step,
        work: impl Future<Output = Result<(T, String), Vec<String>>>,
    ) -> Result<T, Refused> {
        self.tell(Report::Begun { step });
        let began = Instant::now();
        match work.await {
            Ok((made, detail)) => {
                self.tell(Report::Done { step, took_ms: milliseconds(began.elapsed()), detail });
                Ok(made)
            }
            Err(reasons) => Err(Refused { step: Some(step), reasons }),
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
