//! A Postgres server of the tests' own, stopped and removed when the test process ends, however it ends.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// The superuser's password.
pub const PASSWORD: &str = "only-for-tests";

/// Starts the server, says `ready`, waits until the test process closes its end of the pipe, and cleans up.
const SCRIPT: &str = r#"
mkdir -p "$2" && printf '%s' "$4" > "$2.password" &&
"$1/initdb" -D "$2" -U postgres -A scram-sha-256 --pwfile="$2.password" -E UTF8 --locale=C -N >/dev/null &&
if [ "$5" = encrypted ]; then eval "$6"; fi &&
"$1/pg_ctl" start -w -D "$2" -l "$2/log" -o "-p $3 -c listen_addresses=127.0.0.1 -k $2 -c fsync=off" >/dev/null </dev/null &&
echo ready
cat >/dev/null
"$1/pg_ctl" stop -m immediate -D "$2" >/dev/null 2>&1
rm -rf "$2" "$2.password"
"#;

/// Makes an authority and a certificate for `localhost` in the data folder `$2`, and lets only those in who come
/// encrypted, but for the user `plain`, who must not be.
const ENCRYPTION: &str = r#"
key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes" &&
openssl req -x509 $key -keyout "$2/authority.key" -out "$2/authority.pem" -days 2 -subj /CN=tests 2>/dev/null &&
openssl req $key -keyout "$2/server.key" -out "$2/request.pem" -subj /CN=server 2>/dev/null &&
printf 'subjectAltName=DNS:localhost' > "$2/names" &&
openssl x509 -req -in "$2/request.pem" -CA "$2/authority.pem" -CAkey "$2/authority.key" -CAcreateserial -days 2 \
    -extfile "$2/names" -out "$2/server.crt" 2>/dev/null &&
chmod 600 "$2/server.key" && echo "ssl = on" >> "$2/postgresql.conf" &&
printf '%s\n' 'hostnossl all plain 127.0.0.1/32 scram-sha-256' 'hostssl all plain 127.0.0.1/32 reject' \
    'hostssl all all 127.0.0.1/32 scram-sha-256' \
    > "$2/pg_hba.conf"
"#;

/// A running server.
pub struct Server {
    programs: PathBuf,
    /// Its data, and its Unix socket.
    pub folder: PathBuf,
    /// Its port on 127.0.0.1.
    pub port: u16,
    _keeper: Child,
}

impl Server {
    /// Starts one in a fresh folder.
    pub fn start() -> Self {
        Self::start_as("plain")
    }

    /// Starts one that wants to be spoken to in TLS, with a certificate of its own authority for `localhost`.
    pub fn start_encrypted() -> Self {
        Self::start_as("encrypted")
    }

    fn start_as(kind: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let programs = programs();
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = PathBuf::from(format!("/tmp/plaza-postgres-test-{}-{number}", std::process::id()));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut keeper = as_postgres("sh")
            .args(["-c", SCRIPT, "keeper"])
            .arg(&programs)
            .arg(&folder)
            .args([&port.to_string(), PASSWORD, kind, ENCRYPTION])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "ready", "the server did not start");
        Self { programs, folder, port, _keeper: keeper }
    }

    /// The address of one of its databases.
    pub fn address(&self, database: &str) -> String {
        format!("postgres://postgres:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// The certificate of the authority that vouches for an encrypted one, as PEM text.
    pub fn authority(&self) -> String {
        std::fs::read_to_string(self.folder.join("authority.pem")).unwrap()
    }

    /// Stops it at once, as a crash would.
    pub fn crash(&self) {
        self.control(&["stop", "-m", "immediate", "-w"]);
    }

    /// Starts it again.
    pub fn revive(&self) {
        let options =
            format!("-p {} -c listen_addresses=127.0.0.1 -k {} -c fsync=off", self.port, self.folder.display());
        let log = self.folder.join("log");
        self.control(&["start", "-w", "-l", log.to_str().unwrap(), "-o", &options]);
    }

    fn control(&self, arguments: &[&str]) {
        let status = as_postgres(self.programs.join("pg_ctl").to_str().unwrap())
            .args(arguments)
            .arg("-D")
            .arg(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
    }
}

/// Postgres refuses to run as root.
fn as_postgres(program: &str) -> Command {
    let is_root = nix::unistd::Uid::effective().is_root();
    if !is_root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", program]).current_dir("/tmp");
    command
}

/// The newest installed version's programs.
fn programs() -> PathBuf {
    let root = Path::new("/usr/lib/postgresql");
    let version = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let mut versions: Vec<PathBuf> = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    versions.sort_by_key(version);
    versions.pop().expect("install PostgreSQL to run these tests").join("bin")
}
