//! Asks a Redis server as a component of spin-sdk 3 does: the paths of `asks-redis` up to `/execute`, which takes one `command`.

#![cfg(target_family = "wasm")]

use spin_sdk::{
    http::{IntoResponse, Request, Response},
    http_component,
    redis::{Connection, Error, RedisParameter, RedisResult},
    variables,
};

#[http_component]
fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let given: Vec<(String, String)> = form_urlencoded::parse(request.query().as_bytes()).into_owned().collect();
    let action = request.path().rsplit('/').next().unwrap_or_default();
    let answer = answer(action, &variables::get("redis")?, &given).unwrap_or_else(|error| format!("error {error:?}"));
    Ok(Response::new(200, answer))
}

fn answer(action: &str, address: &str, given: &[(String, String)]) -> Result<String, Error> {
    let all = |name: &str| -> Vec<String> {
        given.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    };
    let of = |name: &str| all(name).into_iter().next().unwrap_or_default();
    let connection = Connection::open(address)?;
    let (key, values) = (of("key"), all("value"));
    Ok(match action {
        "publish" => connection.publish(&key, &of("value").into_bytes()).map(|()| "published".to_owned())?,
        "get" => match connection.get(&key)? {
            Some(value) => String::from_utf8_lossy(&value).into_owned(),
            None => "none".to_owned(),
        },
        "set" => connection.set(&key, &of("value").into_bytes()).map(|()| "set".to_owned())?,
        "incr" => connection.incr(&key)?.to_string(),
        "del" => connection.del(&values)?.to_string(),
        "sadd" => connection.sadd(&key, &values)?.to_string(),
        "smembers" => {
            let mut members = connection.smembers(&key)?;
            members.sort();
            members.join(" ")
        }
        "srem" => connection.srem(&key, &values)?.to_string(),
        "execute" => execute(&connection, &of("command"))?,
        other => format!("no {other}"),
    })
}

fn execute(connection: &Connection, command: &str) -> Result<String, Error> {
    let mut words = command.split(' ');
    let name = words.next().unwrap_or_default();
    let parameters: Vec<_> = words.map(|word| RedisParameter::Binary(word.as_bytes().to_vec())).collect();
    let shown = connection.execute(name, &parameters)?.into_iter().map(|result| match result {
        RedisResult::Nil => "nil".to_owned(),
        RedisResult::Status(text) => format!("status {text}"),
        RedisResult::Int64(number) => format!("number {number}"),
        RedisResult::Binary(bytes) => format!("bytes {}", String::from_utf8_lossy(&bytes)),
    });
    Ok(shown.collect::<Vec<_>>().join(", "))
}
