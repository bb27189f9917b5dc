//! What the log must never hold, however much is logged: passwords, tokens, card numbers, and who somebody is.

use plaza_tests::{
    Setup, Shop, sandbox,
    shop::{fresh_key, id_of, order_body},
    token::now_s,
};
use serde_json::{Value, json};

const EMAIL: &str = "augusta.ada@example.com";
const NAME: &str = "Augusta Ada Lovelace";
const PASSWORD: &str = "analytical engine 1843";
const NEW_PASSWORD: &str = "difference engine 1822";
const WRONG_PASSWORD: &str = "guessed engine 1999";
const CARD: &str = "5555 5555 5555 4444";
const MADE_UP_TOKEN: &str = "tok_live_7f3a9c";

#[tokio::test]
async fn nothing_of_a_whole_session_that_is_secret_or_personal_is_logged() {
    let setup = Setup::shop()
        .variable(&sandbox::variable())
        .environment("PLAZA_LOG", "debug,plaza=trace,wasmtime=info,cranelift=info");
    let shop = Shop::on(setup.start());
    let (anyone, admin) = (shop.anyone(), shop.admin().await);
    let registration = json!({"name": NAME, "email": EMAIL, "password": PASSWORD});
    let account = id_of(&anyone.post("/api/v1/users", &registration).await.expect(201).json());
    anyone.post("/api/v1/users", &registration).await.problem(409);
    anyone
        .post("/api/v1/users", &json!({"name": NAME, "email": EMAIL, "password": PASSWORD, "more": 1}))
        .await
        .problem(422);
    anyone.post("/api/v1/sessions", &json!({"email": EMAIL, "password": WRONG_PASSWORD})).await.problem(401);
    let log_in =
        async |password: &str| anyone.post("/api/v1/sessions", &json!({"email": EMAIL, "password": password})).await;
    let first = log_in(PASSWORD).await.expect(201).json();
    let body = json!({"refresh_token": first["refresh_token"]});
    let second = anyone.post("/api/v1/sessions/refresh", &body).await.expect(201).json();
    anyone.post("/api/v1/sessions/refresh", &body).await.problem(401);
    let ada = anyone.with_token(second["access_token"].as_str().unwrap());
    let path = format!("/api/v1/users/{account}/password");
    ada.request("PUT", &path).json(&json!({"current": WRONG_PASSWORD, "new": NEW_PASSWORD})).await.problem(422);
    ada.request("PUT", &path).json(&json!({"current": PASSWORD, "new": NEW_PASSWORD})).await.expect(204);
    let third = log_in(NEW_PASSWORD).await.expect(201).json();
    let forged = format!("{}x", second["access_token"].as_str().unwrap());
    anyone.with_token(&forged).get("/api/v1/orders").await.problem(401);

    let lines = [(shop.product("10.00", 5).await, 1)];
    let order = ada.post("/api/v1/orders", &order_body(&lines)).key(&fresh_key()).await.expect(201).json();
    let list = format!("/api/v1/payments?orderId={}", id_of(&order));
    let payment =
        plaza_tests::until("there is a payment", async || ada.get(&list).await.json().get(0).map(id_of)).await;
    let confirm =
        async |body: Value| ada.post(&format!("/api/v1/payments/{payment}/confirm"), &body).key(&fresh_key()).await;
    confirm(json!({"token": CARD})).await.problem(422);
    confirm(json!({"token": "tok_ok", "card": CARD})).await.problem(422);
    confirm(json!({"token": MADE_UP_TOKEN})).await.problem(422);
    confirm(json!({"token": "tok_declined"})).await.problem(402);
    confirm(json!({"token": "tok_3ds"})).await.expect(202);
    let message = sandbox::notice(&format!("payment-{payment}-3"), "succeeded");
    let signature = sandbox::headers(&message, sandbox::SECRET, now_s())[1].1.clone();
    sandbox::send(&anyone, &message, "another secret", now_s()).await.problem(400);
    sandbox::tell(&anyone, &message).await.expect(204);
    plaza_tests::until("it is paid", async || {
        (ada.get(&format!("/api/v1/orders/{}", id_of(&order))).await.json()["status"] == "paid").then_some(())
    })
    .await;
    admin.get(&format!("/api/v1/users/{account}")).await.expect(200);
    admin.patch(&format!("/api/v1/users/{account}"), &json!({"email": EMAIL.to_uppercase()})).await.expect(200);
    // Everything that is answered is logged in the end.
    let last = anyone.get("/no/such/path").await.expect(404);
    shop.host.stderr().line_with(last.header("x-request-id"));

    let admin_password = shop.admin_password().to_owned();
    let ended = shop.host.stop();
    assert!(ended.stderr.contains("/api/v1/sessions/..."), "the requests are logged");
    let database_log = std::fs::read_to_string(ended.setup.state().path().join("postgres.log")).unwrap();
    let mut secrets: Vec<String> = [
        EMAIL,
        NAME,
        PASSWORD,
        NEW_PASSWORD,
        WRONG_PASSWORD,
        MADE_UP_TOKEN,
        sandbox::SECRET,
        "tok_3ds",
        "tok_declined",
        "tok_ok",
    ]
    .map(str::to_owned)
    .into();
    secrets.extend([CARD.to_owned(), CARD.replace(' ', ""), signature, admin_password]);
    for session in [first, second, third] {
        for token in ["access_token", "refresh_token"] {
            secrets.push(session[token].as_str().unwrap().to_owned());
        }
    }
    for (name, text) in [("the log", &ended.stderr), ("the database's log", &database_log)] {
        for secret in &secrets {
            let line = text.lines().find(|line| line.to_lowercase().contains(&secret.to_lowercase()));
            assert!(line.is_none(), "{name} holds {secret}: {line:?}");
        }
    }
}
