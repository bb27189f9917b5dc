//! What the README has a newcomer do: a component is added, replaced while it serves, calls another one, and hears
//! of events.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
};

use plaza_tests::{
    Client, Host, Setup,
    databases::Databases,
    readme::{block, readme},
    setup::plaza,
    workspace,
};

/// The newcomer's checkout: this one, with a component and a manifest of its own.
struct Checkout {
    folder: tempfile::TempDir,
}

impl Checkout {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (root, own) = (workspace(), folder.path().join("components"));
        fs::create_dir_all(own.join("greeter/src")).unwrap();
        for name in ["Cargo.toml", "Cargo.lock", "spin.toml"] {
            fs::copy(root.join(name), folder.path().join(name)).unwrap();
        }
        link_all(&root.join("components"), &own);
        link_all(&root, folder.path());
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn append(&self, name: &str, text: &str) {
        self.write(name, &[&fs::read_to_string(self.path(name)).unwrap(), "\n", text].concat());
    }

    /// A command as it is printed, with the host's state folder where it asks a host.
    async fn run(&self, printed: &str, host: Option<&Host>) -> String {
        let mut words = printed.split(' ');
        assert_eq!(words.next(), Some("target/release/plaza"), "{printed}");
        let mut command = Command::new(plaza());
        command.args(words).current_dir(self.folder.path());
        if let Some(host) = host {
            command.arg("--state-dir").arg(host.setup().state().path());
        }
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{printed}: {text}");
        text
    }
}

/// Links to everything in a folder that the other does not have of its own.
fn link_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let name = entry.unwrap().file_name();
        if name != ".git" && !to.join(&name).exists() {
            symlink(from.join(&name), to.join(&name)).unwrap();
        }
    }
}

async fn greeted(client: &Client, whom: &str) -> String {
    client.get(&format!("/greet/{whom}")).await.expect(200).text()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_adds_a_component_replaces_it_while_it_serves_and_has_it_call_and_hear_others() {
    let (checkout, readme) = (Checkout::new(), readme());
    checkout.write("components/greeter/Cargo.toml", block(&readme, "toml", "name = \"greeter\""));
    checkout.write("components/greeter/src/lib.rs", block(&readme, "rust", "Greets whoever calls"));
    checkout.append("spin.toml", block(&readme, "toml", "route = \"/greet/...\""));
    let steps = block(&readme, "sh", "plaza deploy greeter");
    let [build, deploy] = steps.lines().collect::<Vec<_>>()[..] else { panic!("two commands, not {steps}") };

    checkout.run(build, None).await;
    let checked = checkout.run("target/release/plaza check", None).await;
    assert!(checked.contains("no faults"), "{checked}");
    let host = tokio::task::block_in_place(|| Setup::of(checkout.path("spin.toml")).start());
    let client = host.client();
    assert_eq!(greeted(&client, "you").await, "Hello from /greet/you\n");

    let first = fs::read_to_string(checkout.path("components/greeter/src/lib.rs")).unwrap();
    checkout.write("components/greeter/src/lib.rs", &first.replace("Hello", "Good day"));
    let (replaced, others) = (AtomicBool::new(false), host.client());
    let asking = async {
        while !replaced.load(Ordering::Relaxed) {
            let answer = greeted(&others, "all").await;
            assert!(answer.ends_with(" from /greet/all\n"), "{answer}");
        }
    };
    let replacing = async {
        checkout.run(build, None).await;
        let told = checkout.run(deploy, Some(&host)).await;
        replaced.store(true, Ordering::Relaxed);
        told
    };
    let ((), told) = tokio::join!(asking, replacing);
    for step in block(&readme, "", "greeter: v2 answers").lines().filter_map(|line| line.split_whitespace().next()) {
        assert!(told.contains(step), "no {step:?} in: {told}");
    }
    assert_eq!(greeted(&client, "you").await, "Good day from /greet/you\n");

    checkout.write("components/greeter/src/lib.rs", block(&readme, "rust", "Greets customers by their names"));
    checkout.append("spin.toml", block(&readme, "toml", "[component.greeter.tool.plaza.dependencies]"));
    checkout.run(build, None).await;
    checkout.run("target/release/plaza apply --yes", Some(&host)).await;
    checkout.run(deploy, Some(&host)).await;
    assert_eq!(greeted(&client, "1").await, "Hello, Administrator\n");
    assert_eq!(greeted(&client, "999").await, "Who is there? Error::NotFound\n");

    checkout.write("components/greeter/src/lib.rs", block(&readme, "rust", "Hears of every order"));
    checkout.append("spin.toml", block(&readme, "toml", "[component.greeter.tool.plaza]\nsubscribe"));
    checkout.run(build, None).await;
    checkout.run(deploy, Some(&host)).await;
    checkout.run("target/release/plaza apply --yes", Some(&host)).await;
    let doubted =
        "INSERT INTO outbox (topic, key, type, data) VALUES ('order-events', 'order-7', 'ORDER_DOUBTED', '{}')";
    Databases::of(&host).execute("orders_database", doubted).await;
    host.stderr().line_with("ORDER_DOUBTED of order-7");
    let statement = block(&readme, "sql", "insert into inbox").trim();
    let source = fs::read_to_string(workspace().join("components/notifications/src/outbound/mod.rs")).unwrap();
    assert!(source.contains(statement), "the component says otherwise than the README: {statement}");
}
