//! Which commands may be run, and which leave their connection as nobody else may find it. Pure.

use redis::{Cmd, cmd};

use super::bindings::v3::spin::redis::redis::RedisParameter;

/// Commands after which the next one on the same connection may mean something else.
const CHANGE_SESSION: &[&str] = &[
    "ASKING",
    "AUTH",
    "CLIENT",
    "DISCARD",
    "EXEC",
    "MULTI",
    "QUIT",
    "READONLY",
    "READWRITE",
    "RESET",
    "SELECT",
    "UNWATCH",
    "WATCH",
];

/// Commands that are answered more than once or never, or turn the connection into something else.
const NOT_ANSWERED_ONCE: &[&str] = &[
    "HELLO",
    "MONITOR",
    "PSUBSCRIBE",
    "PSYNC",
    "PUNSUBSCRIBE",
    "REPLCONF",
    "SSUBSCRIBE",
    "SUBSCRIBE",
    "SUNSUBSCRIBE",
    "SYNC",
    "UNSUBSCRIBE",
];

/// Commands whose answer depends on which connection the commands before it went over.
const OF_ONE_CONNECTION: &[&str] = &["WAIT", "WAITAOF"];

/// A command of a guest's own.
pub struct Command {
    /// As it is sent.
    pub cmd: Cmd,
    /// Whether its connection is another one afterwards.
    pub changes_session: bool,
}

impl Command {
    /// A command and its arguments.
    ///
    /// # Errors
    /// Why it cannot be run here.
    pub fn new(name: &str, arguments: &[RedisParameter]) -> Result<Self, String> {
        let is_among = |names: &[&str]| names.iter().any(|one| one.eq_ignore_ascii_case(name));
        let silences = is_among(&["CLIENT"]) && arguments.first().is_some_and(|first| is(first, "REPLY"));
        let debugs = is_among(&["SCRIPT"]) && arguments.first().is_some_and(|first| is(first, "DEBUG"));
        if is_among(OF_ONE_CONNECTION) {
            return Err(format!(
                "`{name}` tells of what its own connection has written, and commands go over any, so it is not executed"
            ));
        }
        if is_among(NOT_ANSWERED_ONCE) || silences || debugs {
            return Err(format!(
                "`{name}` would leave the connection without one answer to each command, so it is not executed; \
                 a component hears what is published through [[trigger.redis]]"
            ));
        }
        let mut cmd = cmd(name);
        for argument in arguments {
            match argument {
                RedisParameter::Int64(number) => cmd.arg(*number),
                RedisParameter::Binary(bytes) => cmd.arg(bytes.as_slice()),
            };
        }
        Ok(Self { cmd, changes_session: is_among(CHANGE_SESSION) })
    }
}

/// `CLIENT REPLY` has the server answer nothing, and after `SCRIPT DEBUG` its answers are a debugger's.
fn is(argument: &RedisParameter, word: &str) -> bool {
    matches!(argument, RedisParameter::Binary(bytes) if bytes.eq_ignore_ascii_case(word.as_bytes()))
}
