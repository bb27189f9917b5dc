use std::process::ExitCode;

use anyhow::bail;
use clap::Args;

use crate::{
    cli::{
        operator::{self, ControlFlags},
        output::outln,
        text::harmless,
    },
    control::{ReplayLine, ReplayOrder},
    events::{Outcome, Replayed},
};

/// Give dead letters to their component once more, and to no other.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plaza events replay 17 19
  plaza events replay --component lamps --all
  plaza events replay --component lamps --topic lamp-events --all
The version of the component that answers now gets the event. If it takes it, the letter is gone from the list (on Kafka its topic
keeps the message until its time is up, and the host notes that it was taken). If it rejects it again, the letter stays, with the new
reason; if it asks for it later, the letter stays as it is: replay it again then.
A letter comes late by nature: later events of its key were delivered long ago, and may be at the same time. Letters of one key are
replayed in their order with --all. A letter that is replayed twice has its effect once, as the component's inbox knows the event.
What holds no event that can be read cannot be replayed: publish a mended one on the topic.
It exits with 0 if every letter was taken.")]
pub(super) struct Replay {
    /// The letters' names in `plaza events list`
    #[arg(value_name = "NAME", required_unless_present = "all", conflicts_with = "all")]
    names: Vec<String>,

    /// Replay all of a component
    #[arg(long, requires = "component")]
    all: bool,

    /// The component whose letters --all means
    #[arg(long, value_name = "COMPONENT", requires = "all")]
    component: Option<String>,

    /// Those of this topic alone
    #[arg(long, value_name = "TOPIC", requires = "all")]
    topic: Option<String>,

    #[command(flatten)]
    control: ControlFlags,
}

/// How many letters ended how.
#[derive(Default)]
struct Tally {
    taken: u64,
    left: u64,
    ended: bool,
}

impl Replay {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let Self { names, component, topic, control, .. } = self;
        let order = ReplayOrder { names, component, topic };
        let mut tally = Tally::default();
        operator::run(async {
            let operator = control.operator()?;
            let request = operator.post_to(&["dead-letters", "replay"])?.json(&order);
            operator.lines(request, |line| tally.hear(line)).await
        })?;
        if !tally.ended {
            bail!("the host broke off; `plaza events list` tells what is left");
        }
        outln!("{} taken, {} left", tally.taken, tally.left);
        Ok(if tally.left == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl Tally {
    fn hear(&mut self, line: ReplayLine) {
        let ReplayLine::Replayed(Replayed { name, outcome, detail }) = line else {
            self.ended = true;
            return;
        };
        match outcome {
            Outcome::Taken => self.taken += 1,
            Outcome::Rejected | Outcome::Retry | Outcome::NotReplayed => self.left += 1,
        }
        let word = match outcome {
            Outcome::Taken => "taken",
            Outcome::Rejected => "rejected again",
            Outcome::Retry => "to come later",
            Outcome::NotReplayed => "not replayed",
        };
        let detail = detail.map_or_else(String::new, |detail| format!(": {}", harmless(&detail)));
        outln!("{} {word}{detail}", harmless(&name));
    }
}
