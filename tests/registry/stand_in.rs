//! Something that answers as a registry does, and breaks off, or says something else, where a test wants it to.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, mpsc},
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{Response, Uri, response::Builder},
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use serde_json::json;
use sha2::{Digest, Sha512};
use tokio::sync::watch;

use crate::spin_apps::{MANIFEST, digest};

/// Tags in one answer.
const TAGS_AT_ONCE: usize = 2;

/// How a blob that was asked for comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sends {
    /// As it should.
    All,
    /// Its first half, and then the connection ends.
    Half,
    /// Its first half, and the other when this has changed.
    HalfForNow,
}

/// One registry, for the time of the test.
pub(crate) struct StandIn {
    address: String,
    shared: Arc<Shared>,
    sends: watch::Sender<Sends>,
    halves: mpsc::Receiver<()>,
}

struct Shared {
    /// By tag or digest, as they are asked for.
    manifests: Mutex<BTreeMap<String, Bytes>>,
    blobs: Mutex<BTreeMap<String, Bytes>>,
    sends: watch::Receiver<Sends>,
    /// Hears of each half that was sent for now.
    half: Mutex<mpsc::Sender<()>>,
}

impl StandIn {
    /// Starts one in which nothing is.
    pub(crate) fn start() -> Self {
        let (sends, seen) = watch::channel(Sends::All);
        let (half, halves) = mpsc::channel();
        let shared =
            Shared { manifests: Mutex::default(), blobs: Mutex::default(), sends: seen, half: Mutex::new(half) };
        let shared = Arc::new(shared);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address").to_string();
        listener.set_nonblocking(true).expect("the system");
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        // It answers while the test waits for a program.
        std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                axum::serve(listener, router).await
            })
        });
        Self { address, shared, sends, halves }
    }

    /// `127.0.0.1:port`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// What something in it is called.
    pub(crate) fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// Puts an artifact of these layers under a tag; the first is its configuration. Returns its digest.
    pub(crate) fn put(&self, tag: &str, layers: &[(&str, &[u8])]) -> String {
        let mut descriptors = Vec::new();
        for (kind, bytes) in layers {
            descriptors.push(json!({ "mediaType": kind, "digest": digest(bytes), "size": bytes.len() }));
            self.shared.blobs.lock().expect("no panic").insert(digest(bytes), Bytes::copy_from_slice(bytes));
        }
        let config = descriptors.remove(0);
        let text = json!({ "schemaVersion": 2, "config": config, "layers": descriptors }).to_string();
        let own = digest(text.as_bytes());
        let mut manifests = self.shared.manifests.lock().expect("no panic");
        manifests.insert(own.clone(), text.clone().into());
        manifests.insert(tag.to_owned(), text.into());
        own
    }

    /// Has something else come for a digest.
    pub(crate) fn pass_off(&self, tag: &str, digest: &str) {
        let mut manifests = self.shared.manifests.lock().expect("no panic");
        let text = manifests[tag].clone();
        manifests.insert(digest.to_owned(), text);
    }

    /// Blobs come like this from now on, and what waits for it goes on.
    pub(crate) fn sends(&self, sends: Sends) {
        self.sends.send_replace(sends);
    }

    /// Waits until the first half of a blob has been sent for now.
    pub(crate) fn wait_for_half(&self) {
        self.halves.recv_timeout(plaza_tests::wait::PATIENCE).expect("a blob is asked for");
    }
}

async fn answer(State(shared): State<Arc<Shared>>, uri: Uri) -> Response<Body> {
    let path = uri.path();
    let (kind, name) = path.rsplit_once('/').unwrap_or_default();
    let found = |all: &Mutex<BTreeMap<String, Bytes>>| all.lock().expect("no panic").get(name).cloned();
    let answer = Response::builder();
    let answer = if path == "/v2/" {
        answer.body(Body::empty())
    } else if let Some(text) = found(&shared.manifests).filter(|_| kind.ends_with("/manifests")) {
        // A registry may name it by this digest as well as by the other.
        let digits: String = Sha512::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
        answer
            .header("content-type", MANIFEST)
            .header("docker-content-digest", format!("sha512:{digits}"))
            .body(text.into())
    } else if path.ends_with("/tags/list") {
        tags(&shared, uri.query().unwrap_or_default(), answer)
    } else if let Some(bytes) = found(&shared.blobs).filter(|_| kind.ends_with("/blobs")) {
        answer.header("content-length", bytes.len()).body(body(&shared, bytes))
    } else {
        answer.status(404).body(Body::empty())
    };
    answer.expect("a sound answer")
}

/// Tags behind those that were seen, a few at a time, whatever is asked for.
fn tags(shared: &Arc<Shared>, query: &str, answer: Builder) -> axum::http::Result<Response<Body>> {
    let seen = query.strip_prefix("seen=").unwrap_or_default();
    let manifests = shared.manifests.lock().expect("no panic");
    let mut behind = manifests.keys().filter(|name| !name.starts_with("sha256:") && name.as_str() > seen);
    let page: Vec<&String> = behind.by_ref().take(TAGS_AT_ONCE).collect();
    let next = page.last().map(|last| format!("<list?seen={last}>; rel=\"next\""));
    let answer = if let (Some(next), Some(_)) = (next, behind.next()) { answer.header("link", next) } else { answer };
    answer.body(json!({ "name": "test", "tags": page }).to_string().into())
}

fn body(shared: &Arc<Shared>, bytes: Bytes) -> Body {
    let mut sends = shared.sends.clone();
    let how = *sends.borrow();
    let (first, rest) = (bytes.slice(..bytes.len() / 2), bytes.slice(bytes.len() / 2..));
    let shared = Arc::clone(shared);
    let rest = async move {
        match how {
            Sends::All => Ok(rest),
            Sends::Half => {
                // What there is goes out while more is waited for.
                tokio::task::yield_now().await;
                Err(io::Error::other("the registry has had enough"))
            }
            Sends::HalfForNow => {
                let _ = shared.half.lock().expect("no panic").send(());
                let _ = sends.wait_for(|now| *now != Sends::HalfForNow).await;
                Ok(rest)
            }
        }
    };
    Body::from_stream(stream::iter([Ok(first)]).chain(stream::once(rest)))
}
