//! The shop as Spin has it: nobody is linked, `rest-clients` is composed into each service that asks another, and they find one another
//! within the application only, at `http://<service>.spin.internal`.

use std::process::Command;

use plaza_tests::{
    Setup, Shop,
    manifest::{Manifest, application},
    readme::{block, readme},
    shop::id_of,
};
use serde_json::json;
use toml::Value;

/// The shop's manifest without Plaza's links.
fn without_links() -> Manifest {
    let mut application = application();
    let mut taken_out = 0;
    for (id, component) in application["component"].as_table_mut().expect("components") {
        let plaza = component.get_mut("tool").and_then(|tool| tool.get_mut("plaza")).and_then(Value::as_table_mut);
        let Some(plaza) = plaza else { continue };
        taken_out += plaza.remove("dependencies").and_then(|links| Some(links.as_table()?.len())).unwrap_or_default();
        if id == "payment-sandbox" {
            // Nobody is linked to it any more, so it would be left out.
            plaza.remove("optional");
        }
    }
    assert!(taken_out > 8, "{taken_out} links were taken out");
    Manifest::of_text(&application.to_string())
}

fn setup() -> Setup {
    Setup::shop().manifest_in(without_links())
}

#[tokio::test]
async fn one_order_goes_from_registration_to_paid_by_chaining_alone() {
    let shop = Shop::on(setup().start());
    let status = shop.host.operate(&["status"]).await.expect().text;
    for part in ["rest-clients", "passwords"] {
        assert!(!status.contains(part), "{part} is composed in, and not served by itself: {status}");
    }

    let readme = readme();
    let printed = block(&readme, "sh", "/sessions");
    let script = printed
        .replace("http://127.0.0.1:3000", shop.host.base())
        .replace("<the printed password>", shop.admin_password());
    let output = Command::new("timeout").args(["60", "bash", "-euo", "pipefail", "-c", &script]).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{stdout}\n{stderr}", output.status);
    assert!(stdout.contains(r#""status":"paid""#), "{stdout}\n{stderr}");
}

#[tokio::test]
async fn what_a_service_refuses_comes_through_and_what_is_given_back_arrives() {
    let shop = Shop::on(setup().start());
    shop.anyone().get("/health/ready").await.expect(200);
    let (product, ada) = (shop.product("19.99", 3).await, shop.customer().await);
    ada.try_order(&[(product, 4)]).await.problem(409);
    ada.try_order(&[(999_999, 1)]).await.problem(422);
    let order = id_of(&ada.order(&[(product, 2)]).await);
    assert_eq!(shop.stock(product).await, 1);
    let payment = id_of(&ada.payment_of(order).await);
    ada.confirm(payment, "tok_declined").await.problem(402);
    ada.confirm(payment, "tok_flaky").await.expect(200);
    ada.order_becomes(order, "paid").await;
    let admin = shop.admin().await;
    admin.patch(&format!("/api/v1/users/{}", ada.id), &json!({"active": false})).await.expect(200);
    ada.try_order(&[(product, 1)]).await.problem(403);
}

#[tokio::test]
async fn who_is_asked_for_elsewhere_is_not_asked_here() {
    let shop = Shop::on(setup().variable("users_base_url=http://127.0.0.1:9").start());
    let (anyone, ada) = (shop.anyone(), shop.customer().await);
    anyone.get("/health/ready").await.problem(503);
    ada.try_order(&[(1, 1)]).await.problem(503);
}
