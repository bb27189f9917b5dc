//! The shop as its customers and its administrator see it.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::{Answer, Client, Host, Setup, until};

/// The password of every customer that the tests register.
pub const PASSWORD: &str = "correct horse battery";

/// How long a token of the administrator is used: half of the time that it is good for.
const TOKEN_KEPT: Duration = Duration::from_secs(300);

/// A running shop and its administrator.
pub struct Shop {
    /// The host that serves it.
    pub host: Host,
    admin_password: String,
    admin_token: Mutex<Option<(String, Instant)>>,
}

/// A registered and logged-in customer.
pub struct Customer {
    /// The account's number.
    pub id: i64,
    /// The address it registered with.
    pub email: String,
    /// The customer, speaking.
    pub client: Client,
}

impl Shop {
    /// Starts a shop with nothing in it.
    pub fn start() -> Self {
        Self::on(Setup::shop().start())
    }

    /// The shop that this host serves for the first time.
    pub fn on(host: Host) -> Self {
        let admin_password = host.password();
        Self { host, admin_password, admin_token: Mutex::default() }
    }

    /// Ends the host without warning and starts it again, at the same address, on what it left.
    pub fn killed_and_started_again(self) -> Self {
        self.killed_and_served_by(|setup| setup)
    }

    /// Ends the host without warning and serves the shop by this setup, at the same address, on what it left.
    pub fn killed_and_served_by(self, setup: impl FnOnce(Setup) -> Setup) -> Self {
        Self { host: setup(self.host.kill()).start(), ..self }
    }

    /// The administrator's password.
    pub fn admin_password(&self) -> &str {
        &self.admin_password
    }

    /// Somebody who has not logged in.
    pub fn anyone(&self) -> Client {
        self.host.client()
    }

    /// The administrator.
    pub async fn admin(&self) -> Client {
        let mut kept = self.admin_token.lock().await;
        let token = match &*kept {
            Some((token, since)) if since.elapsed() < TOKEN_KEPT => token.clone(),
            _ => {
                let token = log_in(&self.anyone(), "admin@example.com", &self.admin_password).await;
                kept.insert((token, Instant::now())).0.clone()
            }
        };
        self.anyone().with_token(&token)
    }

    /// A new customer.
    pub async fn customer(&self) -> Customer {
        let email = fresh_email();
        let anyone = self.anyone();
        let registration = json!({"name": "Ada Lovelace", "email": email, "password": PASSWORD});
        let user = anyone.post("/api/v1/users", &registration).await.expect(201).json();
        let token = log_in(&anyone, &email, PASSWORD).await;
        Customer { id: id_of(&user), email, client: anyone.with_token(&token) }
    }

    /// A new product with this price, written as JSON writes it, and this many pieces.
    pub async fn product(&self, price: &str, stock: i64) -> i64 {
        let price: Value = serde_json::from_str(price).expect("a number");
        let product = json!({
            "name": "Teapot", "description": "Holds one litre", "category": "kitchen", "price": price, "stock": stock,
        });
        let admin = self.admin().await;
        id_of(&admin.post("/api/v1/products", &product).await.expect(201).json())
    }

    /// What can still be ordered of a product.
    pub async fn stock(&self, product: i64) -> i64 {
        let product = self.anyone().get(&format!("/api/v1/products/{product}")).await.expect(200).json();
        product["stock"].as_i64().expect("a number of pieces")
    }
}

impl Customer {
    /// Asks for an order under a fresh key.
    pub async fn try_order(&self, lines: &[(i64, i64)]) -> Answer {
        self.client.post("/api/v1/orders", &order_body(lines)).key(&fresh_key()).await
    }

    /// Places an order.
    pub async fn order(&self, lines: &[(i64, i64)]) -> Value {
        self.try_order(lines).await.expect(201).json()
    }

    /// An order as it is now.
    pub async fn read_order(&self, order: i64) -> Value {
        self.client.get(&format!("/api/v1/orders/{order}")).await.expect(200).json()
    }

    /// Waits until an order has this status.
    pub async fn order_becomes(&self, order: i64, status: &str) -> Value {
        until(&format!("order {order} is {status}"), async || {
            let order = self.read_order(order).await;
            (order["status"] == status).then_some(order)
        })
        .await
    }

    /// Waits until the payment of an order has been opened.
    pub async fn payment_of(&self, order: i64) -> Value {
        until(&format!("order {order} has a payment"), async || {
            let list = self.client.get(&format!("/api/v1/payments?orderId={order}")).await.expect(200).json();
            list.get(0).cloned()
        })
        .await
    }

    /// Waits until a payment has this status.
    pub async fn payment_becomes(&self, payment: i64, status: &str) -> Value {
        until(&format!("payment {payment} is {status}"), async || {
            let payment = self.client.get(&format!("/api/v1/payments/{payment}")).await.expect(200).json();
            (payment["status"] == status).then_some(payment)
        })
        .await
    }

    /// Confirms a payment with a provider's token, under a fresh key.
    pub async fn confirm(&self, payment: i64, token: &str) -> Answer {
        let path = format!("/api/v1/payments/{payment}/confirm");
        self.client.post(&path, &json!({"token": token})).key(&fresh_key()).await
    }

    /// Pays an order and waits until it says so.
    pub async fn pay(&self, order: i64) -> Value {
        let payment = self.payment_of(order).await;
        self.confirm(id_of(&payment), "tok_ok").await.expect(200);
        self.order_becomes(order, "paid").await
    }
}

/// The access token of a session.
pub async fn log_in(client: &Client, email: &str, password: &str) -> String {
    let session = client.post("/api/v1/sessions", &json!({"email": email, "password": password})).await;
    let session = session.expect(201).json();
    session["access_token"].as_str().expect("a token").to_owned()
}

/// The body of an order: products and quantities.
pub fn order_body(lines: &[(i64, i64)]) -> Value {
    let items: Vec<Value> =
        lines.iter().map(|(product, quantity)| json!({"productId": product, "quantity": quantity})).collect();
    json!({"items": items})
}

/// The `id` of a resource.
#[track_caller]
pub fn id_of(resource: &Value) -> i64 {
    resource["id"].as_i64().unwrap_or_else(|| panic!("no id in {resource}"))
}

/// An address that nobody has.
pub fn fresh_email() -> String {
    format!("customer-{}@example.com", next_number())
}

/// An `Idempotency-Key` that nobody has used.
pub fn fresh_key() -> String {
    format!("key-{}", next_number())
}

fn next_number() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}
