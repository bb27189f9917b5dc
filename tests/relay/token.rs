//! The token by which components know the relay.

use plaza_tests::until;

use crate::{Stage, started, word};

#[tokio::test]
async fn with_another_token_a_relay_says_so_and_nothing_is_lost() {
    let stage = Stage::with(|setup| setup.variable("service_token=what the application knows"));
    let (ada, order) = stage.order().await;
    let stranger = started(stage.relay().variable("service_token=what a stranger thinks of")).await;
    let line = stranger.stderr().line_with("the component is not reached");
    for part in ["answered 404", "/internal/", "`service_token`"] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
    assert_eq!(word(&stranger).await, "degraded");
    until("`plaza status` says it too", async || {
        let status = stranger.operate(&["status"]).await.expect().text;
        let told = status.lines().find(|line| line.starts_with("payments is not reached:"))?;
        assert!(told.contains("answered 404"), "{told}");
        Some(())
    })
    .await;
    // The event has been tried and waits.
    until("the event is to come again", async || {
        let status = stranger.status().await;
        let waits = status["relay"]["subscribers"].as_array()?.iter().any(|one| {
            one["component"] == "payments" && one["topic"] == "order-events" && one["retries"].as_u64() > Some(0)
        });
        waits.then_some(())
    })
    .await;
    assert_eq!(stage.untold().await, 1);
    let ended = stranger.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("what a stranger thinks of"), "{}", ended.stderr);

    let relay = started(stage.relay().environment("SPIN_VARIABLE_SERVICE_TOKEN", "what the application knows")).await;
    ada.pay(order).await;
    until("all is well", async || (word(&relay).await == "ok").then_some(())).await;
}
