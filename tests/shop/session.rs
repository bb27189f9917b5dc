//! The README's session is what a newcomer types first, so it must work as printed.

use std::process::Command;

use plaza_tests::readme::{block, readme};

use crate::shop;

#[test]
fn the_session_in_the_readme_goes_from_registration_to_paid() {
    let readme = readme();
    let printed = block(&readme, "sh", "/sessions");
    for fixed in ["http://127.0.0.1:3000", "<the printed password>"] {
        assert!(printed.contains(fixed), "the session no longer says {fixed}");
    }
    let script = printed
        .replace("http://127.0.0.1:3000", shop().host.base())
        .replace("<the printed password>", shop().admin_password());
    let output = Command::new("timeout").args(["60", "bash", "-euo", "pipefail", "-c", &script]).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{stdout}\n{stderr}", output.status);
    assert!(stdout.contains(r#""status":"paid""#), "{stdout}\n{stderr}");
}
