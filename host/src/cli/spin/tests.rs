use clap::Parser;

use super::*;

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    spin: SpinFlags,
}

fn flags(given: &[&str]) -> SpinFlags {
    Flags::try_parse_from(["up"].iter().chain(given)).map(|flags| flags.spin).unwrap()
}

#[test]
fn they_set_limits_variables_and_components() {
    let given = flags(&[
        "-e",
        "COLOUR=red=blue",
        "-e",
        "EMPTY=",
        "-c",
        "one",
        "-c",
        "two",
        "--max-instance-reuse-count",
        "7",
        "--max-instance-concurrent-reuse-count",
        "3",
        "--request-timeout",
        "500ms",
        "--max-instance-memory",
        "1048577",
    ]);
    let given = given.given().unwrap();
    let environment: Vec<_> = given.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(environment, [("COLOUR", "red=blue"), ("EMPTY", "")]);
    assert_eq!(given.only, ["one", "two"]);
    let limits = given.limits;
    assert_eq!((limits.reuse, limits.concurrent_per_instance, limits.request_ms, limits.memory_mib), (7, 3, 500, 2));
    assert_eq!((count("1..8").unwrap(), count("7..8").unwrap()), (7, 7), "Spin draws from 1 to 7");
    assert_eq!(milliseconds("1..8s").unwrap(), 8_000);
    assert_eq!(milliseconds("200ms..1").unwrap(), 1_000);
    assert_eq!(milliseconds("30").unwrap(), 30_000);
    assert_eq!(milliseconds("2s").unwrap(), 2_000);
}

#[test]
fn what_is_not_written_as_it_must_be_is_refused() {
    for (wrong, part) in [
        (["-e", "hunter2"], "--env: number 1 is not written as name=value"),
        (["--max-instance-reuse-count", "8..8"], "no range of them such as 1..8"),
        (["--max-instance-reuse-count", "0..1"], "no number from 1"),
        (["--max-instance-reuse-count", "..8"], "no number from 1"),
        (["--request-timeout", "8s..1s"], "no range such as 1..8s"),
        (["--max-instance-reuse-count", "0"], "no number from 1"),
        (["--request-timeout", "5m"], "no time"),
        (["--request-timeout", "1us"], "no time"),
        (["--max-instance-memory", "0"], "from 1 to 4 GiB"),
    ] {
        let error = format!("{:#}", flags(&wrong).given().unwrap_err());
        assert!(error.contains(part) && !error.contains("hunter2"), "{error}");
    }
}

#[test]
fn statements_are_given_or_in_a_file_and_go_to_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("first.sql");
    fs::write(&file, "CREATE TABLE a (b)").unwrap();
    let file = file.display();
    let initial =
        flags(&["--sqlite", &format!("@{file}:archive"), "--sqlite", "SELECT 1", "--sqlite", &format!("@{file}")]);
    let found: Vec<_> = initial.initial().unwrap().sql.into_iter().map(|sql| (sql.database, sql.statements)).collect();
    let expected = [("archive", "CREATE TABLE a (b)"), ("default", "SELECT 1"), ("default", "CREATE TABLE a (b)")];
    assert_eq!(found, expected.map(|(database, statements)| (database.to_owned(), statements.to_owned())));
    for wrong in ["@", "@file:", "@:archive", "@/nowhere.sql"] {
        flags(&["--sqlite", wrong]).initial().unwrap_err();
    }
}

#[test]
fn what_is_not_served_is_told_with_what_to_do_instead() {
    let error = flags(&["--log-dir", "logs", "--direct-mounts", "--temp", "here"]).given().unwrap_err().to_string();
    for part in ["--log-dir of `spin up` is not served; take it out", "plaza apply"] {
        assert!(error.contains(part), "{error}");
    }
    assert!(!error.contains("--temp"), "{error}");
    flags(&["--temp", "here", "--cache-dir", "there", "--disable-pooling"]).given().unwrap();
}

#[test]
fn every_flag_of_the_table_is_known_and_refused_where_it_says_so() {
    let table = include_str!("../../../../docs/spin-up.md");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `--")?.split_once("` | "));
    let up = <super::super::Command as clap::CommandFactory>::command();
    let up = up.find_subcommand("up").unwrap();
    let mut refused = 0;
    for (flag, meaning) in rows {
        let names = |arg: &clap::Arg| {
            arg.get_long().into_iter().chain(arg.get_all_aliases().unwrap_or_default()).any(|name| name == flag)
        };
        let arg = up.get_arguments().find(|arg| names(arg)).unwrap_or_else(|| panic!("--{flag} is unknown"));
        assert_eq!(arg.is_hide_set(), meaning.starts_with("refused"), "--{flag}");
        refused += usize::from(arg.is_hide_set());
    }
    assert_eq!(refused, 9);
}
