//! The steps of a change, shown as they happen.

use std::io::IsTerminal;

use super::output::{out, outln};
use crate::rollout::{Report, Step};

/// To the line's beginning, and everything behind it gone.
const AGAIN: &str = "\r\x1b[K";

/// Where the steps of one change are shown. A terminal shows a step while it goes on, which its result then takes the place of.
pub(super) struct Steps {
    terminal: bool,
    /// Whether the last line is that of a step that goes on.
    open: bool,
}

impl Steps {
    /// On the standard output.
    pub(super) fn on_stdout() -> Self {
        Self { terminal: std::io::stdout().is_terminal(), open: false }
    }

    /// Shows what has happened.
    pub(super) fn show(&mut self, report: &Report) {
        out!("{}", self.text(report));
    }

    /// Nothing more is heard of the change.
    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.open) {
            outln!("");
        }
    }

    fn text(&mut self, report: &Report) -> String {
        let before = if std::mem::take(&mut self.open) { AGAIN } else { "" };
        match report {
            Report::Begun { step } if self.terminal => {
                self.open = true;
                format!("{before}{:<12} {:>6}", word(*step), "…")
            }
            Report::Begun { .. } => String::new(),
            _ => format!("{before}{}", lines(report)),
        }
    }
}

/// Why something was not done.
pub(super) fn show_refused(reasons: &[String]) {
    out!("{}", refused("", reasons));
}

/// A line for each step that is done, and for the end.
fn lines(report: &Report) -> String {
    match report {
        Report::Begun { .. } => String::new(),
        Report::Done { step, took_ms, detail } => format!("{:<12} {took_ms:>6} ms   {detail}\n", word(*step)),
        Report::Refused { step, reasons } => {
            let place = step.map_or_else(String::new, |step| format!(" at {}", word(step)));
            refused(&place, reasons)
        }
        Report::Applied { changes, cut_off } => {
            let what = if *changes == 1 { "change" } else { "changes" };
            format!("applied: {changes} {what}{}\n", cut(*cut_off))
        }
        Report::Finished { component, active, trial, cut_off } => {
            let trial = trial.as_ref().map_or_else(String::new, |trial| format!(", {trial} is on trial"));
            format!("{component}: {active} answers{trial}{}\n", cut(*cut_off))
        }
    }
}

fn refused(place: &str, reasons: &[String]) -> String {
    let reasons = reasons.iter().map(|reason| format!("  - {reason}\n"));
    format!("refused{place}; what is served has not changed\n{}", reasons.collect::<String>())
}

fn cut(cut_off: usize) -> String {
    if cut_off == 0 { String::new() } else { format!("; {cut_off} requests were cut off") }
}

fn word(step: Step) -> &'static str {
    match step {
        Step::Check => "check",
        Step::Compile => "compile",
        Step::Contract => "contract",
        Step::Keep => "keep",
        Step::Migrate => "migrate",
        Step::Instantiate => "instantiate",
        Step::Probe => "probe",
        Step::Switch => "switch",
        Step::Drain => "drain",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(terminal: bool, reports: &[Report]) -> String {
        let mut steps = Steps { terminal, open: false };
        reports.iter().map(|report| steps.text(report)).collect()
    }

    fn begun(step: Step) -> Report {
        Report::Begun { step }
    }

    fn done(step: Step) -> Report {
        Report::Done { step, took_ms: 412, detail: "compiled".to_owned() }
    }

    const DONE: &str = "compile         412 ms   compiled\n";

    #[test]
    fn a_terminal_shows_a_step_while_it_goes_on_and_its_result_in_its_place() {
        assert_eq!(shown(true, &[begun(Step::Compile)]), "compile           …");
        let both = shown(true, &[begun(Step::Compile), done(Step::Compile)]);
        assert_eq!(both, format!("compile           …{AGAIN}{DONE}"));
        let refused = Report::Refused { step: Some(Step::Probe), reasons: vec!["it is not there".to_owned()] };
        let text = shown(true, &[begun(Step::Probe), refused]);
        let end = format!("{AGAIN}refused at probe; what is served has not changed\n  - it is not there\n");
        assert!(text.ends_with(&end), "{text:?}");
    }

    #[test]
    fn elsewhere_a_step_is_told_of_once_it_is_done() {
        assert_eq!(shown(false, &[begun(Step::Compile), done(Step::Compile)]), DONE);
    }
}
