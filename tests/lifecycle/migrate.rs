//! `plaza migrate`, for those who migrate before they serve.

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

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

#[test]
fn what_spin_must_be_told_is_written_for_its_owner_alone_and_is_the_same_each_time() {
    let first = Setup::shop().start();
    let url = first.setup().state().database_owner_url();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spin.env");
    let migrate = |arguments: &[&str], sourced: &[(&str, &str)]| {
        let mut command = Command::new(plaza());
        command.envs(sourced.iter().copied());
        command.args(["migrate", "--variables-to"]).arg(&file).args(arguments).current_dir(workspace());
        let state = folder.path().join("state");
        command.arg("--state-dir").arg(state).env("SPIN_VARIABLE_SERVICE_TOKEN", "set by somebody").output().unwrap()
    };
    let output = migrate(&["--database-url", &url], &[]);
    let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && !told.contains("not set"), "{told}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let text = fs::read_to_string(&file).unwrap();
    let manifest: toml::Table = fs::read_to_string(workspace().join("spin.toml")).unwrap().parse().unwrap();
    for (name, variable) in manifest["variables"].as_table().unwrap() {
        let line = format!("SPIN_VARIABLE_{}='", name.to_uppercase());
        let required = variable.get("required").is_some() && name != "service_token";
        assert_eq!(text.lines().any(|text| text.starts_with(&line)), required, "{name}: {told}");
    }
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("SPIN_VARIABLE_{name}='"))).unwrap();
        line.strip_suffix('\'').unwrap().to_owned()
    };
    assert!(first.all_output().contains(&value("ADMIN_PASSWORD")), "a host has the same");
    assert!(value("STRIPE_DATABASE_URL").ends_with("/stripe_database"), "Spin serves what is optional, too");
    assert!(!told.contains(&value("ADMIN_PASSWORD")), "{told}");
    let sourced = text.lines().filter_map(|line| line.split_once('='));
    let sourced: Vec<_> = sourced.map(|(name, value)| (name, value.trim_matches('\''))).collect();
    for environment in [&[][..], &sourced] {
        migrate(&["--database-url", &url], environment);
        assert_eq!(fs::read_to_string(&file).unwrap(), text, "also in a shell that has read it");
    }

    let refused = migrate(&[], &[]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && told.contains("--database-url"), "{told}");
}
