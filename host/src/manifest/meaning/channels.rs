//! The same of Redis triggers.

use super::{Fault, Reading, name};
use crate::{
    manifest::{app::ChannelTrigger, template::Template},
    redis_connection::RedisAddress,
};

pub(super) fn faults(reading: &Reading, faults: &mut Vec<Fault>) {
    let channels = &reading.draft.channels;
    for (number, (line, trigger)) in channels.iter().enumerate() {
        let mut fault =
            |message: String, remedy: String| faults.push(Fault::new(&reading.file, Some(*line), message, remedy));
        let ChannelTrigger { component, channel, address } = trigger;
        if channels.iter().take(number).any(|(_, earlier)| earlier == trigger) {
            let message = format!("`{component}` hears the channel `{channel}` twice");
            fault(message, "take one of the two triggers out".to_owned());
        }
        for template in [channel, address] {
            for (variable, remedy) in undeclared(reading, template) {
                fault(format!("the trigger names the variable `{variable}`, which is not declared"), remedy);
            }
        }
        // What a variable will hold is not known yet. The address may have a password in it, so it is not shown.
        let filled = address.fill(|_| Some("1")).ok().filter(|_| !address.to_string().starts_with("{{"));
        if let Some(Err(problem)) = filled.map(|address| RedisAddress::parse(&address)) {
            fault(format!("the channel `{channel}` is at no address of a Redis"), problem.to_string());
        }
    }
}

/// Variables that nobody declares, each with what to do.
fn undeclared(reading: &Reading, template: &Template) -> Vec<(String, String)> {
    let known = &reading.app.variables;
    let unknown = template.variables().filter(|variable| !known.contains_key(*variable));
    let advised = unknown.map(|variable| {
        let remedy = match name::nearest(variable, known.keys().map(String::as_str)) {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("add `{variable} = {{ required = true }}` under `[variables]`"),
        };
        (variable.to_owned(), remedy)
    });
    advised.collect()
}
