//! The services that can be asked.

use kit::{internal::NoArguments, settings};
use serde::{Serialize, de::DeserializeOwned};

use super::address::Address;
use crate::domain::ask::ask;
use crate::domain::failure::Failure;
use crate::domain::question::{Manner, Question};

/// The arguments of a function that has none.
pub const NOTHING: &NoArguments = &[];

/// Accounts.
pub const USERS: Service = Service { component: Name::Fixed("users"), base_url: "users_base_url" };
/// The stock.
pub const PRODUCTS: Service = Service { component: Name::Fixed("products"), base_url: "products_base_url" };
/// Orders.
pub const ORDERS: Service = Service { component: Name::Fixed("orders"), base_url: "orders_base_url" };
/// Payments.
pub const PAYMENTS: Service = Service { component: Name::Fixed("payments"), base_url: "payments_base_url" };
/// Whoever moves the money.
pub const PROVIDER: Service = Service {
    component: Name::Variable { name: "payment_provider", default: "payment-sandbox" },
    base_url: "payment_provider_base_url",
};

/// A component that answers below `/internal/<component>/`.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    component: Name,
    /// The variable with the address where it is.
    base_url: &'static str,
}

/// A component's name.
#[derive(Clone, Copy, Debug)]
enum Name {
    Fixed(&'static str),
    /// One of several that offer the same, named by a variable.
    Variable {
        name: &'static str,
        default: &'static str,
    },
}

impl Service {
    /// What a function of it answers. A failure says who it is that has not answered.
    pub async fn ask<A: Serialize, T: DeserializeOwned>(
        self,
        function: &'static str,
        arguments: &A,
        manner: Manner,
    ) -> Result<T, Unanswered> {
        let component = self.component().await;
        let answer = self.exchange(&component, function, arguments, manner).await;
        answer.map_err(|failure| {
            eprintln!("warning: {function} of {component}: {failure}");
            Unanswered { component, failure }
        })
    }

    async fn exchange<A: Serialize, T: DeserializeOwned>(
        self,
        component: &str,
        function: &'static str,
        arguments: &A,
        manner: Manner,
    ) -> Result<T, Failure> {
        let base = settings::get_or(self.base_url, &format!("http://{component}.spin.internal")).await;
        let token = settings::get(kit::service_token::VARIABLE).await;
        let address = Address {
            base: base.trim_end_matches('/').to_owned(),
            component: component.to_owned(),
            token: token.map_err(|error| Failure::Unset(error.to_string()))?,
        };
        let arguments = serde_json::to_vec(arguments).map_err(|error| Failure::Unset(error.to_string()))?;
        let answer = ask(&address, &Question { function, arguments, manner }).await?;
        serde_json::from_slice(&answer).map_err(|error| Failure::Unreadable(error.to_string()))
    }

    async fn component(self) -> String {
        match self.component {
            Name::Fixed(name) => name.to_owned(),
            Name::Variable { name, default } => settings::get_or(name, default).await,
        }
    }
}

/// Somebody has not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{component} {failure}")]
pub struct Unanswered {
    component: String,
    failure: Failure,
}
