//! What can be told without a server: addresses, grants, commands, answers.

use std::{sync::Arc, time::Duration};

use redis::{Value, cmd};
use tokio::time::timeout;

use super::{
    PoolSettings, Pools,
    bindings::v3::spin::redis::redis::{RedisParameter, RedisResult},
    command::Command,
    failure::Failure,
    value,
};
use crate::{limits::REDIS_ADDRESSES, manifest::grant::AllowedHosts, redis_connection::fake};

fn pools(grants: &[&str]) -> Pools {
    Pools::new(PoolSettings {
        component: "keeper".to_owned(),
        grants: Arc::new(AllowedHosts::parse(grants).unwrap()),
        blocked: Arc::default(),
        max_connections: 2,
        answer_bytes: 1024,
        command_time: Duration::from_secs(1),
        idle_time: Duration::from_secs(1),
    })
}

fn refused(grants: &[&str], address: &str) -> Failure {
    pools(grants).pool(address).err().expect("no pool for it")
}

fn word(text: &str) -> RedisParameter {
    RedisParameter::Binary(text.as_bytes().to_vec())
}

#[tokio::test]
async fn an_address_that_is_not_granted_is_none_for_the_component() {
    let others: [&[&str]; 5] =
        [&[], &["redis://other"], &["rediss://db"], &["redis://db:7000"], &["postgres://db:6379"]];
    for grants in others {
        assert_eq!(refused(grants, "redis://ada:secret@db/1"), Failure::InvalidAddress, "{grants:?}");
    }
}

#[tokio::test]
async fn an_address_that_is_granted_has_one_pool() {
    let pools = pools(&["redis://db", "rediss://*:*"]);
    let first = pools.pool("redis://db").ok().unwrap();
    assert!(Arc::ptr_eq(&first, &pools.pool("redis://db").ok().unwrap()));
    for spelling in ["redis://db:6379", "redis://DB/0"] {
        assert!(Arc::ptr_eq(&first, &pools.pool(spelling).ok().unwrap()), "{spelling}");
    }
    assert!(!Arc::ptr_eq(&first, &pools.pool("redis://db/1").ok().unwrap()));
    assert!(pools.pool("rediss://elsewhere:1").is_ok());
}

#[tokio::test]
async fn a_connection_that_nobody_uses_any_more_is_closed_though_nobody_asks_its_pool_again() {
    let (port, mut lefts) = fake::serve(b"+PONG\r\n").await;
    let pools = pools(&["redis://127.0.0.1:*"]);
    let pool = pools.pool(&format!("redis://127.0.0.1:{port}")).ok().unwrap();
    assert_eq!(pool.acquire().await.ok().unwrap().run(&cmd("PING")).await, Ok(Value::SimpleString("PONG".to_owned())));
    assert!(lefts.try_recv().is_err(), "it is kept for a while");
    timeout(Duration::from_secs(60), lefts.recv()).await.expect("it is closed");
}

#[tokio::test]
async fn what_is_no_address_is_refused_as_such() {
    for address in ["db:6379", "unix:///run/redis.sock", "redis://db/first"] {
        assert_eq!(refused(&["*://*:*"], address), Failure::InvalidAddress, "{address}");
    }
}

#[tokio::test]
async fn only_so_many_addresses_are_in_use_at_once() {
    let pools = pools(&["redis://db"]);
    let address = |number: usize| format!("redis://db/{number}");
    let held: Vec<_> = (0..REDIS_ADDRESSES).map(|number| pools.pool(&address(number)).ok().unwrap()).collect();
    assert!(pools.pool(&address(REDIS_ADDRESSES)).is_err());
    drop(held);
    assert!(pools.pool(&address(REDIS_ADDRESSES)).is_ok(), "those that nobody uses make room");
}

#[test]
fn a_command_that_others_on_its_connection_would_notice_changes_the_session() {
    for name in ["select", "MULTI", "Watch", "AUTH"] {
        assert!(Command::new(name, &[]).ok().unwrap().changes_session, "{name}");
    }
    for name in ["get", "EVAL", "BLPOP"] {
        assert!(!Command::new(name, &[]).ok().unwrap().changes_session, "{name}");
    }
}

#[test]
fn a_command_that_is_not_answered_once_is_not_executed() {
    for name in ["subscribe", "MONITOR", "hello"] {
        assert!(Command::new(name, &[word("news")]).err().unwrap().contains("trigger.redis"), "{name}");
    }
    assert!(Command::new("client", &[word("reply"), word("off")]).is_err());
    assert!(Command::new("client", &[word("id")]).is_ok());
    assert!(
        Command::new("Script", &[word("debug"), word("yes")]).is_err(),
        "the next one's answers would be a debugger's"
    );
    assert!(Command::new("script", &[word("load"), word("return 1")]).is_ok());
}

#[test]
fn a_command_that_asks_about_its_own_connection_is_not_executed_since_any_may_be_it() {
    for name in ["WAIT", "waitaof"] {
        assert!(
            Command::new(name, &[RedisParameter::Int64(1)]).err().unwrap().contains("its own connection"),
            "{name}"
        );
    }
}

#[test]
fn a_command_is_sent_with_its_arguments_as_they_are() {
    let command = Command::new("set", &[word("key"), RedisParameter::Int64(-7)]).ok().unwrap();
    assert_eq!(command.cmd.get_packed_command(), b"*3\r\n$3\r\nset\r\n$3\r\nkey\r\n$2\r\n-7\r\n");
    let empty = Command::new("set", &[word("key"), word("")]).ok().unwrap();
    assert_eq!(empty.cmd.get_packed_command(), b"*3\r\n$3\r\nset\r\n$3\r\nkey\r\n$0\r\n\r\n");
}

#[test]
fn an_answer_becomes_a_flat_list() {
    let nested = Value::Array(vec![Value::Okay, Value::Array(vec![Value::Int(1), Value::Nil])]);
    let flat = value::flat(Value::Array(vec![nested, Value::BulkString(vec![0, 255])])).unwrap();
    let expected = [
        RedisResult::Status("OK".to_owned()),
        RedisResult::Int64(1),
        RedisResult::Nil,
        RedisResult::Binary(vec![0, 255]),
    ];
    assert_eq!(flat, expected);
}

#[test]
fn an_answer_of_another_type_is_a_type_error() {
    assert_eq!(value::payload(Value::SimpleString("QUEUED".to_owned())), Err(Failure::WrongType));
    assert_eq!(value::number::<u32>(Value::Int(-1)), Err(Failure::WrongType));
    assert_eq!(value::texts(Value::Array(vec![Value::BulkString(vec![0xff])])), Err(Failure::WrongType));
    assert_eq!(value::payload(Value::Nil), Ok(None));
}
