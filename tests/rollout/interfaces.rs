//! An interface changes so that it breaks whoever calls it, and nothing breaks.

use std::fs;

use plaza_tests::{
    Host, Setup,
    artifact::built,
    operator::Done,
    readme::{block, readme},
    workspace,
};

const OLD_LINE: &str = "\"test:echo/echo@1.0.0\" = { component = \"echoes\" }\n";
const NEW_LINE: &str = "\"test:echo/echo@2.0.0\" = { component = \"echoes\" }\n";

/// What the first `echoes` needs, and those after it do not.
const BACK: &str = "[component.echoes.tool.plaza.dependencies]\n\"test:echo/back@1.0.0\" = { component = \"calls\" }\n";

fn manifest(lines: &str) -> String {
    let echoes = built("echoes").display().to_string();
    let calls = built("calls").display().to_string();
    format!(
        r#"spin_manifest_version = 2
[application]
name = "changed"
[[trigger.http]]
route = "/calls/..."
component = "calls"
[component.calls]
source = "{calls}"
[component.calls.tool.plaza.dependencies]
{lines}
[component.echoes]
source = "{echoes}"
"#
    )
}

/// The commands as the README prints them, in order, without the name of the program.
fn commands_in_the_readme() -> Vec<String> {
    let readme = readme();
    let (assigned, lines) = block(&readme, "sh", "GUESTS=").split_once('\n').unwrap();
    let guests = assigned.strip_prefix("GUESTS=").unwrap();
    let printed = lines.lines().filter_map(|line| line.strip_prefix("plaza "));
    let bare = printed.map(|line| line.split(" #").next().unwrap_or(line).trim_end());
    bare.map(|line| line.replace("$GUESTS", guests)).collect()
}

/// Runs a printed command.
async fn run(host: &Host, command: &str) -> Done {
    let mut words: Vec<&str> = command.split(' ').collect();
    match words.first() {
        Some(&"apply") => words.push("--yes"),
        // These guests have no migrations, and the manifest of the working folder is another application's.
        _ => words.extend(["-f", "no-manifest"]),
    }
    host.operate(&words).await
}

#[tokio::test]
async fn an_interface_breaks_in_the_steps_of_the_readme_and_whoever_calls_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spin.toml");
    fs::write(&file, manifest(OLD_LINE) + BACK).unwrap();
    let host = Setup::of(&file).start();
    let client = host.client();
    let answer = async || client.get("/calls/n?count=1").await.expect(200).text();

    let commands = commands_in_the_readme();
    let [both, apply, calls, anew] = commands.as_slice() else { panic!("four steps, not {commands:?}") };
    assert!(readme().contains(NEW_LINE.trim_end()), "the README says which line to add");

    run(&host, anew).await.refused(&["`calls` calls it and would break", "test:echo/echo@1.0.0"]);
    fs::write(&file, manifest(&[OLD_LINE, NEW_LINE].concat()) + BACK).unwrap();
    run(&host, apply)
        .await
        .refused(&["`calls` imports nothing of test:echo/echo@2.0.0", "let `echoes` export it first"]);
    run(&host, both).await.expect();
    run(&host, calls).await.refused(&["it imports test:echo/echo@2.0.0, which nobody provides", "plaza apply"]);
    run(&host, apply).await.expect();
    assert!(answer().await.starts_with("1 calls"), "the old one is called until its caller changes");
    run(&host, calls).await.expect();
    assert_eq!(answer().await, "hahaha");
    run(&host, anew).await.expect();
    assert_eq!(answer().await, "hahaha");
    fs::write(&file, manifest(NEW_LINE)).unwrap();
    run(&host, apply).await.expect();
    assert_eq!(answer().await, "hahaha");
}

#[test]
fn the_provider_of_both_versions_is_the_one_that_the_readme_shows() {
    let (readme, flat) = (readme(), |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" "));
    let source = fs::read_to_string(workspace().join("tests/guests/echoes-both/src/lib.rs")).unwrap();
    let shown = block(&readme, "rust", "package test:both");
    assert!(flat(&source).contains(&flat(shown)), "{shown}");
}
