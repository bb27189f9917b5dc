//! One component on one channel: it subscribes, hands messages over, and connects again when it has to.

use std::{future::pending, sync::Arc, time::Duration};

use redis::cmd;
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{Handler, heard::Heard, standing::Counted};
use crate::{
    backoff,
    blocked_networks::BlockedNetworks,
    limits::{REDIS_MESSAGE_BYTES, REDIS_MESSAGES_BYTES, REDIS_MESSAGES_HANDLED},
    redis_connection::{RedisAddress, RedisConnection, RedisFault},
};

/// How long nothing may come before one asks whether the server is still there.
const SILENCE: Duration = Duration::from_secs(30);

/// How long it may take to answer that, and to confirm that one listens.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest pause between two attempts to connect: whoever starts their Redis again is to be heard soon.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How long it must have listened after it did not before it is told that it does again: a server that takes everybody in and breaks off
/// at once is away, as far as anybody can tell.
const STEADY: Duration = Duration::from_secs(10);

/// One component on one channel.
pub struct Listener {
    /// Who handles the messages.
    pub handler: Arc<dyn Handler>,
    /// Where the channel is.
    pub address: RedisAddress,
    /// The channel.
    pub channel: String,
}

/// Who listens to which channel where: what tells one listener from another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) component: String,
    pub(super) channel: String,
    pub(super) address: RedisAddress,
}

/// Why one listens no more.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Fault(#[from] RedisFault),
    #[error("Redis does not let it listen: {0}")]
    Refused(String),
    #[error("Redis did not answer within {} s", PATIENCE.as_secs())]
    Silent,
}

impl Listener {
    pub(super) fn place(&self) -> Place {
        let component = self.handler.component().to_owned();
        Place { component, channel: self.channel.clone(), address: self.address.clone() }
    }

    /// Listens until it is stopped, and then finishes what it has taken up.
    pub(super) async fn run(self, counted: Arc<Counted>, stopping: CancellationToken) {
        let mut hands = Hands::new(self.handler.clone(), self.channel.clone(), counted.clone());
        let mut failures = 0;
        loop {
            let ended = tokio::select! {
                biased;
                () = stopping.cancelled() => break,
                ended = self.listen(&mut hands, &mut failures) => ended,
            };
            failures += 1;
            let (component, channel, reason) = (self.handler.component(), &self.channel, ended.to_string());
            // Once for each time that it was there for good, or was never there.
            if failures == 1 {
                tracing::warn!(component, channel, reason, "hears nothing of a Redis channel; trying until it does");
            }
            counted.is_away(reason);
            tokio::select! {
                () = stopping.cancelled() => break,
                () = sleep(backoff::pause(failures).min(LONGEST_PAUSE)) => {}
            }
        }
        hands.finish().await;
    }

    fn tell_that_it_listens(&self) {
        let component = self.handler.component();
        tracing::info!(component, channel = self.channel, redis = %self.address, "listens to a Redis channel");
    }

    /// Connects and listens for as long as it can.
    async fn listen(&self, hands: &mut Hands, failures: &mut u32) -> Ended {
        match self.try_to_listen(hands, failures).await {
            Err(ended) => ended,
            Ok(never) => match never {},
        }
    }

    async fn try_to_listen(&self, hands: &mut Hands, failures: &mut u32) -> Result<std::convert::Infallible, Ended> {
        // What is blocked is blocked for components; where the host listens is the manifest's word, as under Spin.
        let mut connection = RedisConnection::connect(&self.address, &BlockedNetworks::default()).await?;
        connection.send(cmd("SUBSCRIBE").arg(&self.channel)).await?;
        let (mut is_asked, mut steady_at, mut since) = (true, None, Instant::now());
        loop {
            let patience = if is_asked { PATIENCE } else { SILENCE };
            // A large message that comes slowly is no silence.
            let until = since.max(connection.heard_at()) + patience;
            let received = tokio::select! {
                received = timeout_at(until, connection.receive(REDIS_MESSAGE_BYTES)) => received,
                () = at(steady_at) => {
                    (steady_at, *failures) = (None, 0);
                    self.tell_that_it_listens();
                    continue;
                }
            };
            let Ok(received) = received else {
                if connection.heard_at() + patience > until {
                    continue;
                }
                if is_asked {
                    return Err(Ended::Silent);
                }
                connection.send(&cmd("PING")).await?;
                (is_asked, since) = (true, Instant::now());
                continue;
            };
            is_asked = false;
            match Heard::from(received?) {
                Heard::Message(message) => hands.take(message).await,
                Heard::Refused(reason) => return Err(Ended::Refused(reason)),
                Heard::Nothing => {}
                Heard::Subscribed => {
                    hands.counted.is_there();
                    match *failures {
                        0 => self.tell_that_it_listens(),
                        _ => steady_at = Some(Instant::now() + STEADY),
                    }
                }
            }
            since = Instant::now();
        }
    }
}

