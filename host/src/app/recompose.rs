//! Components that are served and are to be composed otherwise, by another manifest or of other files. Their own bytes stay.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use super::{artifacts::own_bytes, services::Furnished};
use crate::{
    compose::{Composition, Files},
    engine::Engine,
    manifest::{App, app::Component},
    rollout::Ledger,
    service::{Version, contract::Surface},
};

/// What is to take the place of what is served.
#[derive(Default)]
pub struct Recomposed {
    /// By component id.
    pub compositions: BTreeMap<String, Composition>,
    /// Files that hold something else, by the id of the component that they are part of.
    pub renewed: BTreeMap<String, Vec<PathBuf>>,
    /// Why some cannot be composed so.
    pub refused: Vec<String>,
}

/// Composes the active version of each component anew that `after` and its files would have otherwise than it is.
pub async fn recompose(
    after: &App,
    files: &Files,
    now: &Furnished,
    ledger: &dyn Ledger,
    engine: &Arc<Engine>,
) -> Recomposed {
    let mut recomposed = Recomposed::default();
    for component in after.components.values() {
        let Some(active) = now.services.get(component.id.as_str()).and_then(|service| service.active()) else {
            continue;
        };
        let recipe = &active.composition.recipe;
        let renewed: Vec<PathBuf> = recipe.renewed_files(files).into_iter().map(ToOwned::to_owned).collect();
        if renewed.is_empty() && recipe.is_as_in(component) {
            continue;
        }
        match anew(component, files, &active, ledger, engine).await {
            Ok(composition) => {
                let id = component.id.clone();
                // Of a file that is part of it no more it does not matter what it holds.
                let renewed: Vec<PathBuf> =
                    renewed.into_iter().filter(|file| component.parts().any(|(_, part)| part.file == *file)).collect();
                if !renewed.is_empty() {
                    recomposed.renewed.insert(id.clone(), renewed);
                }
                recomposed.compositions.insert(id, composition);
            }
            Err(reasons) => {
                let reasons = reasons.into_iter().map(|reason| format!("`{}`: {reason}", component.id));
                recomposed.refused.extend(reasons);
            }
        }
    }
    recomposed
}

async fn anew(
    component: &Component,
    files: &Files,
    active: &Version,
    ledger: &dyn Ledger,
    engine: &Arc<Engine>,
) -> Result<Composition, Vec<String>> {
    let bytes = own_bytes(component, &active.hash, ledger).await.map_err(|error| vec![format!("{error:#}")])?;
    let bytes = bytes.ok_or_else(|| {
        vec![format!("the bytes of {} are not kept, so it cannot be composed anew: deploy it again", active.label)]
    })?;
    let (component, files, engine) = (component.clone(), files.clone(), engine.clone());
    let name = format!("{} of {}", active.label, component.id);
    let composing = tokio::task::spawn_blocking(move || {
        Composition::of(&component, &bytes, &files, |whole| engine.load_aside(whole, &name))
    });
    composing.await.unwrap_or_else(|error| Err(vec![format!("composing was interrupted: {error}")]))
}

impl Recomposed {
    /// What the components will need and offer that are composed otherwise.
    pub fn surfaces(&self, engine: &Engine) -> BTreeMap<String, Surface> {
        let surface = |composition: &Composition| Surface::of(engine.wasmtime(), &composition.artifact.component);
        self.compositions.iter().map(|(id, composition)| (id.clone(), surface(composition))).collect()
    }
}
