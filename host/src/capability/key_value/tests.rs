use std::collections::BTreeMap;

use wasmtime::component::Linker;

use super::{swap::Remembered, *};
use crate::{
    limits::{KEY_VALUE_KEY_BYTES, KEY_VALUE_KEYS_AT_ONCE, KEY_VALUE_VALUE_BYTES},
    manifest::runtime_config::{Place, StorePlace},
    redis_connection::{RedisAddress, fake},
};

const ANSWER_BYTES: usize = 1 << 20;

/// A store in memory.
fn store() -> Store {
    store_in(Place::Memory, "default")
}

fn store_in(place: Place, label: &str) -> Store {
    let stores = Stores::new(BTreeMap::from([(label.to_owned(), StorePlace::Sqlite(place))]), None);
    stores.grant(&[label.to_owned()], ANSWER_BYTES).unwrap()[label].clone()
}

fn key(number: usize) -> String {
    format!("key-{number:05}")
}

#[tokio::test]
async fn a_value_is_read_replaced_and_removed() {
    let store = store();
    assert_eq!(store.get("a".into()).await.unwrap(), None);
    for value in [b"one".to_vec(), Vec::new(), vec![0, 255]] {
        store.set("a".into(), value.clone()).await.unwrap();
        assert_eq!(store.get("a".into()).await.unwrap(), Some(value));
    }
    assert!(store.exists("a".into()).await.unwrap());
    store.delete("a".into()).await.unwrap();
    store.delete("a".into()).await.unwrap();
    assert!(!store.exists("a".into()).await.unwrap());
}

#[tokio::test]
async fn stores_in_one_file_do_not_see_one_another_and_last() {
    let folder = tempfile::tempdir().unwrap();
    let place = || Place::File(folder.path().join("stores.db"));
    store_in(place(), "one").set("a".into(), b"1".to_vec()).await.unwrap();
    assert_eq!(store_in(place(), "two").get("a".into()).await.unwrap(), None);
    assert_eq!(store_in(place(), "one").get("a".into()).await.unwrap(), Some(b"1".to_vec()));
}

