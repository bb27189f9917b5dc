//! From the start of the process to its first answer, the database server's start included.

use std::{
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use plaza_tests::{Client, Setup, setup::Ended};

use crate::process::PeerProcess;

/// Starts of each; the middle one counts.
const STARTS: usize = 5;

/// The host's and the peer's time, both on the stopped host's data folder.
pub async fn to_first_answer(mut setup: Setup, path: &str, peer_database: &str) -> [Duration; 2] {
    let (mut plaza, mut native) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let start = Instant::now();
        let host = setup.start();
        first_answer(host.base(), path).await;
        plaza.push(start.elapsed());
        let Ended { setup: again, .. } = host.stop();
        setup = again;

        let start = Instant::now();
        let server = Server::start(&setup.state().data());
        let peer = PeerProcess::start(peer_database);
        first_answer(peer.base(), "/api/v1/products/1").await;
        native.push(start.elapsed());
        drop((peer, server));
    }
    [middle(plaza), middle(native)]
}

async fn first_answer(base: &str, path: &str) {
    let client = Client::new(base);
    while !client.get(path).try_send().await.is_ok_and(|answer| answer.status == 200) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The database server without the host: the same program, folder and settings as the host last gave it.
struct Server {
    child: Child,
}

impl Server {
    fn start(data: &Path) -> Self {
        let options = std::fs::read_to_string(data.join("postmaster.opts")).expect("the host has run here");
        let (program, arguments) = options.trim().split_once(' ').expect("a program and its arguments");
        let owner = std::fs::metadata(data).expect("the data folder");
        let child = Command::new(program)
            .args(arguments.split('"').skip(1).step_by(2))
            .current_dir(data)
            .uid(owner.uid())
            .gid(owner.gid())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server can be run");
        Self { child }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}
