//! What a process printed.

use std::{
    io::{BufRead, BufReader, Read},
    sync::{Arc, Condvar, Mutex, Once, PoisonError, Weak},
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// Lines kept for a failing test's report.
const REPORTED_LINES: usize = 60;

/// Every living host's output, so that a failing test can show it.
static LIVING: Mutex<Vec<(String, Weak<Output>)>> = Mutex::new(Vec::new());
static REPORT: Once = Once::new();

/// The lines of one stream, growing while the process runs.
#[derive(Default)]
pub struct Output {
    lines: Mutex<Vec<String>>,
    grown: Condvar,
}

impl Output {
    /// Collects what `stream` brings, and shows its end under `name` when a test fails.
    /// The thread ends with the stream.
    pub fn collect(name: &str, stream: impl Read + Send + 'static) -> (Arc<Self>, JoinHandle<()>) {
        Self::looked_at(name, stream, |_| {})
    }

    /// The same, with every line shown to `look` as it comes.
    pub fn looked_at(
        name: &str,
        stream: impl Read + Send + 'static,
        look: impl Fn(&str) + Send + 'static,
    ) -> (Arc<Self>, JoinHandle<()>) {
        let output = Arc::new(Self::default());
        report_on_failure();
        LIVING.lock().unwrap_or_else(PoisonError::into_inner).push((name.to_owned(), Arc::downgrade(&output)));
        let writer = output.clone();
        let thread = std::thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n') {
                let Ok(line) = line else { break };
                let line = String::from_utf8_lossy(&line).into_owned();
                look(&line);
                writer.lines.lock().unwrap().push(line);
                writer.grown.notify_all();
            }
        });
        (output, thread)
    }

    /// All of it so far.
    pub fn text(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    /// The first answer that `find` gives when asked about the text so far, again whenever a line comes.
    /// `None` after `patience`, or as soon as `over` says that nothing more will come.
    pub fn find<T>(
        &self,
        patience: Duration,
        mut over: impl FnMut() -> bool,
        find: impl Fn(&[String]) -> Option<T>,
    ) -> Option<T> {
        let deadline = Instant::now() + patience;
        let mut lines = self.lines.lock().unwrap();
        loop {
            let ended = over();
            if let Some(found) = find(&lines) {
                return Some(found);
            }
            if ended || Instant::now() > deadline {
                return None;
            }
            lines = self.grown.wait_timeout(lines, Duration::from_millis(50)).unwrap().0;
        }
    }

    /// Waits until a line contains `text` and returns the line.
    pub fn line_with(&self, text: &str) -> String {
        self.find(crate::wait::PATIENCE, || false, |lines| lines.iter().find(|line| line.contains(text)).cloned())
            .unwrap_or_else(|| panic!("no line with {text:?} came"))
    }
}

/// Makes every panic show the end of what the hosts printed.
fn report_on_failure() {
    REPORT.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            usual(panic);
            let Ok(living) = LIVING.try_lock() else { return };
            for (name, output) in living.iter() {
                let Some(output) = output.upgrade() else { continue };
                let Ok(lines) = output.lines.try_lock() else { continue };
                eprintln!("--- the end of {name} ---");
                for line in lines.iter().skip(lines.len().saturating_sub(REPORTED_LINES)) {
                    eprintln!("{line}");
                }
            }
        }));
    });
}
