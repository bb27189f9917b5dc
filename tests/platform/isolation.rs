//! A component has what its manifest grants and nothing else.

use plaza_tests::Setup;

use crate::{client, host};

#[tokio::test]
async fn a_host_that_is_not_granted_is_not_called() {
    // The host exists and answers, so only the missing grant can be the reason.
    let target = format!("{}/hello", host().base());
    let text = client().get(&format!("/calls-forbidden-host?url={target}")).await.expect(200).text();
    assert!(text.starts_with("error"), "{text}");
    let text = client().get(&format!("/old-world/get?url={target}")).await.expect(200).text();
    assert_eq!(text, "status 200", "a granted one is called");
    host().stderr().line_with("allowed_outbound_hosts");
}

#[tokio::test]
async fn files_that_are_not_granted_do_not_exist() {
    let state = host().setup().state().path().join("control.json").display().to_string();
    for path in ["/etc/passwd", "../../../etc/passwd", "spin.toml", "files/../spin.toml", state.as_str()] {
        let text = client().get(&format!("/reads-file?path={path}")).await.expect(200).text();
        assert!(text.starts_with("error"), "{path}: {text}");
    }
}

#[tokio::test]
async fn a_file_that_is_excluded_does_not_exist_beside_those_that_are_granted() {
    client().get("/reads-file?path=files/shown.txt").await.expect(200);
    let text = client().get("/reads-file?path=files/hidden.txt").await.expect(200).text();
    assert!(text.starts_with("error"), "{text}");
}

#[tokio::test]
async fn a_raw_connection_is_not_made_even_to_who_would_take_it() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let text = client().get(&format!("/looks-about/connect?to={address}")).await.expect(200).text();
    assert!(text.starts_with("error"), "{text}");
}

#[tokio::test]
async fn a_component_is_given_its_own_environment_and_nothing_of_the_hosts() {
    let host = Setup::platform()
        .environment("SPIN_VARIABLE_GREETING", "from outside")
        .environment("COLOUR", "red")
        .environment("LEAKED", "leaked")
        .start();
    let ask = async |path: &str| host.client().get(path).await.expect(200).text();
    assert_eq!(ask("/looks-about/environment").await, "COLOUR=green\n");
    assert_eq!(ask("/looks-about/config?key=greeting").await, "Ok(Some(\"from outside\"))", "by its variables");
    assert_eq!(ask("/looks-about/config?key=colour").await, "Ok(None)");
}

#[tokio::test]
async fn granted_files_are_read_but_not_written() {
    let folder = plaza_tests::setup::workspace().join("tests/apps/platform/files");
    let file = std::fs::read_dir(folder).unwrap().flatten().find(|file| file.file_name() != "hidden.txt").unwrap();
    let (name, content) = (file.file_name().into_string().unwrap(), std::fs::read_to_string(file.path()).unwrap());
    for path in [format!("files/{name}"), format!("/placed/{name}")] {
        assert_eq!(client().get(&format!("/reads-file?path={path}")).await.expect(200).text(), content, "{path}");
        let text = client().get(&format!("/reads-file/write?path={path}")).await.expect(200).text();
        assert!(text.starts_with("error"), "{path}: {text}");
    }
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), content);
}

#[tokio::test]
async fn a_database_is_entered_by_its_component_alone() {
    let host = Setup::of("tests/apps/databases/spin.toml").start();
    let ask = async |path: &str| host.client().get(path).await.expect(200).text();
    assert_eq!(ask("/owner").await, "owner_database");
    assert_eq!(ask("/intruder").await, "intruder_database");
    for other in ["owner_database", "plaza", "postgres", "template1"] {
        let text = ask(&format!("/intruder?database={other}")).await;
        assert!(text.starts_with("error"), "{other}: {text}");
    }
    let text = ask("/intruder?server=127.0.0.1:5432").await;
    assert!(text.starts_with("error"), "another server: {text}");
    let text = ask("/ungranted").await;
    assert!(text.starts_with("error"), "without a grant: {text}");
}

#[tokio::test]
async fn the_hosts_environment_reaches_no_components_database_connection() {
    let host = Setup::of("tests/apps/databases/spin.toml");
    let hostile = [
        ("PGAPPNAME", "leaked"),
        ("PGDATABASE", "template1"),
        ("PGHOST", "192.0.2.1"),
        ("PGOPTIONS", "-c statement_timeout=12345 -c search_path=leaked"),
        ("PGPASSWORD", "leaked"),
        ("PGPORT", "1"),
        ("PGSSLCERT", "/nowhere/at/all.pem"),
        ("PGSSLKEY", "/nowhere/at/all.key"),
        ("PGSSLMODE", "verify-full"),
        ("PGUSER", "leaked"),
    ];
    let host = hostile.iter().fold(host, |host, (name, value)| host.environment(name, value)).start();
    let ask = async |path: &str| host.client().get(path).await.expect(200).text();
    assert_eq!(ask("/owner").await, "owner_database");
    assert_eq!(ask("/owner?setting=statement_timeout").await, "0");
    assert_eq!(ask("/owner?setting=search_path").await, "\"$user\", public");
    assert_eq!(ask("/owner?setting=application_name").await, "plaza");
    let text = ask("/owner?password=").await;
    assert!(text.starts_with("error") && text.contains("password"), "{text}");
}
