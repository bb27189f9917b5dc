//! The form of what goes over the wire, pinned: the other side may be of another version of the shop.

use kit::internal::Octets;
use serde::{Serialize, de::DeserializeOwned};

use crate::bindings::exports::shop::orders::readiness as orders;
use crate::bindings::exports::shop::payments::{provider, readiness as payments};
use crate::bindings::exports::shop::products::inventory;
use crate::bindings::exports::shop::users::directory;

/// Reads each text as a `T`, which must be written as it was.
#[track_caller]
fn are_read_and_written_so<T: DeserializeOwned + Serialize>(texts: &[&str]) {
    for text in texts {
        let value: T = serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(serde_json::to_string(&value).unwrap(), *text);
    }
}

#[test]
fn accounts_and_why_there_is_none() {
    are_read_and_written_so::<Result<directory::User, directory::Error>>(&[
        r#"{"Ok":{"id":7,"name":"Ada","email":"ada@example.com","active":true,"role":"Customer"}}"#,
        r#"{"Ok":{"id":1,"name":"Root","email":"admin@example.com","active":false,"role":"Admin"}}"#,
        r#"{"Err":"NotFound"}"#,
        r#"{"Err":{"Unavailable":"the accounts cannot be read just now"}}"#,
    ]);
}

#[test]
fn stock_and_why_it_was_not_taken() {
    are_read_and_written_so::<(String, Vec<inventory::Line>, u32, Option<String>)>(&[
        r#"["reservation",[{"product_id":7,"quantity":2}],60,"00-aa-bb-01"]"#,
        r#"["reservation",[],60,null]"#,
    ]);
    are_read_and_written_so::<Result<Vec<inventory::ReservedLine>, inventory::Error>>(&[
        r#"{"Ok":[{"product_id":7,"quantity":2,"name":"Teapot","price_minor":1999,"currency":"EUR"}]}"#,
        r#"{"Err":{"UnknownProducts":[1,2]}}"#,
        r#"{"Err":{"OutOfStock":[{"product_id":7,"wanted":6,"available":5}]}}"#,
        r#"{"Err":"NotFound"}"#,
        r#"{"Err":"Undone"}"#,
        r#"{"Err":{"Unavailable":"later"}}"#,
    ]);
    are_read_and_written_so::<Result<(), inventory::Error>>(&[r#"{"Ok":null}"#]);
}

#[test]
fn readiness() {
    are_read_and_written_so::<Result<bool, orders::Error>>(&[r#"{"Ok":true}"#, r#"{"Err":{"Unavailable":"away"}}"#]);
    are_read_and_written_so::<Result<(), payments::Error>>(&[r#"{"Ok":null}"#, r#"{"Err":{"Unavailable":"away"}}"#]);
}

#[test]
fn money_that_moves() {
    are_read_and_written_so::<(provider::ChargeRequest,)>(&[
        r#"[{"provider":"sandbox","key":"payment-1-1","amount_minor":3998,"currency":"EUR","token":"tok_ok","payment_id":1}]"#,
    ]);
    are_read_and_written_so::<(provider::RefundRequest,)>(&[
        r#"[{"provider":"sandbox","key":"refund-1","charge_id":"ch_1","amount_minor":100}]"#,
    ]);
    are_read_and_written_so::<Result<provider::Outcome, provider::Error>>(&[
        r#"{"Ok":{"Succeeded":"ch_1"}}"#,
        r#"{"Ok":{"Declined":"card_declined"}}"#,
        r#"{"Ok":{"ActionRequired":"https://sandbox.example/3ds/ch_1"}}"#,
        r#"{"Ok":"Pending"}"#,
        r#"{"Err":{"Invalid":"it is no token of the sandbox"}}"#,
        r#"{"Err":"NotFound"}"#,
        r#"{"Err":{"Unavailable":"later"}}"#,
    ]);
    are_read_and_written_so::<(Vec<(String, String)>, Octets)>(&[r#"[[["webhook-timestamp","1"]],"e30="]"#]);
    are_read_and_written_so::<Result<provider::Notice, provider::Error>>(&[
        r#"{"Ok":{"id":"evt_1","key":"payment-1-1","outcome":"Pending"}}"#,
    ]);
}
