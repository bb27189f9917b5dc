//! What customers ask for: mostly to look, now and then to order.

use plaza_tests::{
    Shop,
    shop::{PASSWORD, id_of, log_in, order_body},
};

use crate::load::Target;

/// Products that the orders are spread over.
const PRODUCTS: usize = 50;

/// Requests, each read as often as it stands there.
pub struct Mix {
    order: Target,
    /// One request in so many orders.
    order_every: usize,
    reads: Vec<Target>,
}

impl Mix {
    /// Of a fresh customer, whose access token is good for ten minutes.
    pub async fn of(shop: &Shop, order_every: usize) -> Self {
        let customer = shop.customer().await;
        let mut products = Vec::new();
        for _ in 0..PRODUCTS {
            products.push(shop.product("19.99", 1_000_000).await);
        }
        let token = log_in(&shop.anyone(), &customer.email, PASSWORD).await;
        let base = shop.host.base();
        let bodies = (0..PRODUCTS).map(|number| {
            let line = |step: usize| (products[(number + step) % PRODUCTS], 1);
            order_body(&[line(0), line(7)]).to_string()
        });
        let order = Target::post(base, "/api/v1/orders", &token, bodies.collect());
        let mut reads = Vec::new();
        for product in products.iter().take(11) {
            reads.push(Target::get(base, &format!("/api/v1/products/{product}")));
        }
        let first = id_of(&customer.order(&[(products[0], 1)]).await);
        for path in [
            "/api/v1/products?limit=10".to_owned(),
            format!("/api/v1/orders/{first}"),
            format!("/api/v1/orders/{first}"),
            "/api/v1/orders?limit=10".to_owned(),
            format!("/api/v1/users/{}", customer.id),
            format!("/api/v1/users/{}", customer.id),
            format!("/api/v1/payments?orderId={first}"),
            format!("/api/v1/payments?orderId={first}"),
        ] {
            reads.push(Target::get(base, &path).with_token(&token));
        }
        Self { order, order_every, reads }
    }

    /// The request that is made at this place; whether it orders.
    pub fn at(&self, place: usize) -> (&Target, bool) {
        match place.is_multiple_of(self.order_every) {
            true => (&self.order, true),
            false => (&self.reads[place % self.reads.len()], false),
        }
    }

    /// The order that [`Mix::of`] itself has placed.
    pub const PLACED: usize = 1;
}
