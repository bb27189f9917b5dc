//! Which partitions are this host's: the group says so, and takes them away again.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rdkafka::{
    ClientContext, Offset, Statistics, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance},
    error::KafkaError,
};
use tokio_util::sync::CancellationToken;

use super::{
    context::{self, Complaints},
    partition::{Fetch, Partition},
};
use crate::events::group::Group;

/// How long handlers under way get when their partition goes to another host. What they do after it has no second effect, for the
/// inbox knows the event.
const HANDOVER_PATIENCE: Duration = Duration::from_secs(5);

/// Topic and number.
pub(super) type Name = (String, i32);

type Named = (Name, Arc<Partition>);

/// The partitions that one consumer has.
pub(super) struct Assignment {
    groups: HashMap<String, Arc<Group>>,
    partitions: Mutex<HashMap<Name, Arc<Partition>>>,
    complaints: Complaints,
    stopping: CancellationToken,
}

impl Assignment {
    pub(super) fn new(groups: HashMap<String, Arc<Group>>, stopping: CancellationToken) -> Self {
        Self { groups, partitions: Mutex::default(), complaints: Complaints::default(), stopping }
    }

    /// The subscriber of a topic.
    pub(super) fn group(&self, topic: &str) -> Option<&Arc<Group>> {
        self.groups.get(topic)
    }

    /// A partition that is this host's.
    pub(super) fn partition(&self, name: &Name) -> Option<Arc<Partition>> {
        self.partitions().get(name).cloned()
    }

    /// Lets the next commit say how far each partition has come, and pauses or resumes what is to be.
    pub(super) fn tend(&self, consumer: &BaseConsumer<Self>) {
        let partitions: Vec<Named> =
            self.partitions().iter().map(|(name, partition)| (name.clone(), Arc::clone(partition))).collect();
        store(consumer, &partitions);
        self.pace(consumer, &partitions);
    }

    /// Pauses and resumes these, as each needs it.
    pub(super) fn pace(&self, consumer: &BaseConsumer<Self>, partitions: &[Named]) {
        let (mut pause, mut resume) = (TopicPartitionList::new(), TopicPartitionList::new());
        for ((topic, number), partition) in partitions {
            match partition.fetch() {
                Some(Fetch::Pause) => drop(pause.add_partition(topic, *number)),
                Some(Fetch::Resume) => drop(resume.add_partition(topic, *number)),
                None => {}
            }
        }
        if pause.count() > 0
            && let Err(error) = consumer.pause(&pause)
        {
            tracing::warn!(%error, "fetching could not be paused");
        }
        if resume.count() > 0
            && let Err(error) = consumer.resume(&resume)
        {
            tracing::warn!(%error, "fetching could not be resumed");
        }
    }

    /// Gives everything up, as the host stops.
    pub(super) fn finish(&self, consumer: &BaseConsumer<Self>, deadline: Instant) {
        let all = self.partitions().drain().collect();
        give_up(consumer, all, deadline);
        self.groups.values().for_each(|group| group.tally().lags(BTreeMap::new()));
    }

    fn partitions(&self) -> MutexGuard<'_, HashMap<Name, Arc<Partition>>> {
        self.partitions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has these fetched, as a [`Partition`] that is new believes: the library remembers a pause for as long as the consumer lives, also of a
/// partition that was another host's in the meantime.
fn resume_all(consumer: &BaseConsumer<Assignment>, names: &[Name]) {
    let mut resume = TopicPartitionList::new();
    for (topic, number) in names {
        resume.add_partition(topic, *number);
    }
    if let Err(error) = consumer.resume(&resume) {
        tracing::warn!(%error, "fetching could not be resumed");
    }
}

/// Begins nothing further of these partitions, waits for what is under way, and keeps how far they have come.
fn give_up(consumer: &BaseConsumer<Assignment>, partitions: Vec<Named>, deadline: Instant) {
    partitions.iter().for_each(|(_, partition)| partition.stop.cancel());
    let late = partitions.iter().filter(|(_, partition)| !partition.is_idle_by(deadline)).count();
    if late > 0 {
        tracing::warn!(partitions = late, "handlers did not finish before their partition was given up");
    }
    store(consumer, &partitions);
}

/// Keeps the positions that have changed; they are committed a little later, or when the partition is given up.
fn store(consumer: &BaseConsumer<Assignment>, partitions: &[Named]) {
    let mut positions = TopicPartitionList::new();
    for ((topic, number), partition) in partitions {
        if let Some(position) = partition.new_position() {
            // A position is never negative, which is all that could be wrong with it.
            drop(positions.add_partition_offset(topic, *number, Offset::Offset(position)));
        }
    }
    if positions.count() > 0
        && let Err(error) = consumer.store_offsets(&positions)
    {
        // The partition has been lost meanwhile; whoever has it now begins where the last commit was.
        tracing::debug!(%error, "positions could not be kept");
    }
}

impl ClientContext for Assignment {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        context::log(level, facility, message);
    }

    fn stats(&self, statistics: Statistics) {
        for (topic, group) in &self.groups {
            let partitions = statistics.topics.get(topic).into_iter().flat_map(|topic| topic.partitions.values());
            let lag: BTreeMap<i32, i64> = partitions
                .filter(|partition| self.partition(&(topic.clone(), partition.partition)).is_some())
                .filter_map(|partition| {
                    let behind = [partition.consumer_lag_stored, partition.consumer_lag];
                    // Where nothing was ever committed, everything is still to come.
                    let all = partition.hi_offset - partition.lo_offset;
                    let lag = behind.into_iter().find(|lag| *lag >= 0).unwrap_or(all);
                    (partition.hi_offset >= 0).then_some((partition.partition, lag))
                })
                .collect();
            group.tally().lags(lag);
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.complaints.hear(&error, reason);
    }
}

impl ConsumerContext for Assignment {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(list) => {
                let names: Vec<Name> =
                    list.elements().into_iter().map(|one| (one.topic().to_owned(), one.partition())).collect();
                resume_all(consumer, &names);
                let fresh = || Arc::new(Partition::new(self.stopping.child_token()));
                self.partitions().extend(names.into_iter().map(|name| (name, fresh())));
            }
            Rebalance::Revoke(list) => {
                let names = list.elements().into_iter().map(|one| (one.topic().to_owned(), one.partition()));
                let taken = names.filter_map(|name| self.partitions().remove_entry(&name)).collect();
                give_up(consumer, taken, Instant::now() + HANDOVER_PATIENCE);
            }
            Rebalance::Error(error) => tracing::warn!(%error, "partitions could not be shared out"),
        }
    }
}
