//! Trace contexts, as clients send them and events carry them.

use crate::shop::fresh_key;

/// A trace that no other test asks in, and the trace context of a span of it.
pub fn fresh_trace() -> (String, String) {
    let number: String = fresh_key().chars().filter(char::is_ascii_digit).collect();
    let trace = format!("{:0>32}", format!("{number}{:08}", std::process::id()));
    let parent = format!("00-{trace}-b7ad6b7169203331-01");
    (trace, parent)
}

/// The trace that a trace context is of.
///
/// # Panics
/// If it is none.
#[track_caller]
pub fn trace_of(traceparent: &str) -> String {
    let parts: Vec<&str> = traceparent.split('-').collect();
    match parts.as_slice() {
        ["00", trace, _, _] if trace.len() == 32 => (*trace).to_owned(),
        _ => panic!("{traceparent} is no trace context"),
    }
}
