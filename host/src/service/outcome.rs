//! How a request or a call ended, as far as a version is to blame for it. Pure.

use wasmtime::component::Val;

use super::{call::Guard, contract::called::SUBSCRIBER, export::Export, failure::Failure, job::Answer, tally::Ended};
use crate::{manifest::import::same_interface, redis_trigger};

/// How it ended; `export` is what was called, `None` of an HTTP request.
pub fn ended(export: Option<&Export>, answer: &Result<(Answer, Guard), Failure>) -> Ended {
    match answer {
        Ok((Answer::Http(response), _)) if response.status().is_server_error() => Ended::Badly,
        Ok((Answer::Call(results), _)) if export.is_some_and(|export| owns_up(export, results)) => Ended::Badly,
        Ok(_) => Ended::Well,
        Err(_) => Ended::Failed,
    }
}

/// Whether a call's results own up to a fault, as a status from 500 on does: a subscriber did not take an event, a handler did not take
/// a message, or a function says that it is `unavailable`. Other errors are answers like any other.
fn owns_up(export: &Export, results: &[Val]) -> bool {
    let Some(Val::Result(Err(Some(error)))) = results.first() else { return false };
    match &**error {
        Val::Variant(case, _) | Val::Enum(case) => match case.as_str() {
            "unavailable" => true,
            "retry" | "reject" => same_interface(export.interface(), SUBSCRIBER),
            "success" => false,
            _ => redis_trigger::is_handler(export.interface()),
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::call::Presence;

    fn ended_with(interface: &str, result: Result<Option<Box<Val>>, Option<Box<Val>>>) -> Ended {
        let answer = Ok((Answer::Call(vec![Val::Result(result)]), Presence::new().0));
        ended(Some(&Export::new(interface, "do")), &answer)
    }

    fn case(name: &str) -> Result<Option<Box<Val>>, Option<Box<Val>>> {
        Err(Some(Box::new(Val::Variant(name.to_owned(), Some(Box::new(Val::String("why".to_owned())))))))
    }

    #[test]
    fn an_event_that_a_subscriber_does_not_take_counts_as_bad() {
        let subscriber = "plaza:events/subscriber@1.0.0";
        assert_eq!(ended_with(subscriber, case("retry")), Ended::Badly);
        assert_eq!(ended_with(subscriber, case("reject")), Ended::Badly);
        assert_eq!(ended_with(subscriber, Ok(None)), Ended::Well);
    }

    #[test]
    fn a_message_that_a_handler_does_not_take_counts_as_bad() {
        let handler = "spin:redis/inbound-redis@3.0.0";
        assert_eq!(ended_with(handler, case("other")), Ended::Badly);
        assert_eq!(ended_with(handler, Ok(None)), Ended::Well);
        let older = |case: &str| Err(Some(Box::new(Val::Enum(case.to_owned()))));
        assert_eq!(ended_with("fermyon:spin/inbound-redis", older("error")), Ended::Badly);
        assert_eq!(ended_with("fermyon:spin/inbound-redis", older("success")), Ended::Well);
    }

    #[test]
    fn a_call_that_says_it_is_unavailable_counts_as_bad_and_other_errors_do_not() {
        let directory = "example:users/directory@1.0.0";
        assert_eq!(ended_with(directory, case("unavailable")), Ended::Badly);
        assert_eq!(ended_with(directory, Err(Some(Box::new(Val::Enum("unavailable".to_owned()))))), Ended::Badly);
        assert_eq!(ended_with(directory, case("not-found")), Ended::Well);
        assert_eq!(ended_with(directory, case("reject")), Ended::Well);
        assert_eq!(ended_with(directory, Err(None)), Ended::Well);
    }
}