/// Waits until this time, which may never come.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}

/// Messages that are being handled.
struct Hands {
    handler: Arc<dyn Handler>,
    channel: String,
    counted: Arc<Counted>,
    places: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    busy: JoinSet<()>,
}

impl Hands {
    fn new(handler: Arc<dyn Handler>, channel: String, counted: Arc<Counted>) -> Self {
        let most_bytes = usize::try_from(REDIS_MESSAGES_BYTES).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            handler,
            channel,
            counted,
            places: Arc::new(Semaphore::new(REDIS_MESSAGES_HANDLED)),
            bytes: Arc::new(Semaphore::new(most_bytes)),
            busy: JoinSet::new(),
        }
    }

    /// Begins to handle a message once there is room for it.
    async fn take(&mut self, message: Vec<u8>) {
        while self.busy.try_join_next().is_some() {}
        let size = u64::try_from(message.len()).unwrap_or(u64::MAX);
        if size > self.handler.message_bytes() {
            self.counted.failed();
            let (component, channel) = (self.handler.component(), &self.channel);
            tracing::warn!(
                component,
                channel,
                bytes = size,
                "a message is larger than limits.body_bytes; it is left out"
            );
            return;
        }
        let held = self.handler.held_bytes(message.len());
        let bytes = u32::try_from(held).unwrap_or(u32::MAX).min(REDIS_MESSAGES_BYTES);
        // Nobody closes these.
        let place = self.places.clone().acquire_owned().await;
        let room = self.bytes.clone().acquire_many_owned(bytes).await;
        let (handler, channel, counted) = (self.handler.clone(), self.channel.clone(), self.counted.clone());
        self.busy.spawn(async move {
            let _held = (place, room);
            match handler.handle(message).await {
                Ok(()) => counted.took(),
                Err(reason) => {
                    counted.failed();
                    let component = handler.component();
                    tracing::warn!(component, channel, reason, "a message of a Redis channel was not taken");
                }
            }
        });
    }

    /// Waits for those under way.
    async fn finish(mut self) {
        while self.busy.join_next().await.is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use futures::poll;
    use tokio::sync::Notify;

    use super::*;

    /// Holds a message until it is told to end, and far more of it than it has bytes.
    #[derive(Default)]
    struct Large {
        begun: AtomicUsize,
        ends: Notify,
    }

    #[async_trait]
    impl Handler for Large {
        fn component(&self) -> &'static str {
            "large"
        }

        fn message_bytes(&self) -> u64 {
            1024
        }

        fn held_bytes(&self, _: usize) -> usize {
            usize::try_from(REDIS_MESSAGES_BYTES).unwrap() / 4 * 3
        }

        async fn handle(&self, _: Vec<u8>) -> Result<(), String> {
            self.begun.fetch_add(1, Ordering::Relaxed);
            self.ends.notified().await;
            Ok(())
        }
    }

    #[tokio::test]
    async fn messages_take_the_room_that_they_have_in_the_host_and_not_on_the_wire() {
        let large = Arc::new(Large::default());
        let mut hands = Hands::new(large.clone(), "news".to_owned(), Arc::new(Counted::default()));
        hands.take(b"first".to_vec()).await;
        let mut second = Box::pin(hands.take(b"second".to_vec()));
        while large.begun.load(Ordering::Relaxed) == 0 {
            assert!(poll!(&mut second).is_pending());
            tokio::task::yield_now().await;
        }
        assert!(poll!(&mut second).is_pending(), "there is room for one");
        large.ends.notify_one();
        second.await;
        large.ends.notify_one();
        hands.finish().await;
        assert_eq!(large.begun.load(Ordering::Relaxed), 2);
    }
}
