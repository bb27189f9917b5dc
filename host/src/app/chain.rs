//! Requests that stay within the application (`http://<id>.spin.internal`, `http://self`): who answers them.

use std::sync::{Arc, OnceLock, Weak};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use http::{Request, Response};
use wasmtime_wasi_http::{Error, Result, WasiBody};

use crate::{
    capability::outbound_http::{Chain, ChainTarget, OnBehalfOf},
    server::{Caller, Directory, answer_within},
    service::CallContext,
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

    fn directory(&self) -> Option<Arc<Directory>> {
        Some(self.0.get()?.upgrade()?.load_full())
    }
}

#[async_trait]
impl Chain for Within {
    async fn call(&self, target: ChainTarget, mut request: Request<WasiBody>) -> Result<Response<WasiBody>> {
        // Nobody answers before the start is through, and after the stop.
        let directory = self.neighbourhood.directory().ok_or(Error::DestinationUnavailable)?;
        let context = request.extensions_mut().remove::<OnBehalfOf>();
        let context = context.and_then(|OnBehalfOf(context)| context.downcast::<CallContext>().ok());
        let caller = Caller { component: self.caller.clone(), context };
        let component = match &target {
            ChainTarget::Itself => None,
            ChainTarget::Component(id) if directory.services.contains_key(id.as_str()) => Some(id.as_str()),
            ChainTarget::Component(_) => return Err(Error::DestinationNotFound),
        };
        Ok(answer_within(&directory, &caller, component, request).await)
    }
}
