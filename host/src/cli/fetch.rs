//! Fetches the components that a manifest takes from elsewhere, for those commands that go on with their files.

use std::borrow::Cow;

use crate::{
    manifest::{
        self, App, Fault, Source,
        app::{Download, part_place},
    },
    registry::{self, Asker, Insecure, RegistryError},
};

/// Fetches what is not there, of these components, or of all where none is named. What is wrong with the manifest is told by whoever reads
/// it next.
///
/// # Errors
/// The first that cannot be had.
pub(super) fn fetch(source: &Source, only: &[String], insecure: &Insecure) -> anyhow::Result<()> {
    let mut app = manifest::read(source).app;
    if !only.is_empty() {
        app.components.retain(|id, _| only.contains(id));
    }
    if app.downloads().is_empty() {
        return Ok(());
    }
    let asker = Asker::of_this_user(insecure.clone());
    runtime()?.block_on(registry::fetch(&app, &asker, tell))?;
    Ok(())
}

/// Fetches what is not there; what cannot be had is a fault where it is named.
///
/// # Errors
/// When nothing can be fetched at all.
pub(super) fn faults(source: &Source, insecure: &Insecure) -> anyhow::Result<Vec<Missing>> {
    let mut reading = manifest::read(source);
    reading.leave_out_idle();
    if reading.app.downloads().is_empty() {
        return Ok(Vec::new());
    }
    let asker = Asker::of_this_user(insecure.clone());
    let failures = runtime()?.block_on(registry::fetch_each(&reading.app, &asker, tell));
    let mut missing = Vec::new();
    for (download, error) in &failures {
        let (message, remedy) = parted(error);
        for (component, key) in named(&reading.app, download) {
            let key: Vec<&str> = key.iter().map(String::as_str).collect();
            let fault = reading.fault(&component, &key, &message, &remedy);
            missing.push(Missing { fault, instead: format!("there is no `{}`", download.file().display()) });
        }
    }
    Ok(missing)
}

/// A fault of something that could not be fetched.
pub(super) struct Missing {
    /// Why it could not.
    pub(super) fault: Fault,
    /// What is said of its file, which need not be said as well.
    instead: String,
}

impl Missing {
    /// Whether a fault is of this one's file.
    pub(super) fn is_behind(&self, fault: &Fault) -> bool {
        fault.line == self.fault.line && fault.message == self.instead
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn tell(line: &str) {
    eprintln!("{line}");
}

/// What went wrong, and its remedy, which stands last.
fn parted(error: &RegistryError) -> (String, String) {
    let text = error.to_string();
    let parts = text.rsplit_once("; ").map(|(message, remedy)| (message.to_owned(), remedy.to_owned()));
    parts.unwrap_or_else(|| (text, "look at what is named here".to_owned()))
}

/// The components that want it, each with its key.
fn named(app: &App, download: &Download) -> Vec<(String, Vec<String>)> {
    let is_it = |found: &Option<Download>| found.as_ref() == Some(download);
    let mut named = Vec::new();
    for component in app.components.values() {
        if is_it(&component.download) {
            named.push((component.id.clone(), vec!["source".to_owned()]));
        }
        let under_spin = component.under_spin.iter().map(|(key, part)| (Cow::Borrowed(key.as_str()), part));
        for (key, part) in component.parts().chain(under_spin) {
            if is_it(&part.download) {
                named.push((component.id.clone(), part_place(&key).map(str::to_owned).to_vec()));
            }
        }
    }
    named
}