#[tokio::test]
async fn keys_come_page_by_page_and_each_once() {
    let store = store();
    let count = KEY_VALUE_KEYS_AT_ONCE + 1;
    let mut expected: Vec<String> = (1..count).map(key).collect();
    expected.insert(0, String::new());
    store.set_many(expected[1..].iter().map(|key| (key.clone(), Vec::new())).collect()).await.unwrap();
    assert!(store.page(None).await.unwrap().cursor.is_none(), "a full page may be the last");
    store.set(String::new(), Vec::new()).await.unwrap();
    let first = store.page(None).await.unwrap();
    assert_eq!(first.keys.len(), KEY_VALUE_KEYS_AT_ONCE);
    let second = store.page(first.cursor).await.unwrap();
    assert!(second.cursor.is_none());
    assert_eq!([first.keys, second.keys].concat(), expected);
    assert_eq!(store.keys().await.unwrap(), expected);
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_nothing_of_it_is_kept() {
    let store = store();
    let refused = |outcome: Result<(), Failure>| matches!(outcome, Err(Failure::Refused(_)));
    assert!(refused(store.set("k".repeat(KEY_VALUE_KEY_BYTES + 1), Vec::new()).await));
    assert!(refused(store.set("k".into(), vec![0; KEY_VALUE_VALUE_BYTES + 1]).await));
    let long = "k".repeat(KEY_VALUE_KEY_BYTES + 1);
    assert!(refused(store.set_many(vec![("a".into(), Vec::new()), (long, Vec::new())]).await));
    assert!(refused(store.delete_many((0..=KEY_VALUE_KEYS_AT_ONCE).map(key).collect()).await));
    assert_eq!(store.keys().await.unwrap(), [] as [&str; 0]);

    let half = vec![0; ANSWER_BYTES / 2];
    store.set_many(vec![("a".into(), half.clone()), ("b".into(), half.clone())]).await.unwrap();
    assert!(store.get_many(vec!["a".into()]).await.is_ok());
    assert!(refused(store.get_many(vec!["a".into(), "b".into()]).await.map(drop)));
}

#[tokio::test]
async fn many_keys_are_answered_in_their_order_the_missing_ones_too() {
    let store = store();
    store.set_many(vec![("a".into(), b"1".to_vec()), ("c".into(), b"3".to_vec())]).await.unwrap();
    let found = store.get_many(["c", "b", "a", "c"].map(str::to_owned).to_vec()).await.unwrap();
    let values: Vec<_> = found.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
    assert_eq!(values, [("c", Some(&b"3"[..])), ("b", None), ("a", Some(&b"1"[..])), ("c", Some(&b"3"[..]))]);
}

#[tokio::test]
async fn a_number_is_counted_up_by_many_at_once() {
    let store = store();
    let counting = (0..100).map(|_| store.increment("n".into(), 2));
    assert!(futures::future::join_all(counting).await.iter().all(Result::is_ok));
    assert_eq!(store.increment("n".into(), -1).await.unwrap(), 199);
    store.increment("n".into(), i64::MAX - 199).await.unwrap();
    assert!(store.increment("n".into(), 1).await.is_err(), "there is no larger number");
    store.set("n".into(), b"text".to_vec()).await.unwrap();
    assert!(store.increment("n".into(), 1).await.is_err(), "a text is no number");
}

#[tokio::test]
async fn a_swap_takes_place_only_while_nobody_else_writes() {
    let store = store();
    let remembered = async || Remembered::new(store.clone(), "a".into()).await.unwrap();
    let (first, second) = (remembered().await, remembered().await);
    assert!(first.swap(b"first".to_vec()).await.unwrap().is_none());
    let again = second.swap(b"second".to_vec()).await.unwrap().expect("the first was quicker");
    assert_eq!(store.get("a".into()).await.unwrap(), Some(b"first".to_vec()));
    assert!(again.swap(b"second".to_vec()).await.unwrap().is_none(), "the new handle knows the new value");
    assert_eq!(store.get("a".into()).await.unwrap(), Some(b"second".to_vec()));
}

/// A store on a server that answers everything alike.
async fn answered(answer: &'static [u8]) -> Store {
    let (port, _lefts) = fake::serve(answer).await;
    let address = RedisAddress::parse(&format!("redis://127.0.0.1:{port}")).unwrap();
    let stores = Stores::new(BTreeMap::from([("far".to_owned(), StorePlace::Redis(address))]), None);
    stores.grant(&["far".to_owned()], ANSWER_BYTES).unwrap()["far"].clone()
}

#[tokio::test]
async fn what_a_redis_server_says_is_the_answer() {
    assert_eq!(answered(b"$3\r\none\r\n").await.get("a".into()).await.unwrap(), Some(b"one".to_vec()));
    assert_eq!(answered(b"$-1\r\n").await.get("a".into()).await.unwrap(), None);
    assert!(answered(b":1\r\n").await.exists("a".into()).await.unwrap());
    assert_eq!(answered(b":7\r\n").await.increment("a".into(), 7).await.unwrap(), 7);
    answered(b"+OK\r\n").await.set("a".into(), Vec::new()).await.unwrap();
    let found = answered(b"*2\r\n$1\r\n1\r\n$-1\r\n").await.get_many(vec!["a".into(), "b".into()]).await.unwrap();
    assert_eq!(found, [("a".to_owned(), Some(b"1".to_vec())), ("b".to_owned(), None)]);
    let keys = answered(b"*2\r\n$1\r\n0\r\n*4\r\n$1\r\nb\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\n\xff\r\n").await;
    assert_eq!(keys.keys().await.unwrap(), ["a", "b"], "in their order, each once, and no bytes that are no text");
}

#[tokio::test]
async fn what_a_redis_server_refuses_or_has_no_room_for_is_told_and_what_is_no_answer_is_not() {
    let failure = async |answer| answered(answer).await.get("a".into()).await.unwrap_err();
    assert!(matches!(failure(b"-WRONGTYPE of another kind\r\n").await, Failure::Refused(_)));
    assert_eq!(failure(b"-OOM no room\r\n").await, Failure::Full);
    assert_eq!(failure(b"-NOAUTH log in first\r\n").await, Failure::Broken);
    assert_eq!(failure(b":1\r\n").await, Failure::Broken);
}

#[tokio::test]
async fn a_store_on_redis_has_the_bounds_of_the_others() {
    let store = answered(b"+OK\r\n").await;
    assert!(matches!(store.set("k".repeat(KEY_VALUE_KEY_BYTES + 1), Vec::new()).await, Err(Failure::Refused(_))));
    assert!(matches!(store.set("k".into(), vec![0; KEY_VALUE_VALUE_BYTES + 1]).await, Err(Failure::Refused(_))));
    let many = (0..=KEY_VALUE_KEYS_AT_ONCE).map(key).collect();
    assert!(matches!(store.delete_many(many).await, Err(Failure::Refused(_))));
}

#[test]
fn a_store_that_nobody_described_or_that_cannot_be_opened_is_not_granted() {
    let lost = StorePlace::Sqlite(Place::File("/proc/nowhere/all.db".into()));
    let places = [("lost", lost), ("shared", StorePlace::Postgres)].map(|(label, place)| (label.to_owned(), place));
    let stores = Stores::new(BTreeMap::from(places), None);
    let message = |label: &str| stores.grant(&[label.to_owned()], 1).err().unwrap().to_string();
    assert!(message("other").contains("[key_value_store.other]"));
    assert!(message("lost").contains("/proc/nowhere/all.db"));
    assert!(message("shared").contains("started without"));
}

#[test]
fn what_is_not_granted_is_not_opened_and_handles_are_bounded() {
    let stores = Stores::new(BTreeMap::from([("default".to_owned(), StorePlace::Sqlite(Place::Memory))]), None);
    let mut ctx = KeyValueContext::new(stores.grant(&["default".to_owned()], 1).unwrap());
    let mut table = ResourceTable::new();
    let mut view = KeyValueView { ctx: &mut ctx, table: &mut table };
    assert_eq!(view.open("other").unwrap().err(), Some(Failure::NotGranted));
    let first = view.open("default").unwrap().unwrap();
    for _ in 1..KEY_VALUE_OPEN_HANDLES {
        view.open("default").unwrap().unwrap();
    }
    assert_eq!(view.open("default").unwrap().err(), Some(Failure::TooManyOpen));
    view.close(first).unwrap();
    assert!(view.open("default").unwrap().is_ok());
}

#[test]
fn every_interface_can_be_linked() {
    struct Data(KeyValueContext, ResourceTable);
    let mut settings = wasmtime::Config::new();
    settings.wasm_component_model_async(true);
    let mut linker = Linker::<Data>::new(&wasmtime::Engine::new(&settings).unwrap());
    add_to_linker(&mut linker, |data| KeyValueView { ctx: &mut data.0, table: &mut data.1 }).unwrap();
}
