//! Ends in the middle, and starts after them.

use std::time::Duration;

use plaza_tests::{
    Host, Setup,
    artifact::{built, in_python, stamped, stamped_file},
    state::{arguments, children},
    wait::{until, until_within},
};

use crate::{greeting, host, setup};

#[tokio::test]
async fn a_restart_serves_what_was_deployed() {
    let host = host();
    host.deploy("hello", &built("newer"), &[]).await.expect();
    let host = host.stop().setup.start();
    assert_eq!((greeting(&host).await.as_str(), host.version_of("hello").await.as_str()), ("newer", "v2"));
    host.operate(&["rollback", "hello"]).await.expect();
    let host = host.kill().start();
    assert_eq!((greeting(&host).await.as_str(), host.version_of("hello").await.as_str()), ("hello", "v1"));
}

#[tokio::test]
async fn a_restart_goes_on_with_a_trial() {
    let host = host();
    host.deploy("hello", &built("newer"), &["--canary", "50%", "--canary-window", "1h"]).await.expect();
    let host = host.stop().setup.start();
    let versions = host.status_of("hello").await["versions"].clone();
    assert_eq!((&versions[0]["version"], &versions[1]["version"]), (&"v1".into(), &"v2".into()), "{versions}");
    assert_eq!(versions[1]["share"], "50 %");
}

#[tokio::test]
async fn a_manifest_file_that_was_built_anew_goes_before_what_was_deployed() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("spin.toml");
    let text = "spin_manifest_version = 2\n[application]\nname = \"one\"\n[[trigger.http]]\nroute = \"/hello/...\"\ncomponent = \"hello\"\n[component.hello]\nsource = \"hello.wasm\"\n";
    std::fs::write(&manifest, text).unwrap();
    let source = folder.path().join("hello.wasm");
    std::fs::copy(built("hello"), &source).unwrap();
    let host = Setup::of(&manifest).start();
    host.deploy("hello", &built("newer"), &[]).await.expect();
    std::fs::copy(stamped("hello", "built anew"), &source).unwrap();
    let host = host.stop().setup.start();
    assert_eq!((greeting(&host).await.as_str(), host.version_of("hello").await.as_str()), ("hello", "v3"));
}

#[tokio::test]
async fn the_files_can_be_served_whatever_was_deployed() {
    let host = host();
    host.deploy("hello", &built("newer"), &[]).await.expect();
    let host = host.stop().setup.argument("--files-only").start();
    assert_eq!(greeting(&host).await, "hello");
}

/// Kills the host a little later in each round, while a deploy is under way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_at_any_moment_of_a_deploy_leaves_the_old_version_or_the_new_one() {
    let mut host = setup().start();
    let (mut old, mut new) = (0, 0);
    for round in 0..12_u64 {
        let before = host.version_of("hello").await;
        let file = stamped("newer", &round.to_string());
        let deploying = host.deploy("hello", &file, &[]);
        let killed = tokio::time::timeout(Duration::from_millis(15 * round), deploying).await;
        host = restarted(host).await;
        let after = host.version_of("hello").await;
        let text = greeting(&host).await;
        match killed {
            Ok(done) => assert!(done.went_through && after != before, "{}", done.text),
            Err(_) if after == before => old += 1,
            Err(_) => new += 1,
        }
        assert_eq!(text, if after == "v1" { "hello" } else { "newer" }, "{after}");
    }
    println!("killed before the switch {old} times, between the switch and the end {new} times");
    assert!(old > 0, "no kill came before a switch");
}

/// What the compiler would go on for, were it not ended: the component with an interpreter in it takes much longer.
const AT_ONCE: Duration = Duration::from_secs(8);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_host_leaves_no_compiler_behind() {
    let host = host();
    let process = host.process();
    let large = stamped_file(&in_python("payment-sandbox"), "not compiled yet");
    let compiler = {
        let deploying = host.deploy("hello", &large, &[]);
        let seen = until("the compiler is at work", async || {
            children(process).into_iter().find(|(_, arguments)| arguments.starts_with("plaza compile "))
        });
        tokio::select! {
            done = deploying => panic!("nothing was seen to compile it: {}", done.text),
            (compiler, _) = seen => compiler,
        }
    };
    let _setup = tokio::task::block_in_place(|| host.kill());
    until_within(AT_ONCE, "the compiler is gone", async || arguments(compiler).is_empty().then_some(())).await;
}

async fn restarted(host: Host) -> Host {
    tokio::task::block_in_place(|| host.kill().start())
}
