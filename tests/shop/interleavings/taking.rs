//! The last piece, the current version, the one refresh token: things that only one can have.

use plaza_tests::{Answer, databases::Databases, hold::Hold, shop::PASSWORD};
use serde_json::{Value, json};

use super::{BOTH_TURNS, Turn, hold, meet};
use crate::shop;

fn in_order<T>(turn: Turn, one: T, other: T) -> (T, T) {
    match turn {
        Turn::AsNamed => (one, other),
        Turn::Reversed => (other, one),
    }
}

#[tokio::test]
async fn the_last_piece_goes_to_who_came_first() {
    for turn in BOTH_TURNS {
        let product = shop().product("10.00", 1).await;
        let (one, other) = (shop().customer().await, shop().customer().await);
        let held = hold("products_database", "products", product).await;
        let lines = [(product, 1)];
        let answers = meet(held, turn, one.try_order(&lines), other.try_order(&lines)).await;
        let (first, second) = in_order(turn, answers.0, answers.1);
        first.expect(201);
        second.problem(409);
        assert_eq!(shop().stock(product).await, 0);
    }
}

#[tokio::test]
async fn orders_of_the_same_products_in_opposite_order_do_not_wait_for_one_another_for_ever() {
    let (first, second) = (shop().product("10.00", 2).await, shop().product("10.00", 2).await);
    let (one, other) = (shop().customer().await, shop().customer().await);
    let held = hold("products_database", "products", first).await;
    let (forth, back) = ([(first, 1), (second, 1)], [(second, 1), (first, 1)]);
    let answers = meet(held, Turn::AsNamed, one.try_order(&forth), other.try_order(&back)).await;
    answers.0.expect(201);
    answers.1.expect(201);
}

#[tokio::test]
async fn of_two_changes_to_the_same_version_the_first_is_made() {
    let path = format!("/api/v1/products/{}", shop().product("10.00", 1).await);
    let id = path.rsplit('/').next().unwrap().parse().unwrap();
    let admin = shop().admin().await;
    for turn in BOTH_TURNS {
        let tag = admin.get(&path).await.expect(200).header("etag").to_owned();
        let change = async |name: &str| admin.patch(&path, &json!({"name": name})).header("if-match", &tag).await;
        let held = hold("products_database", "products", id).await;
        let answers = meet(held, turn, change("Cup"), change("Mug")).await;
        let (first, second) = in_order(turn, answers.0, answers.1);
        let name = first.expect(200).json()["name"].clone();
        second.problem(412);
        assert_eq!(admin.get(&path).await.expect(200).json()["name"], name);
    }
}

#[tokio::test]
async fn a_refresh_token_sent_twice_at_once_opens_one_session_and_ends_it() {
    let customer = shop().customer().await;
    let anyone = shop().anyone();
    let credentials = json!({"email": customer.email, "password": PASSWORD});
    let session = anyone.post("/api/v1/sessions", &credentials).await.expect(201).json();
    let refresh = async |session: &Value| -> Answer {
        let body = json!({"refresh_token": session["refresh_token"]});
        anyone.post("/api/v1/sessions/refresh", &body).await
    };
    let mine = format!(
        "SELECT FROM refresh_tokens WHERE session_id IN (SELECT id FROM sessions WHERE user_id = {}) FOR UPDATE",
        customer.id
    );
    let held = Hold::by(&Databases::of(&shop().host), "users_database", &mine).await;
    let (first, second) = meet(held, Turn::AsNamed, refresh(&session), refresh(&session)).await;
    let fresh = first.expect(201).json();
    second.problem(401);
    refresh(&fresh).await.problem(401);
}

#[tokio::test]
async fn a_log_in_and_a_new_password_that_meet_at_the_account_leave_no_session() {
    for turn in BOTH_TURNS {
        let (customer, anyone) = (shop().customer().await, shop().anyone());
        let credentials = json!({"email": customer.email, "password": PASSWORD});
        let path = format!("/api/v1/users/{}/password", customer.id);
        let renewed = json!({"current": PASSWORD, "new": "another horse battery"});
        let held = hold("users_database", "users", customer.id).await;
        let log_in = async { anyone.post("/api/v1/sessions", &credentials).await };
        let change = async { customer.client.request("PUT", &path).json(&renewed).await };
        // Whoever waits in line has looked at the old password and found it right.
        let (opened, changed) = meet(held, turn, log_in, change).await;
        changed.expect(204);
        match turn {
            Turn::Reversed => drop(opened.problem(401)),
            Turn::AsNamed => {
                let session = opened.expect(201).json();
                let body = json!({"refresh_token": session["refresh_token"]});
                anyone.post("/api/v1/sessions/refresh", &body).await.problem(401);
            }
        }
    }
}
