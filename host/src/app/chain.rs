//! Requests that stay within the application (`http://<id>.spin.internal`, `http://self`): who answers them.

use std::sync::{Arc, OnceLock, Weak};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use http::{Request, Response};
use wasmtime_wasi_http::{Error, Result, WasiBody};

use crate::{
    capability::outbound_http::{Chain, ChainTarget, OnBehalfOf},
    guest::Behalf,
    server::{Caller, Directory, answer_within},
};

/// Which services answer which paths, once there are any. It does not keep them alive.
#[derive(Clone, Default)]
pub struct Neighbourhood(Arc<OnceLock<Weak<ArcSwap<Directory>>>>);

/// How the instances of one component ask its neighbours.
pub struct Within {
    /// The component.
    pub caller: Arc<str>,
    /// Whom it can ask.
    pub neighbourhood: Neighbourhood,
}

impl Neighbourhood {
    /// From now on, these answer: the directory as it is at each request.
    pub fn open(&self, directory: &Arc<ArcSwap<Directory>>) {
        _ = self.0.set(Arc::downgrade(directory));
    }

    /// The directory as it is now.
    pub fn directory(&self) -> Option<Arc<Directory>> {
        Some(self.0.get()?.upgrade()?.load_full())
    }

    /// The directory under which a request has begun, which goes on with what was there then; else the one that there is now.
    fn of(&self, behalf: &Behalf) -> Option<Arc<Directory>> {
        let home = match behalf {
            Behalf::Request(context) => context.home.clone(),
            Behalf::Nobody { .. } => None,
        };
        home.and_then(|home| home.downcast::<Directory>().ok()).or_else(|| self.directory())
    }
}

#[async_trait]
impl Chain for Within {
    async fn call(&self, target: ChainTarget, mut request: Request<WasiBody>) -> Result<Response<WasiBody>> {
        let behalf = request.extensions_mut().remove::<OnBehalfOf>();
        let behalf = behalf.and_then(|OnBehalfOf(behalf)| behalf.downcast::<Behalf>().ok());
        let behalf = behalf.map_or(Behalf::Nobody { behind: 0 }, Arc::unwrap_or_clone);
        // Nobody answers before the start is through, and after the stop.
        let directory = self.neighbourhood.of(&behalf).ok_or(Error::DestinationUnavailable)?;
        let caller = Caller { component: self.caller.clone(), behalf };
        let component = match &target {
            ChainTarget::Itself => None,
            ChainTarget::Component(id) if directory.named.contains(id.as_str()) => Some(id.as_str()),
            ChainTarget::Component(id) => {
                tracing::warn!(component = %self.caller, asked = id, "no component of this name has a trigger for HTTP");
                return Err(Error::DestinationNotFound);
            }
        };
        Ok(answer_within(&directory, &caller, component, request).await)
    }
}
