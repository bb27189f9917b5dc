//! Card numbers: the shop takes a provider's tokens, and of a card it neither keeps, repeats nor logs anything.

use plaza_tests::{
    databases::Databases,
    shop::{Customer, fresh_key, id_of},
};

use crate::shop;

/// A number that passes the Luhn check, in the ways in which it may come.
const WRITTEN: &[&str] = &[
    "5105105105105100",
    "5105 1051 0510 5100",
    "5105-1051-0510-5100",
    "5105.1051.0510.5100",
    "5105 - 1051 - 0510 - 5100",
    "my card: 5105105105105100!",
    "5105 1051 0510 5100 123",
    "order 17 5105105105105100 12.30",
    "tok-5105105105105100-123",
    r"\u0035105105105105100",
    r"510510510510510\u0030",
];

/// A customer with a payment, which is made where `paid` says so.
async fn payment(paid: bool) -> (Customer, i64) {
    let product = shop().product("10.00", 5).await;
    let customer = shop().customer().await;
    let order = id_of(&customer.order(&[(product, 1)]).await);
    let payment = id_of(&customer.payment_of(order).await);
    if paid {
        customer.pay(order).await;
    }
    (customer, payment)
}

#[tokio::test]
async fn a_body_with_something_like_a_card_number_is_refused_wherever_it_stands() {
    let (customer, open) = payment(false).await;
    let (_, made) = payment(true).await;
    let (confirm, refunds) = (format!("/api/v1/payments/{open}/confirm"), format!("/api/v1/payments/{made}/refunds"));
    let admin = shop().admin().await;
    for written in WRITTEN {
        for (client, path, body) in [
            (&customer.client, &confirm, format!(r#"{{"token": "{written}"}}"#)),
            (&customer.client, &confirm, format!(r#"{{"token": "tok_ok", "card": "{written}"}}"#)),
            (&customer.client, &confirm, format!(r#"{{"token": "tok_ok", "more": [{{"a": ["{written}"]}}]}}"#)),
            (&customer.client, &confirm, format!(r#"{{"token": "tok_ok", "{written}": 1}}"#)),
            (&customer.client, &confirm, r#"{"token": "tok_ok", "card": 5105105105105100}"#.to_owned()),
            (&admin, &refunds, format!(r#"{{"amount": 1.00, "reason": "{written}"}}"#)),
        ] {
            let request = client.request("POST", path).key(&fresh_key()).header("content-type", "application/json");
            let answer = request.body(body.as_str()).await;
            let problem = answer.problem(422);
            // The request's id is random, and may have any digits.
            let said = format!("{} {} {}", problem["title"], problem["detail"], problem["errors"]);
            assert!(!said.contains("5100"), "{said}");
            assert_eq!(problem["errors"][0]["field"], "body", "after {body}: {problem}");
        }
    }
    let output = shop().host.all_output();
    assert!(!output.contains("5105105") && !output.contains("5105 1051") && !output.contains("5105-1051"));
    let kept = "SELECT (SELECT count(*) FROM attempts WHERE token LIKE '%5100%')
        + (SELECT count(*) FROM refunds WHERE reason LIKE '%5100%')
        + (SELECT count(*) FROM idempotency_keys WHERE answer::text LIKE '%5100%')";
    assert_eq!(Databases::of(&shop().host).number("payments_database", kept).await, 0);
    customer.confirm(open, "tok_ok").await.expect(200);
}

#[tokio::test]
async fn other_long_numbers_are_no_cards() {
    let (_, made) = payment(true).await;
    let admin = shop().admin().await;
    for reason in ["5105105105105101", "parcel 340434161094042557", "2026-11-24 14:28:59", "call 0800 123 45 67"] {
        let body = serde_json::json!({"amount": 0.50, "reason": reason});
        admin.post(&format!("/api/v1/payments/{made}/refunds"), &body).key(&fresh_key()).await.expect(201);
    }
}
