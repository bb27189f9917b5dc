use std::process::ExitCode;

use clap::Args;

use crate::{
    cli::{
        operator::{self, ControlFlags},
        output::outln,
        text::{harmless, pretty},
    },
    control::WholeLetter,
    events::Body,
};

/// Show all of a dead letter.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plaza events show 17
  plaza events show lamp-events.lamps.dlq:3:1207     on Kafka: topic, partition, offset
What a terminal might obey is escaped; --json has everything as it is.")]
pub(super) struct Show {
    /// The letter's name in `plaza events list`
    name: String,

    /// Print JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    control: ControlFlags,
}

impl Show {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let letter: WholeLetter = operator::run(async {
            let operator = self.control.operator()?;
            operator.ask(operator.get_from(&["dead-letters", &self.name])?).await
        })?;
        if self.json {
            outln!("{}", serde_json::to_string_pretty(&letter)?);
        } else {
            print(letter);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn print(whole: WholeLetter) {
    let WholeLetter { letter, id, source, time, traceparent, fault, headers, value } = whole;
    let line = |name: &str, value: &str| outln!("{name:<12} {}", harmless(value));
    let known = |name: &str, value: Option<String>| value.iter().for_each(|value| line(name, value));
    line("name", &letter.name);
    line("component", &letter.component);
    line("topic", &letter.topic);
    line("key", &letter.key);
    known("type", letter.kind);
    known("id", id);
    known("source", source);
    known("time", time);
    known("traceparent", traceparent);
    line("since", &letter.at.format("%Y-%m-%d %H:%M:%S UTC").to_string());
    line("reason", &letter.reason);
    known("fault", fault);
    line("replays", &letter.replays.to_string());
    headers.iter().for_each(|(name, value)| outln!("header       {}: {}", harmless(name), harmless(value)));
    match value {
        Body::Nothing => outln!("no value"),
        Body::Text(text) => outln!("value\n{}", pretty(&text)),
        Body::Escaped(bytes) => outln!("value, which is no text\n{bytes}"),
    }
}
