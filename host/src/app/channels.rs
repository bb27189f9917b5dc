//! Which component hears which Redis channel, once every variable has its value.

use std::sync::Arc;

use anyhow::Context;

use super::{calls::MessageCalls, services::Furnished};
use crate::{
    redis_connection::RedisAddress,
    redis_trigger::{Handler, Listener},
};

/// A listener for each Redis trigger.
///
/// # Errors
/// An address that is none once its variables have their values. It is not shown: it may have a password in it.
pub fn listeners(furnished: &Furnished) -> anyhow::Result<Vec<Listener>> {
    let mut listeners = Vec::new();
    for trigger in &furnished.app.channels {
        let Some(called) = furnished.called(&trigger.component) else { continue };
        let channel = trigger.channel.resolve(&furnished.values)?;
        let address = trigger.address.resolve(&furnished.values)?;
        let address = RedisAddress::parse(&address).with_context(|| {
            format!("the channel `{channel}` of `{}` is at no address of a Redis", trigger.component)
        })?;
        let handler: Arc<dyn Handler> = Arc::new(MessageCalls(called));
        listeners.push(Listener { handler, address, channel });
    }
    Ok(listeners)
}
