//! What customers ask for: mostly to look, now and then to order.

use plaza_tests::{
    Shop,
    shop::{PASSWORD, id_of, log_in, order_body},
};

use crate::load::Target;

/// Products that are looked at and ordered.
const PRODUCTS: usize = 50;

/// How often each kind of reading comes up; a customer mostly looks at products.
const READS: [(usize, Read); 6] = [
    (80, Read::Product),
    (4, Read::Products),
    (4, Read::Order),
    (2, Read::Orders),
    (5, Read::Customer),
    (5, Read::Payments),
];

/// What is read.
#[derive(Clone, Copy)]
enum Read {
    Product,
    Products,
    Order,
    Orders,
    Customer,
    Payments,
}

/// Requests, each read as often as it stands there.
pub struct Mix {
    order: Target,
    /// One request in so many orders.
    order_every: usize,
    /// Each kind is spread over the whole.
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
        let first = id_of(&customer.order(&[(products[0], 1)]).await);
        let path = |read: Read, number: usize| match read {
            Read::Product => format!("/api/v1/products/{}", products[number % PRODUCTS]),
            Read::Products => "/api/v1/products?limit=10".to_owned(),
            Read::Order => format!("/api/v1/orders/{first}"),
            Read::Orders => "/api/v1/orders?limit=10".to_owned(),
            Read::Customer => format!("/api/v1/users/{}", customer.id),
            Read::Payments => format!("/api/v1/payments?orderId={first}"),
        };
        let target = &|read: Read, number: usize| {
            let target = Target::get(base, &path(read, number));
            if matches!(read, Read::Product) { target } else { target.with_token(&token) }
        };
        // Each kind is spread over the whole as evenly as its number allows.
        let spread = |(times, read): (usize, Read)| {
            (0..times).map(move |number| ((number as f64 + 0.5) / times as f64, target(read, number)))
        };
        let mut all: Vec<(f64, Target)> = READS.into_iter().flat_map(spread).collect();
        all.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let reads = all.into_iter().map(|(_, target)| target).collect();
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
