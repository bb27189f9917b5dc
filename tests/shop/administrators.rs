//! Administrators: who stops being one has no say any more, and the last one stays.

use plaza_tests::{
    Answer, Client, Shop,
    databases::Databases,
    hold::Hold,
    shop::{Customer, PASSWORD, fresh_key, id_of, log_in},
};
use serde_json::{Value, json};

use crate::{
    interleavings::{BOTH_TURNS, Turn, meet},
    shop,
};

/// A second administrator with a token that says so.
async fn administrator(shop: &Shop) -> Customer {
    let customer = shop.customer().await;
    let promoted = change(&shop.admin().await, customer.id, json!({"role": "admin"})).await;
    promoted.expect(200);
    let token = log_in(&shop.anyone(), &customer.email, PASSWORD).await;
    Customer { client: shop.anyone().with_token(&token), ..customer }
}

async fn change(by: &Client, id: i64, change: Value) -> Answer {
    by.patch(&format!("/api/v1/users/{id}"), &change).await
}

#[tokio::test]
async fn who_was_demoted_or_deactivated_changes_no_account_though_the_token_says_admin() {
    let admin = shop().admin().await;
    let somebody = shop().customer().await;
    for end in [json!({"active": false}), json!({"role": "customer"})] {
        let former = administrator(shop()).await;
        change(&former.client, somebody.id, json!({"name": "Ada"})).await.expect(200);
        change(&admin, former.id, end.clone()).await.expect(200);
        for (id, wish) in [
            (former.id, json!({"active": true})),
            (former.id, json!({"role": "admin"})),
            (somebody.id, json!({"role": "admin"})),
            (somebody.id, json!({"name": "Eve"})),
        ] {
            change(&former.client, id, wish).await.problem(403);
        }
        let seen = admin.get(&format!("/api/v1/users/{}", former.id)).await.expect(200).json();
        assert!(seen["active"] == false || seen["role"] == "customer", "{seen}");
    }
    let seen = admin.get(&format!("/api/v1/users/{}", somebody.id)).await.expect(200).json();
    assert_eq!((&seen["name"], &seen["role"]), (&json!("Ada"), &json!("customer")));
}

#[tokio::test]
async fn who_was_demoted_or_deactivated_gives_no_money_back() {
    let customer = shop().customer().await;
    let order = id_of(&customer.order(&[(shop().product("10.00", 1).await, 1)]).await);
    customer.pay(order).await;
    let payment = id_of(&customer.payment_of(order).await);
    let refund = async |by: &Client| {
        let body = json!({"amount": 1.00, "reason": "a scratch"});
        by.post(&format!("/api/v1/payments/{payment}/refunds"), &body).key(&fresh_key()).await
    };
    for end in [json!({"active": false}), json!({"role": "customer"})] {
        let former = administrator(shop()).await;
        refund(&former.client).await.expect(201);
        change(&shop().admin().await, former.id, end).await.expect(200);
        refund(&former.client).await.problem(403);
    }
}

#[tokio::test]
async fn who_was_demoted_or_deactivated_changes_no_product_and_moves_no_order() {
    let admin = shop().admin().await;
    let product = shop().product("10.00", 9).await;
    let customer = shop().customer().await;
    let mut orders = Vec::new();
    for _ in 0..3 {
        orders.push(id_of(&customer.order(&[(product, 1)]).await));
    }
    let [paid, shipped, pending] = orders[..] else { unreachable!("three were placed") };
    let carrier = json!({"carrier": "Mule", "tracking": "1"});
    customer.pay(paid).await;
    customer.pay(shipped).await;
    admin.post(&format!("/api/v1/orders/{shipped}/ship"), &carrier).await.expect(200);
    let at = format!("/api/v1/products/{product}");
    // A customer like any other does not even learn that there is such an order.
    for (end, cancels) in [(json!({"active": false}), 403), (json!({"role": "customer"}), 404)] {
        let former = administrator(shop()).await;
        former.client.patch(&at, &json!({"name": "Teapot"})).await.expect(200);
        change(&admin, former.id, end).await.expect(200);
        let new = json!({"name": "Mine", "price": 1.00, "stock": 1});
        former.client.post("/api/v1/products", &new).await.problem(403);
        former.client.patch(&at, &json!({"price": 0.01})).await.problem(403);
        former.client.post(&format!("{at}/stock"), &json!({"delta": -1, "reason": "gone"})).await.problem(403);
        former.client.request("DELETE", &at).await.problem(403);
        former.client.post(&format!("/api/v1/orders/{paid}/ship"), &carrier).await.problem(403);
        former.client.post(&format!("/api/v1/orders/{shipped}/deliver"), &json!({})).await.problem(403);
        former.client.post(&format!("/api/v1/orders/{pending}/cancel"), &json!({})).await.problem(cancels);
    }
    let seen = admin.get(&at).await.expect(200).json();
    assert_eq!((&seen["name"], &seen["price"]), (&json!("Teapot"), &json!(10.0)));
}

#[tokio::test]
async fn the_last_active_administrator_stays_one() {
    // A shop of its own: in the other one everybody relies on its administrator.
    let shop = Shop::start();
    let (first, second) = (shop.admin().await, administrator(&shop).await);
    let id = Databases::of(&shop.host).number("users_database", "SELECT min(id) FROM users WHERE role = 'admin'").await;
    change(&first, second.id, json!({"active": false})).await.expect(200);
    for end in [json!({"active": false}), json!({"role": "customer"}), json!({"active": false, "role": "customer"})] {
        let problem = change(&first, id, end).await.problem(409);
        assert_eq!(problem["type"], "/problems/last-administrator");
    }
    change(&first, id, json!({"active": true, "role": "admin", "name": "Root"})).await.expect(200);

    shop.host.stop();
}

#[tokio::test]
async fn of_two_administrators_who_end_one_another_the_first_is_left() {
    let shop = Shop::start();
    let (one, other) = (administrator(&shop).await, administrator(&shop).await);
    let databases = Databases::of(&shop.host);
    let the_first_one = "UPDATE users SET active = false WHERE email = 'admin@example.com'";
    databases.execute("users_database", the_first_one).await;
    for turn in BOTH_TURNS {
        let held = Hold::of(&databases, "users_database", "users", one.id).await;
        let end = json!({"role": "customer"});
        let ends = (change(&one.client, other.id, end.clone()), change(&other.client, one.id, end));
        let answers = meet(held, turn, ends.0, ends.1).await;
        let (first, second, ended) = match turn {
            Turn::AsNamed => (answers.0, answers.1, other.id),
            Turn::Reversed => (answers.1, answers.0, one.id),
        };
        first.expect(200);
        assert!([403, 409].contains(&second.status), "{} {}", second.status, second.text());
        let again = format!("UPDATE users SET role = 'admin' WHERE id = {ended}");
        databases.execute("users_database", &again).await;
    }
    shop.host.stop();
}
