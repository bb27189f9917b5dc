//! Everybody who asks, and a fresh thing for each to ask about.

use futures::{StreamExt, future::join_all, stream};
use plaza_tests::{
    Client, sandbox,
    shop::{Customer, PASSWORD, fresh_email, id_of},
    token::{claims, now_s},
};
use serde_json::{Value, json};

use super::{CALLERS, shop};
use crate::TOKEN_KEY;

/// The place of the deactivated owner in [`CALLERS`].
const DEACTIVATED: usize = 4;

/// Things made at once: fewer than log-ins to one account that may be under way before one has to wait.
const MAKERS: usize = 4;

/// What an endpoint is asked about.
#[derive(Clone, Copy)]
pub enum Thing {
    Nothing,
    Account,
    Session,
    Product,
    PendingOrder,
    PaidOrder,
    ShippedOrder,
    Payment,
    PaidPayment,
    WaitingPayment,
}

/// A thing, made for one question.
pub struct Made {
    thing: Thing,
    /// What stands at the `{id}` of the path.
    pub id: i64,
    /// The address of the account that it belongs to.
    email: String,
    /// A refresh token, or the key under which the provider knows a charge.
    secret: String,
}

pub struct Stage {
    callers: Vec<Client>,
    things: Vec<Made>,
    admin: Client,
}

impl Stage {
    /// Makes one thing for each row and each caller, and then deactivates the one.
    pub async fn set(rows: impl Iterator<Item = Thing>) -> Self {
        let customers = join_all((0..3).map(|_| shop().customer())).await;
        let [owner, another, deactivated] = &customers[..] else { unreachable!("three were made") };
        let cells = rows.flat_map(|thing| (0..CALLERS.len()).map(move |caller| (thing, caller)));
        let making = cells.map(|(thing, caller)| make(thing, if caller == DEACTIVATED { deactivated } else { owner }));
        let things = stream::iter(making).buffered(MAKERS).collect().await;
        let (anyone, admin) = (shop().anyone(), shop().admin().await);
        let off = json!({"active": false});
        admin.patch(&format!("/api/v1/users/{}", deactivated.id), &off).await.expect(200);

        let key = &TOKEN_KEY;
        let mut expired = claims(owner.id, "admin");
        expired["exp"] = json!(now_s() - 1);
        let expired = key.sign(&key.header(), &expired);
        let forged = plaza_tests::token::TokenKey::of(2).sign(&key.header(), &claims(owner.id, "admin"));
        let callers = vec![
            anyone.clone(),
            owner.client.clone(),
            another.client.clone(),
            admin.clone(),
            deactivated.client.clone(),
            anyone.with_token(&expired),
            anyone.with_token(&forged),
        ];
        Self { callers, things, admin }
    }

    /// Who asks, by the place in [`CALLERS`].
    pub fn client(&self, caller: usize) -> Client {
        self.callers[caller].clone()
    }

    /// What was made for this row of the table and this caller.
    pub fn made(&self, row: usize, caller: usize) -> &Made {
        &self.things[row * CALLERS.len() + caller]
    }

    /// The thing as the administrator sees it; nothing where there is nothing to see.
    pub async fn look_at(&self, made: &Made) -> Option<(String, String)> {
        let kind = match made.thing {
            Thing::Nothing | Thing::Session => return None,
            Thing::Account => "users",
            Thing::Product => "products",
            Thing::PendingOrder | Thing::PaidOrder | Thing::ShippedOrder => "orders",
            Thing::Payment | Thing::PaidPayment | Thing::WaitingPayment => "payments",
        };
        let seen = self.admin.get(&format!("/api/v1/{kind}/{}", made.id)).await.expect(200);
        Some((seen.header("etag").to_owned(), seen.text()))
    }
}

impl Made {
    /// What this request needs to be sound; nothing where it has no body.
    pub fn body(&self, method: &str, path: &str) -> Option<Value> {
        Some(match (method, path) {
            ("POST", "/api/v1/users") => json!({"name": "Ada", "email": fresh_email(), "password": PASSWORD}),
            ("PATCH", "/api/v1/users/{id}") => json!({"name": "Ada Byron"}),
            ("PUT", "/api/v1/users/{id}/password") => json!({"current": PASSWORD, "new": PASSWORD}),
            ("POST", "/api/v1/sessions") => json!({"email": self.email, "password": PASSWORD}),
            ("POST", "/api/v1/sessions/refresh") => json!({"refresh_token": self.secret}),
            ("POST", "/api/v1/products") => json!({"name": "Teapot", "category": "kitchen", "price": 1.00}),
            ("PATCH", "/api/v1/products/{id}") => json!({"name": "Tall teapot"}),
            ("POST", "/api/v1/products/{id}/stock") => json!({"delta": 1, "reason": "count"}),
            ("POST", "/api/v1/orders") => json!({"items": [{"productId": self.id, "quantity": 1}]}),
            ("POST", "/api/v1/orders/{id}/ship") => json!({"carrier": "Mule", "tracking": "M-17"}),
            ("POST", "/api/v1/payments/{id}/confirm") => json!({"token": "tok_ok"}),
            ("POST", "/api/v1/payments/{id}/refunds") => json!({"amount": 0.50, "reason": "a scratch"}),
            ("POST", "/api/v1/payments/webhooks/{provider}") => {
                json!({"id": format!("evt-{}", self.id), "key": self.secret, "outcome": "succeeded"})
            }
            _ => return None,
        })
    }

    /// What vouches for the request beside a token: the provider's signature.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        match (self.thing, self.body("POST", "/api/v1/payments/webhooks/{provider}")) {
            (Thing::WaitingPayment, Some(body)) => sandbox::headers(&body.to_string(), sandbox::SECRET, now_s()).into(),
            _ => Vec::new(),
        }
    }
}

async fn make(thing: Thing, owner: &Customer) -> Made {
    let mut made = Made { thing, id: owner.id, email: owner.email.clone(), secret: String::new() };
    match thing {
        Thing::Nothing | Thing::Account => {}
        Thing::Session => {
            let body = json!({"email": owner.email, "password": PASSWORD});
            let session = shop().anyone().post("/api/v1/sessions", &body).await.expect(201).json();
            session["refresh_token"].as_str().expect("a token").clone_into(&mut made.secret);
        }
        Thing::Product => made.id = shop().product("1.00", 5).await,
        Thing::PendingOrder => made.id = order(owner).await,
        Thing::PaidOrder | Thing::ShippedOrder => {
            made.id = order(owner).await;
            owner.pay(made.id).await;
        }
        Thing::Payment | Thing::WaitingPayment => made.id = id_of(&owner.payment_of(order(owner).await).await),
        Thing::PaidPayment => {
            let order = order(owner).await;
            owner.pay(order).await;
            made.id = id_of(&owner.payment_of(order).await);
        }
    }
    if matches!(thing, Thing::ShippedOrder) {
        let shipment = json!({"carrier": "Mule", "tracking": "M-17"});
        let admin = shop().admin().await;
        admin.post(&format!("/api/v1/orders/{}/ship", made.id), &shipment).await.expect(200);
    }
    if matches!(thing, Thing::WaitingPayment) {
        owner.confirm(made.id, "tok_3ds").await.expect(202);
        made.secret = format!("payment-{}-1", made.id);
    }
    made
}

/// Places an order of one piece at 1.00.
async fn order(owner: &Customer) -> i64 {
    let product = shop().product("1.00", 1).await;
    id_of(&owner.order(&[(product, 1)]).await)
}
