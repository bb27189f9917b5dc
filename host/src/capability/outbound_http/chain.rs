//! Requests that stay within the application.

use std::{any::Any, sync::Arc};

use http::{Request, Response};
use wasmtime_wasi_http::{Result, WasiBody};

/// Carries a guest's request to a component of the same application, without a network.
#[async_trait::async_trait]
pub trait Chain: Send + Sync {
    /// The answer of `target` to `request`, whose URI is as the guest wrote it.
    async fn call(&self, target: ChainTarget, request: Request<WasiBody>) -> Result<Response<WasiBody>>;
}

/// What a request is sent for, in the request's extensions. What it is, those know who let the guest be asked and who carry the
/// request on.
#[derive(Clone)]
pub struct OnBehalfOf(pub Arc<dyn Any + Send + Sync>);

/// Whom a request within the application is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainTarget {
    /// The application itself (`http://self/…`, Spin's `http://self.alt/…`): its routes decide.
    Itself,
    /// The component with this id (`http://<id>.spin.internal/…`).
    Component(String),
}

impl ChainTarget {
    /// The target that `host` names, or `None` when it names a machine.
    pub(super) fn of(host: &str) -> Option<Self> {
        match host.strip_suffix(".spin.internal") {
            Some(component) => Some(Self::Component(component.to_owned())),
            None if matches!(host, "self" | "self.alt") => Some(Self::Itself),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_the_application_are_chained() {
        assert_eq!(ChainTarget::of("self"), Some(ChainTarget::Itself));
        assert_eq!(ChainTarget::of("self.alt"), Some(ChainTarget::Itself));
        assert_eq!(ChainTarget::of("users.spin.internal"), Some(ChainTarget::Component("users".into())));
        assert_eq!(ChainTarget::of("self.example.com"), None);
        assert_eq!(ChainTarget::of("spin.internal"), None);
    }
}
