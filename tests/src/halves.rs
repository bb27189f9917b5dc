//! The shop on two hosts, of which each serves a part and asks the other one over HTTP.

use std::collections::BTreeSet;

use toml::{Table, Value};

use crate::{
    Host, Setup, Shop,
    manifest::{Manifest, application},
    shop::Customer,
    token::TokenKey,
};

/// What is on the first host: accounts, stock, and who moves the money.
pub const FIRST: [&str; 4] = ["users", "passwords", "products", "payment-sandbox"];
/// What is on the second.
pub const SECOND: [&str; 3] = ["orders", "payments", "notifications"];
/// What stands in for those of the other host.
const CLIENTS: &str = "services-elsewhere";
/// What Spin composes into whoever asks another; the lines that name it stay.
const COMPOSED: &str = "rest-clients";
/// By which they know one another.
pub const SERVICE_TOKEN: &str = "service_token=what both halves know";

/// Two hosts that are one shop. They share two keys, and nothing else.
pub struct Halves {
    /// Accounts and stock.
    pub first: Shop,
    /// Orders and payments.
    pub second: Host,
}

impl Halves {
    /// Starts both; `adjust` is what they have in common.
    pub fn start(adjust: impl Fn(Setup) -> Setup) -> Self {
        let [private, public] = TokenKey::of(7).variables();
        let half = |components: &[&str]| {
            let setup = Setup::shop().manifest_in(part(components));
            adjust(setup.variable(&public).variable(SERVICE_TOKEN))
        };
        let first = Shop::on(half(&FIRST).variable(&private).start());
        let elsewhere = ["users_base_url", "products_base_url", "payment_provider_base_url"];
        let second = elsewhere
            .iter()
            .fold(half(&SECOND), |setup, name| setup.variable(&format!("{name}={}", first.host.base())))
            .start();
        Self { first, second }
    }

    /// A new customer, who speaks to the second half.
    pub async fn customer(&self) -> Customer {
        let customer = self.first.customer().await;
        Customer { client: customer.client.at(self.second.base()), ..customer }
    }
}

/// The shop's manifest with these components only. What the others provide is asked of the other host, and a route that is
/// private leads there too.
fn part(components: &[&str]) -> Manifest {
    let mut application = application();
    let kept = |id: &str| components.contains(&id) || [CLIENTS, COMPOSED].contains(&id);
    let table = application["component"].as_table_mut().expect("components");
    table.retain(|id, _| kept(id));
    for (_, component) in table.iter_mut() {
        link_elsewhere(component, kept);
    }
    let names = named(&Value::Table(table.clone()));
    application["variables"].as_table_mut().expect("variables").retain(|name, _| names.contains(name));
    let generate = application["application"]["tool"]["plaza"]["generate"].as_table_mut().expect("what is generated");
    generate.retain(|name, _| names.contains(name));
    let routes = application["trigger"]["http"].as_array_mut().expect("routes");
    routes.retain(|trigger| trigger["component"].as_str().is_some_and(kept));
    for trigger in routes {
        let component = trigger["component"].as_str().expect("a component").to_owned();
        let private = trigger["route"].is_table();
        let trigger = trigger.as_table_mut().filter(|_| private);
        trigger.map(|trigger| trigger.insert("route".to_owned(), format!("/internal/{component}/...").into()));
    }
    Manifest::of_text(&application.to_string())
}

/// Where somebody is linked who is not kept, others stand in.
fn link_elsewhere(component: &mut Value, kept: impl Fn(&str) -> bool) {
    let links = ["tool", "plaza", "dependencies"].iter().try_fold(component, |table, name| table.get_mut(name));
    for (_, provider) in links.and_then(Value::as_table_mut).into_iter().flatten() {
        if !provider["component"].as_str().is_some_and(&kept) {
            *provider = Table::from_iter([("component".to_owned(), CLIENTS.into())]).into();
        }
    }
}

/// The variables that a value names.
fn named(value: &Value) -> BTreeSet<String> {
    let text = value.to_string();
    let names = text.split("{{").skip(1).filter_map(|rest| rest.split("}}").next());
    names.map(|name| name.trim().to_owned()).collect()
}
