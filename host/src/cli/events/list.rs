use std::process::ExitCode;

use clap::{Args, builder::RangedU64ValueParser as Range};

use crate::{
    cli::{
        operator::{self, ControlFlags},
        output::{out, outln},
        table::aligned,
        text::harmless,
    },
    control::{Asked, LISTED, Letter, Letters, MOST_LISTED},
};

/// Letters of a reason, or of a key, that have room in a line.
const CELL: usize = 80;

/// List dead letters, the newest first.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Those of this component alone
    #[arg(long, value_name = "COMPONENT")]
    component: Option<String>,

    /// Those of this topic alone
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,

    /// How many at most
    #[arg(long, value_name = "COUNT", default_value_t = LISTED, value_parser = Range::<usize>::new().range(1..=MOST_LISTED as u64))]
    limit: usize,

    /// Print JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    control: ControlFlags,
}

impl List {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let asked = Asked { component: self.component, topic: self.topic, limit: Some(self.limit) };
        let listed: Letters = operator::run(async {
            let operator = self.control.operator()?;
            operator.ask(operator.get_from(&["dead-letters"])?.query(&asked)).await
        })?;
        if self.json {
            outln!("{}", serde_json::to_string_pretty(&listed)?);
            return Ok(ExitCode::SUCCESS);
        }
        if listed.letters.is_empty() {
            outln!("no dead letters");
        } else {
            let mut rows = vec![["name", "component", "topic", "type", "key", "since", "reason"].map(str::to_owned)];
            rows.extend(listed.letters.into_iter().map(row));
            out!("{}", aligned(&rows));
        }
        if listed.more {
            outln!("there are more; see further with --limit, --component or --topic");
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn row(letter: Letter) -> [String; 7] {
    [
        letter.name,
        letter.component,
        letter.topic,
        cell(letter.kind.as_deref().unwrap_or("cannot be read")),
        cell(&letter.key),
        letter.at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
        cell(&letter.reason),
    ]
}

fn cell(text: &str) -> String {
    let short: String = text.chars().take(CELL).collect();
    harmless(&short) + if short.len() < text.len() { "…" } else { "" }
}
