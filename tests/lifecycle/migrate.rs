//! `plaza migrate`, for those who migrate before they serve.

use std::process::Command;

use plaza_tests::{
    Setup,
    setup::{plaza, workspace},
};

#[test]
fn databases_are_migrated_without_serving_once_and_a_host_finds_them_so() {
    let setup = Setup::shop();
    let migrate = || {
        let mut command = Command::new(plaza());
        command.arg("migrate").arg("--state-dir").arg(setup.state().path()).current_dir(workspace());
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{text}");
        text
    };
    let first = migrate();
    assert!(first.contains("orders: applied 0001_orders.sql"), "{first}");
    let second = migrate();
    assert!(second.contains("orders: up to date") && !second.contains("applied"), "{second}");
    let ended = setup.clone().start().stop();
    assert!(!ended.stderr.contains("\"migrated\""), "{}", ended.stderr);
}
