//! Following what other hosts change.

use std::{sync::Arc, time::Duration};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Rollout, ledger::News, short};

/// How long one waits after a failure of the ledger.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);

/// The running tasks that follow and watch.
pub struct Following {
    stopping: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Following {
    /// Ends them.
    pub async fn stop(self) {
        self.stopping.cancel();
        for task in self.tasks {
            _ = task.await;
        }
    }
}

impl Rollout {
    /// Begins to follow and to watch.
    pub fn follow(self: &Arc<Self>) -> Following {
        let stopping = CancellationToken::new();
        let (follower, watcher) = (self.clone(), self.clone());
        let (ends_following, ends_watching) = (stopping.clone(), stopping.clone());
        let following = async move { _ = ends_following.run_until_cancelled(follower.follow_on()).await };
        let watching = async move { _ = ends_watching.run_until_cancelled(watcher.watch_trials()).await };
        Following { stopping, tasks: vec![tokio::spawn(following), tokio::spawn(watching)] }
    }

    async fn follow_on(self: Arc<Self>) {
        let mut failing = false;
        loop {
            if let News::Offer { component, hash } = self.ledger.news().await {
                let rollout = self.clone();
                tokio::spawn(async move { rollout.get_ahead(&component, &hash).await });
                continue;
            }
            let _guard = self.changing.lock().await;
            match self.catch_up().await {
                Ok(()) => failing = false,
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(%error, "the ledger of versions does not answer; serving what was served");
                    }
                    tokio::time::sleep(FAILURE_PAUSE).await;
                }
            }
        }
    }

    /// Compiles what another host is about to deploy, which is then followed without delay.
    async fn get_ahead(&self, component: &str, hash: &str) {
        if self.application.compiled(component, hash).await.is_some() {
            return;
        }
        let compiled = match self.ledger.artifact(hash).await {
            Ok(Some(bytes)) => self.application.compile(component, bytes.into()).await,
            // It is looked for again once there is a version of it.
            Ok(None) | Err(_) => return,
        };
        match compiled {
            Ok(_) => tracing::info!(artifact.hash = short(hash), "compiled what another host is about to deploy"),
            Err(reasons) => {
                let reason = reasons.join("; ");
                tracing::info!(artifact.hash = short(hash), reason, "what another host offers cannot be compiled");
            }
        }
    }
}
