//! `[[trigger.redis]]` and `[application.trigger.redis]`.

use std::path::Path;

use super::{
    Draft,
    app::ChannelTrigger,
    component,
    section::{Node, Section},
    template::Template,
    trigger,
};

/// The keys of a trigger.
pub(super) const KEYS: &[&str] = &["id", "component", "components", "dependencies", "address", "channel"];

/// The keys for all of them.
pub(super) const GLOBAL: &[&str] = &["address"];

/// Where channels are of which the trigger does not say it.
pub(super) fn read_global(triggers: &Section<'_>) -> Option<Template> {
    component::read_template(&triggers.get("redis")?.section(GLOBAL)?.get("address")?)
}

/// Reads one trigger.
pub(super) fn read(base: &Path, number: usize, node: &Node<'_>, draft: &mut Draft) {
    let Some(section) = node.section(KEYS) else {
        return;
    };
    let id = trigger::read_id(&section, draft);
    section.refuse("components", "a Redis trigger has one `component`");
    section.refuse("dependencies", "write them under `[component.<id>.dependencies]`");
    let channel = section.require("channel", "channel = \"messages\"").and_then(|node| read_channel(&node));
    let address = match section.get("address") {
        Some(node) => component::read_template(&node),
        None => draft.redis_address.clone().or_else(|| {
            let remedy = "add `address = \"redis://localhost:6379\"`, or write it under `[application.trigger.redis]` for all of them";
            node.fault("the trigger does not say on which Redis its channel is", remedy);
            None
        }),
    };
    let Some(component) = trigger::read_component(base, "redis", number, id, &section, draft) else {
        return;
    };
    if let (Some(channel), Some(address)) = (channel, address) {
        let line = section.get("channel").map_or_else(|| node.line(), |channel| channel.line());
        draft.channels.push((line, ChannelTrigger { component, channel, address }));
    }
}

fn read_channel(node: &Node<'_>) -> Option<Template> {
    if node.is_string() && node.is_empty() {
        node.fault("a channel without a name", "write the channel's name");
        return None;
    }
    component::read_template(node)
}
