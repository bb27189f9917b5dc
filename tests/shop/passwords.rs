//! Passwords, and how they are kept.

use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use plaza_tests::{
    databases::Databases,
    shop::{Customer, PASSWORD},
};
use serde_json::json;

use crate::shop;

/// How the password of an account is kept.
async fn kept(customer: &Customer) -> String {
    let query = format!("SELECT password_hash FROM users WHERE id = {}", customer.id);
    Databases::of(&shop().host).rows::<(String,)>("users_database", &query).await.remove(0).0
}

/// The settings that a hash was made with: all in front of salt and hash.
fn settings(hash: &str) -> &str {
    let end = hash.match_indices('$').nth(3).expect("a PHC string").0;
    &hash[..end]
}

async fn log_in(customer: &Customer, password: &str) -> plaza_tests::Answer {
    shop().anyone().post("/api/v1/sessions", &json!({"email": customer.email, "password": password})).await
}

#[tokio::test]
async fn a_password_is_kept_as_argon2id_of_at_least_19_mib_and_two_passes() {
    let hash = kept(&shop().customer().await).await;
    let settings: Vec<&str> = settings(&hash).split(['$', ',']).collect();
    let ["", "argon2id", "v=19", memory, passes, lanes] = settings[..] else { panic!("{hash}") };
    let number = |text: &str| -> u32 { text[2..].parse().unwrap() };
    assert!(number(memory) >= 19_456 && number(passes) >= 2 && number(lanes) >= 1, "{hash}");
}

#[tokio::test]
async fn a_password_kept_by_weaker_settings_is_hashed_anew_when_its_owner_logs_in() {
    let customer = shop().customer().await;
    let strong = kept(&customer).await;
    for (memory_kib, passes) in [(4_096, 2), (19_456, 1)] {
        let params = Params::new(memory_kib, passes, 1, None).unwrap();
        let weaker =
            Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password(PASSWORD.as_bytes()).unwrap();
        let weaken = format!("UPDATE users SET password_hash = '{weaker}' WHERE id = {}", customer.id);
        Databases::of(&shop().host).execute("users_database", &weaken).await;

        let session = log_in(&customer, PASSWORD).await.expect(201).json();
        let anew = kept(&customer).await;
        assert_eq!(settings(&anew), settings(&strong));
        assert_ne!(anew, strong, "with a salt of its own");
        let refresh = json!({"refresh_token": session["refresh_token"]});
        shop().anyone().post("/api/v1/sessions/refresh", &refresh).await.expect(201);
        log_in(&customer, PASSWORD).await.expect(201);
        assert_eq!(kept(&customer).await, anew, "and then it stays");
    }
}

#[tokio::test]
async fn a_wrong_password_changes_nothing_of_how_the_right_one_is_kept() {
    let customer = shop().customer().await;
    let params = Params::new(4_096, 2, 1, None).unwrap();
    let weaker = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password(PASSWORD.as_bytes()).unwrap();
    let weaken = format!("UPDATE users SET password_hash = '{weaker}' WHERE id = {}", customer.id);
    Databases::of(&shop().host).execute("users_database", &weaken).await;
    log_in(&customer, "not the password").await.problem(401);
    assert_eq!(kept(&customer).await, weaker.to_string());
}

#[tokio::test]
async fn a_new_password_that_is_not_sound_tells_nothing_of_the_current_one() {
    let customer = shop().customer().await;
    let path = format!("/api/v1/users/{}/password", customer.id);
    let change = async |current: &str| {
        let body = json!({"current": current, "new": "short"});
        let mut problem = customer.client.request("PUT", &path).json(&body).await.problem(422);
        problem.as_object_mut().unwrap().remove("request_id");
        problem
    };
    let right = change(PASSWORD).await;
    assert_eq!(right["errors"].as_array().unwrap().len(), 1, "{right}");
    // It was not looked at, so it costs no waiting either, however often.
    for _ in 0..12 {
        assert_eq!(change("not the password").await, right);
    }
    let body = json!({"current": PASSWORD, "new": "another horse battery"});
    customer.client.request("PUT", &path).json(&body).await.expect(204);
}
