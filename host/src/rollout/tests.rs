//! What a rollout asks of its ledger and its application, and in which order.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use async_trait::async_trait;
use bytes::Bytes;

use super::{judge::Seen, *};
use crate::{compose::Composition, limits::ComponentLimits, service::contract::Surface};

/// An application of one component, `web`, of which nothing can be composed.
struct Unfit {
    web: Arc<Service>,
    taken_up: AtomicU64,
    composed: AtomicUsize,
}

impl Unfit {
    fn new() -> Arc<Self> {
        let web = Service::new("web".into(), ComponentLimits::default());
        Arc::new(Self { web, taken_up: AtomicU64::new(0), composed: AtomicUsize::new(0) })
    }

    fn refusal(&self) -> Vec<String> {
        self.composed.fetch_add(1, Relaxed);
        vec!["its part does not fit".to_owned()]
    }
}

#[async_trait]
impl Application for Unfit {
    fn services(&self) -> Vec<Arc<Service>> {
        vec![self.web.clone()]
    }

    fn taken_up(&self) -> u64 {
        self.taken_up.load(Relaxed)
    }

    async fn composes(&self, _: &str, _: Bytes) -> Result<(), Vec<String>> {
        Err(self.refusal())
    }

    async fn compile(&self, _: &str, _: Bytes) -> Result<Composition, Vec<String>> {
        Err(self.refusal())
    }

    async fn compiled(&self, _: &str, _: &str) -> Option<Composition> {
        None
    }

    fn is_as_described(&self, _: &str, _: &Composition) -> bool {
        true
    }

    fn surface(&self, _: &Composition) -> Surface {
        Surface::default()
    }

    fn examine(&self, _: &str, _: &Surface, _: &Neighbours) -> Vec<String> {
        Vec::new()
    }

    fn assemble(&self, _: &str, _: u32, _: Composition) -> Result<Arc<Version>, String> {
        Err("it is never composed".to_owned())
    }

    async fn migrate(&self, _: &str, _: &[(String, String)]) -> Result<Vec<String>, String> {
        Ok(Vec::new())
    }

    async fn probe(&self, _: &str, _: &Arc<Version>, _: &str) -> Result<u16, String> {
        Err("it is never composed".to_owned())
    }
}

/// A ledger that notes what it is asked for.
struct Noted {
    folder: InFolder,
    offers: Arc<AtomicUsize>,
}

#[async_trait]
impl Ledger for Noted {
    async fn standings(&self) -> Result<BTreeMap<String, Standing>, LedgerError> {
        self.folder.standings().await
    }

    async fn versions(&self, component: &str) -> Result<Vec<Kept>, LedgerError> {
        self.folder.versions(component).await
    }

    async fn artifact(&self, hash: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        self.folder.artifact(hash).await
    }

    async fn offer(&self, _: &str, _: &str, _: &[u8]) -> Result<(), LedgerError> {
        self.offers.fetch_add(1, Relaxed);
        Ok(())
    }

    async fn add(&self, component: &str, hash: &str, bytes: &[u8], origin: Origin) -> Result<Stored, LedgerError> {
        self.folder.add(component, hash, bytes, origin).await
    }

    async fn stand(&self, component: &str, standing: &Standing, entry: Entry) -> Result<Standing, LedgerError> {
        self.folder.stand(component, standing, entry).await
    }

    async fn files(&self) -> Result<BTreeMap<String, String>, LedgerError> {
        self.folder.files().await
    }

    async fn take_up_file(&self, component: &str, hash: &str) -> Result<(), LedgerError> {
        self.folder.take_up_file(component, hash).await
    }

    async fn tell_seen(&self, component: &str, number: u32, seen: Seen) -> Result<Seen, LedgerError> {
        self.folder.tell_seen(component, number, seen).await
    }

    async fn refuse(&self, component: &str, number: Option<u32>, why: String) -> Result<(), LedgerError> {
        self.folder.refuse(component, number, why).await
    }

    async fn history(&self, component: &str) -> Result<Vec<Past>, LedgerError> {
        self.folder.history(component).await
    }

    async fn news(&self) -> News {
        self.folder.news().await
    }
}

#[tokio::test]
async fn what_cannot_be_composed_is_offered_to_no_other_host() {
    let (folder, offers) = (tempfile::tempdir().unwrap(), Arc::new(AtomicUsize::new(0)));
    let ledger = Noted { folder: InFolder::open(folder.path()).unwrap(), offers: offers.clone() };
    let rollout = Rollout::new("tried", Box::new(ledger), Unfit::new(), BTreeMap::new(), None);
    let (component, bytes, migrations) = ("web".to_owned(), Bytes::from_static(b"bytes"), Vec::new());
    let (trial, drain, probe, origin) = (None, DRAIN_TIME, None, Origin::Deploy);
    let order = Order { component, bytes, migrations, trial, drain, probe, origin };
    let refused = rollout.deploy(order, &Progress::untold()).await.unwrap_err();
    assert_eq!((refused.step, refused.reasons), (Some(Step::Compile), vec!["its part does not fit".to_owned()]));
    assert_eq!(offers.load(Relaxed), 0);
}

#[tokio::test]
async fn what_cannot_be_served_is_composed_again_where_another_manifest_is_served_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = InFolder::open(folder.path()).unwrap();
    let file = FileArtifact { hash: sha256("bytes"), bytes: b"bytes".to_vec() };
    open(&ledger, &BTreeMap::from([("web".to_owned(), file)]), false).await.unwrap();
    let application = Unfit::new();
    let rollout = Rollout::new("tried", Box::new(ledger), application.clone(), BTreeMap::new(), None);
    for manifests in 1..=3 {
        for _ in 0..3 {
            rollout.catch_up().await.unwrap();
            assert_eq!(application.composed.load(Relaxed), manifests);
        }
        assert_eq!(rollout.unserved("web").unwrap().reason, "its part does not fit");
        application.taken_up.fetch_add(1, Relaxed);
    }
}
