//! Access tokens that somebody made up.

use hmac::{Hmac, KeyInit, Mac};
use plaza_tests::token::{TokenKey, claims, encode, now_s, unsigned};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{TOKEN_KEY, shop};

/// The status that whoever sends this token gets for the list of all accounts.
async fn answer_to(token: &str) -> u16 {
    shop().anyone().with_token(token).get("/api/v1/users").await.status
}

#[tokio::test]
async fn a_token_of_the_shops_own_key_is_believed_whoever_made_it() {
    let token = TOKEN_KEY.sign(&TOKEN_KEY.header(), &claims(1, "admin"));
    assert_eq!(answer_to(&token).await, 200);
    let token = TOKEN_KEY.sign(&TOKEN_KEY.header(), &claims(1, "customer"));
    assert_eq!(answer_to(&token).await, 403);
}

#[tokio::test]
async fn a_token_with_another_header_is_401() {
    let (good, claims) = (TOKEN_KEY.header(), claims(1, "admin"));
    for (member, value) in [
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("alg", json!("ES256")),
        ("alg", Value::Null),
        ("kid", json!("another")),
        ("kid", Value::Null),
    ] {
        let mut header = good.clone();
        header[member] = value;
        assert_eq!(answer_to(&TOKEN_KEY.sign(&header, &claims)).await, 401, "{header}");
        assert_eq!(answer_to(&format!("{}.", unsigned(&header, &claims))).await, 401, "{header}, unsigned");
    }
}

#[tokio::test]
async fn a_token_whose_claims_are_not_the_shops_is_401() {
    for (member, value) in [
        ("exp", json!(now_s() - 1)),
        ("exp", json!(0)),
        ("exp", json!("tomorrow")),
        ("exp", Value::Null),
        ("iss", json!("/orders")),
        ("aud", json!("another shop")),
        ("aud", Value::Null),
        ("sub", json!("somebody")),
        ("sub", Value::Null),
        ("role", json!("king")),
    ] {
        let mut claims = claims(1, "admin");
        claims[member] = value;
        assert_eq!(answer_to(&TOKEN_KEY.sign(&TOKEN_KEY.header(), &claims)).await, 401, "{claims}");
    }
}

#[tokio::test]
async fn a_token_that_another_key_has_signed_is_401() {
    let stranger = TokenKey::of(3);
    for header in [TOKEN_KEY.header(), stranger.header()] {
        assert_eq!(answer_to(&stranger.sign(&header, &claims(1, "admin"))).await, 401, "{header}");
    }
    // The public key is known to everybody; taken for a secret it must open nothing.
    let mut header = TOKEN_KEY.header();
    header["alg"] = json!("HS256");
    let signed = unsigned(&header, &claims(1, "admin"));
    for secret in [TOKEN_KEY.public().to_vec(), encode(TOKEN_KEY.public()).into_bytes()] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
        mac.update(signed.as_bytes());
        assert_eq!(answer_to(&format!("{signed}.{}", encode(mac.finalize().into_bytes()))).await, 401);
    }
}

#[tokio::test]
async fn a_signature_is_no_good_under_other_claims() {
    let signature = |token: &str| token.rsplit_once('.').unwrap().1.to_owned();
    let honest = TOKEN_KEY.sign(&TOKEN_KEY.header(), &claims(1, "customer"));
    let greedy = unsigned(&TOKEN_KEY.header(), &claims(1, "admin"));
    assert_eq!(answer_to(&format!("{greedy}.{}", signature(&honest))).await, 401);
    let padded = TOKEN_KEY.sign(&TOKEN_KEY.header(), &claims(1, "admin"));
    for token in [format!("{padded}="), format!("{padded}.{padded}"), format!("a{padded}"), "x".repeat(5000)] {
        assert_eq!(answer_to(&token).await, 401, "{token}");
    }
}
