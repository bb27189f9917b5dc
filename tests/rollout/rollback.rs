//! Going back.

use plaza_tests::artifact::{built, stamped, traps_at_once};

use crate::{greeting, host};

#[tokio::test]
async fn a_rollback_lets_the_version_before_answer_again() {
    let host = host();
    host.deploy("hello", &built("newer"), &[]).await.expect();
    let back = host.operate(&["rollback", "hello"]).await.expect();
    assert!(back.text.contains("hello: v1 answers"), "{}", back.text);
    assert_eq!(greeting(&host).await, "hello");
    let forth = host.operate(&["rollback", "hello"]).await.expect();
    assert!(forth.text.contains("hello: v2 answers"), "{}", forth.text);
    assert_eq!(greeting(&host).await, "newer");
}

#[tokio::test]
async fn one_may_go_back_to_any_version_that_is_kept_and_five_are() {
    let host = host();
    for number in 2..=7 {
        host.deploy("hello", &stamped("newer", &format!("v{number}")), &[]).await.expect();
    }
    host.operate(&["rollback", "hello", "--to", "v3"]).await.expect();
    assert_eq!(host.version_of("hello").await, "v3");
    let gone = host.operate(&["rollback", "hello", "--to", "v1"]).await;
    gone.refused(&["v1 of `hello` is not kept", "v7, v6, v5, v4 are"]);
    assert_eq!(host.version_of("hello").await, "v3");
    let kept = std::fs::read_dir(host.setup().state().path().join("artifacts")).unwrap().count();
    // Five of `hello`, and one each of `calls` and `echoes`.
    assert_eq!(kept, 7);
}

#[tokio::test]
async fn one_goes_back_to_the_version_that_answered_before_whatever_its_number() {
    let host = host();
    for number in 2..=4 {
        host.deploy("hello", &stamped("newer", &format!("v{number}")), &[]).await.expect();
    }
    host.operate(&["rollback", "hello", "--to", "v2"]).await.expect();
    host.deploy("hello", &stamped("newer", "v5"), &[]).await.expect();
    host.operate(&["rollback", "hello"]).await.expect();
    assert_eq!(host.version_of("hello").await, "v2");
}

#[tokio::test]
async fn one_cannot_go_back_to_what_was_refused() {
    let host = host();
    host.deploy("hello", &traps_at_once("newer"), &[]).await.refused(&["at instantiate"]);
    host.operate(&["rollback", "hello", "--to", "v2"]).await.refused(&["v2 of `hello` is not kept: none is"]);
    host.deploy("hello", &built("newer"), &[]).await.expect();
    assert_eq!(host.version_of("hello").await, "v3");
}

#[tokio::test]
async fn the_first_version_cannot_be_gone_back_from() {
    let host = host();
    host.operate(&["rollback", "hello"]).await.refused(&["no earlier version of `hello`"]);
    assert_eq!(host.version_of("hello").await, "v1");
}

#[tokio::test]
async fn the_history_tells_what_happened_the_latest_first() {
    let host = host();
    host.deploy("hello", &built("newer"), &[]).await.expect();
    host.operate(&["rollback", "hello"]).await.expect();
    let history = host.operate(&["history", "hello"]).await.expect().text;
    let lines: Vec<&str> = history.lines().skip(1).collect();
    assert_eq!(lines.len(), 3, "{history}");
    assert!(lines[0].contains("v1") && lines[0].contains("rolled back from v2"), "{history}");
    assert!(lines[1].contains("v2") && lines[2].contains("the manifest's file"), "{history}");
}
