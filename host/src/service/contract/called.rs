//! What the host itself calls of a component because the manifest says so, and the types that it hands over and takes back. Pure.

use std::{collections::BTreeMap, sync::LazyLock};

use super::{Function, Interface, Mismatch, Shape, Surface, missing};
use crate::redis_trigger;

/// The interface of subscribers.
pub const SUBSCRIBER: &str = "plaza:events/subscriber@1.0.0";
/// The interface of components that work by the clock.
pub const TASK: &str = "plaza:schedule/task@1.0.0";
/// The function that hears messages of Redis, in each of the interfaces that have it.
pub const HANDLE_MESSAGE: &str = "handle-message";

/// The host, as if it were a consumer.
static HOST: LazyLock<Surface> = LazyLock::new(|| {
    let interface = |name: &str, function: &str, ty: Function| {
        let functions = BTreeMap::from([(function.to_owned(), ty)]);
        (name.to_owned(), Interface { functions, resources: Vec::new() })
    };
    let imports = [interface(SUBSCRIBER, "handle", handle()), interface(TASK, "tick", tick())];
    Surface { imports: BTreeMap::from(imports), exports: BTreeMap::new() }
});

/// How [`SUBSCRIBER`] or [`TASK`] differs in a component that exports it from what the host calls.
pub fn unfit(surface: &Surface, interface: &str) -> Vec<Mismatch> {
    if surface.provides(interface).is_some() { missing(&HOST, surface, interface) } else { Vec::new() }
}

/// How what hears messages of Redis differs in a component that exports it from what the host calls. The interfaces have errors of
/// different types, each of which the host understands.
pub fn unfit_for_messages(surface: &Surface) -> Vec<Mismatch> {
    let bytes = Shape::List(Box::new(Shape::Plain("u8")));
    let hears = |function: &Function| {
        matches!(&*function.params, [(_, message)] if *message == bytes)
            && matches!(function.result, Some(Shape::Result(None, _)))
    };
    let handlers = surface.exports.iter().filter(|(name, _)| redis_trigger::is_handler(name));
    let differing = |(name, interface): (&String, &Interface)| {
        let found = interface.functions.get(HANDLE_MESSAGE);
        let text = found.map_or_else(|| "no such function".to_owned(), ToString::to_string);
        let expected = "a function of one list<u8> that returns a result without a value".to_owned();
        (!found.is_some_and(hears)).then(|| Mismatch::one(name, HANDLE_MESSAGE, expected, text))
    };
    handlers.filter_map(differing).collect()
}

fn handle() -> Function {
    let text = || Shape::Plain("string");
    let named = |name: &str, shape: Shape| (name.to_owned(), shape);
    let event = Shape::Record(vec![
        named("id", text()),
        named("topic", text()),
        named("key", text()),
        named("type", text()),
        named("source", text()),
        named("time", text()),
        named("traceparent", Shape::Option(Box::new(text()))),
        named("value", text()),
        named("attempt", Shape::Plain("u32")),
    ]);
    let case = |name: &str| (name.to_owned(), Some(text()));
    let failure = Shape::Variant(vec![case("retry"), case("reject")]);
    let result = Some(Shape::Result(None, Some(Box::new(failure))));
    Function { asynchronous: true, params: vec![named("event", event)], result }
}

fn tick() -> Function {
    let result = Some(Shape::Result(None, Some(Box::new(Shape::Plain("string")))));
    Function { asynchronous: true, params: Vec::new(), result }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::surface_of, *};

    const EVENTS: &str = include_str!("../../../../wit/plaza/events/subscriber.wit");
    const SCHEDULE: &str = include_str!("../../../../wit/plaza/schedule/task.wit");

    #[test]
    fn components_that_are_built_against_the_published_interfaces_fit() {
        let (subscribing, scheduled) = (surface_of(EVENTS, "subscribing"), surface_of(SCHEDULE, "scheduled"));
        assert!(subscribing.provides(SUBSCRIBER).is_some() && scheduled.provides(TASK).is_some());
        assert_eq!(unfit(&subscribing, SUBSCRIBER), []);
        assert_eq!(unfit(&scheduled, TASK), []);
    }

    #[test]
    fn a_subscriber_with_another_event_does_not_fit_and_both_types_are_told() {
        let shorter = EVENTS.replace("attempt: u32,", "");
        let found = unfit(&surface_of(&shorter, "subscribing"), SUBSCRIBER);
        let [found] = &*found else { panic!("{found:?}") };
        assert_eq!(found.function.as_deref(), Some("handle"));
        assert!(found.expected.contains("value: string, attempt: u32 }"), "{found}");
        assert!(found.found.contains("value: string }"), "{found}");
    }

    #[test]
    fn a_task_that_says_nothing_and_one_that_does_nothing_do_not_fit() {
        let silent = SCHEDULE.replace(" -> result<_, string>", "");
        let found = unfit(&surface_of(&silent, "scheduled"), TASK);
        let expected = "plaza:schedule/task@1.0.0#tick: expected async func() -> result<_, string>, found async func()";
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
        let idle = SCHEDULE.replace("tick:", "rest:");
        assert_eq!(unfit(&surface_of(&idle, "scheduled"), TASK)[0].found, "no such function");
    }

    #[test]
    fn what_hears_messages_takes_bytes_whatever_its_errors_are() {
        let hears = |function: &str| {
            surface_of(
                &format!(
                    "package spin:redis@3.0.0; world it {{ export inbound-redis; }}
                     interface inbound-redis {{ variant error {{ other(string) }} {function} }}"
                ),
                "it",
            )
        };
        let bytes = "handle-message: async func(message: list<u8>) -> result<_, error>;";
        assert_eq!(unfit_for_messages(&hears(bytes)), []);
        assert_eq!(unfit_for_messages(&hears(&bytes.replace("error>", "string>"))), []);
        for other in [
            bytes.replace("list<u8>", "string"),
            bytes.replace("<_, ", "<u8, "),
            bytes.replace("(message", "(one: u8, message"),
        ] {
            assert_eq!(unfit_for_messages(&hears(&other)).len(), 1, "{other}");
        }
        assert_eq!(unfit_for_messages(&hears(&bytes.replace("handle-message", "hear")))[0].found, "no such function");
    }
}
