//! Asks a Redis server, each time on a connection of its own: `/publish?key=…&value=…`, `/get?key=…`, `/set?key=…&value=…`,
//! `/incr?key=…`, `/del?value=…`, `/sadd?key=…&value=…`, `/smembers?key=…`, `/srem?key=…&value=…`, at the variable `redis` or at
//! `address=…`. `value` may come more than once. `/execute?command=…` does so with words apart by blanks, once for each `command`, on
//! one connection; `/large?key=…&bytes=…` sets a value of that size; `/open?count=…` opens as many connections and closes them;
//! `/at-once?count=…` counts so often at once.

#![cfg(target_family = "wasm")]

use futures::future::join_all;
use spin_sdk::{
    http::{IntoResponse, Request},
    http_service,
    redis::{Connection, Error, RedisParameter, RedisResult},
    variables,
};

#[http_service]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let query = request.uri().query().unwrap_or_default();
    let given = Given(form_urlencoded::parse(query.as_bytes()).into_owned().collect());
    let action = request.uri().path().rsplit('/').next().unwrap_or_default();
    let address = match given.all("address").next() {
        Some(address) => address.to_owned(),
        None => variables::get("redis").await?,
    };
    Ok(answer(action, &address, &given).await.unwrap_or_else(|error| format!("error {error:?}")))
}

struct Given(Vec<(String, String)>);

impl Given {
    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn of(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    fn number(&self, name: &str) -> usize {
        self.of(name).parse().unwrap_or_default()
    }
}

async fn answer(action: &str, address: &str, given: &Given) -> Result<String, Error> {
    let connection = Connection::open(address).await?;
    let (key, values) = (given.of("key"), given.all("value"));
    Ok(match action {
        "publish" => connection.publish(key, given.of("value")).await.map(|()| "published".to_owned())?,
        "get" => match connection.get(key).await? {
            Some(value) => String::from_utf8_lossy(&value).into_owned(),
            None => "none".to_owned(),
        },
        "set" => connection.set(key, given.of("value")).await.map(|()| "set".to_owned())?,
        "incr" => connection.incr(key).await?.to_string(),
        "del" => connection.del(values).await?.to_string(),
        "sadd" => connection.sadd(key, values).await?.to_string(),
        "smembers" => {
            let mut members = connection.smembers(key).await?;
            members.sort();
            members.join(" ")
        }
        "srem" => connection.srem(key, values).await?.to_string(),
        "execute" => {
            let mut answers = Vec::new();
            for command in given.all("command") {
                answers.push(execute(&connection, command).await?);
            }
            answers.join("\n")
        }
        "large" => connection.set(key, vec![b'x'; given.number("bytes")]).await.map(|()| "set".to_owned())?,
        "open" => {
            let mut open = Vec::new();
            for _ in 0..given.number("count") {
                open.push(Connection::open(address).await?);
            }
            format!("{} open", open.len())
        }
        "at-once" => {
            let counted = join_all((0..given.number("count")).map(|_| connection.incr(key))).await;
            let counted: Vec<i64> = counted.into_iter().collect::<Result<_, _>>()?;
            counted.into_iter().max().unwrap_or_default().to_string()
        }
        other => format!("no {other}"),
    })
}

/// Words that are numbers go as such.
async fn execute(connection: &Connection, command: &str) -> Result<String, Error> {
    let mut words = command.split(' ');
    let name = words.next().unwrap_or_default();
    let parameter = |word: &str| match word.parse() {
        Ok(number) => RedisParameter::Int64(number),
        Err(_) => RedisParameter::Binary(word.as_bytes().to_vec()),
    };
    let results = connection.execute(name, words.map(parameter).collect::<Vec<_>>()).await?;
    let shown = results.into_iter().map(|result| match result {
        RedisResult::Nil => "nil".to_owned(),
        RedisResult::Status(text) => format!("status {text}"),
        RedisResult::Int64(number) => format!("number {number}"),
        RedisResult::Binary(bytes) => format!("bytes {}", String::from_utf8_lossy(&bytes)),
    });
    Ok(shown.collect::<Vec<_>>().join(", "))
}
