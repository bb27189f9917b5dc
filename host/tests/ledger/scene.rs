//! A component in a ledger: its versions are deployed, gone back from and started without a host.

use std::collections::BTreeMap;

use plaza::{
    digest::sha256,
    rollout::{Entry, FileArtifact, InFolder, InPostgres, Ledger, Origin, Standing, Stored, What, open},
};

use crate::ground::on_shared;

/// The component.
pub const COMPONENT: &str = "hello";

/// Does the same on either ledger, each empty.
pub fn on_each(test: impl AsyncFn(&Scene)) {
    on_shared(|database| async move {
        let folder = tempfile::tempdir().unwrap();
        test(&Scene(Box::new(InFolder::open(folder.path()).unwrap()))).await;
        let application = uuid::Uuid::now_v7().to_string();
        test(&Scene(Box::new(InPostgres::new(database.state().clone(), &application)))).await;
    });
}

/// A ledger. Bytes are texts here.
pub struct Scene(pub Box<dyn Ledger>);

impl Scene {
    /// Starts a host with this file; returns the number of the version that it serves.
    pub async fn start(&self, file: &str) -> u32 {
        let file = FileArtifact { hash: sha256(file), bytes: file.into() };
        let files = BTreeMap::from([(COMPONENT.to_owned(), file)]);
        open(&*self.0, &files, false).await.unwrap().remove(COMPONENT).unwrap().active.number
    }

    /// Deploys something; returns its version's number.
    pub async fn deploy(&self, bytes: &str) -> u32 {
        let stored = self.add(bytes).await;
        let number = stored.number;
        self.let_answer(stored).await;
        number
    }

    /// Keeps something that does not answer yet.
    pub async fn add(&self, bytes: &str) -> Stored {
        self.0.add(COMPONENT, &sha256(bytes), bytes.as_bytes(), Origin::Deploy).await.unwrap()
    }

    /// Goes back to a version of this number.
    pub async fn roll_back_to(&self, number: u32) {
        let kept = self.0.versions(COMPONENT).await.unwrap();
        self.let_answer(kept.into_iter().find(|kept| kept.version.number == number).unwrap().version).await;
    }

    /// What stands.
    pub async fn standing(&self) -> Standing {
        self.0.standings().await.unwrap().remove(COMPONENT).unwrap()
    }

    async fn let_answer(&self, active: Stored) {
        let entry = Entry { number: Some(active.number), what: What::Active, detail: None };
        let next = Standing { active, trial: None, ..self.standing().await };
        self.0.stand(COMPONENT, &next, entry).await.unwrap();
    }
}
