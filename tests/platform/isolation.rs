//! A component has what its manifest grants and nothing else.

use crate::{client, host};

#[tokio::test]
async fn a_host_that_is_not_granted_is_not_called() {
    // Its own host is one that exists and listens, so only the missing grant can be the reason.
    let target = format!("{}/hello", host().base());
    for guest in ["/calls-forbidden-host?url=", "/old-world/get?url="] {
        let text = client().get(&format!("{guest}{target}")).await.expect(200).text();
        assert!(text.starts_with("error"), "{guest}: {text}");
    }
}

#[tokio::test]
async fn the_log_names_the_grant_that_is_missing() {
    client().get("/calls-forbidden-host?url=http://127.0.0.1:9/").await.expect(200);
    host().stderr().line_with("allowed_outbound_hosts");
}

#[tokio::test]
async fn files_that_are_not_granted_do_not_exist() {
    let manifest = host().setup().state().path().display().to_string();
    for path in ["/etc/passwd", "../../../etc/passwd", "spin.toml", manifest.as_str()] {
        let text = client().get(&format!("/reads-file?path={path}")).await.expect(200).text();
        assert!(text.starts_with("error"), "{path}: {text}");
    }
}

#[tokio::test]
async fn granted_files_are_read_but_not_written() {
    let granted = "/granted/note.txt";
    let text = client().get(&format!("/reads-file?path={granted}")).await.expect(200).text();
    assert!(text.contains("granted"), "{text}");
    let text = client().get(&format!("/reads-file/write?path={granted}")).await.expect(200).text();
    assert!(text.starts_with("error"), "{text}");
}
