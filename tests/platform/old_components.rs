//! Components of before WASI 0.2: core modules of WASI preview 1, run as they are.

use plaza_tests::Setup;

#[tokio::test]
async fn a_component_of_spin_sdk_3_is_served_with_its_database_and_its_log_lines() {
    let host = Setup::of("tests/apps/databases/spin.toml").start();
    let client = host.client();
    let answer = client.get("/old/hello").header("x-request-id", "of-an-old-guest").await.expect(200);
    assert_eq!(answer.text(), "hello from preview 1");
    let line = host.stderr().line_with("the old guest was asked for /old/hello");
    assert!(line.contains("of-an-old-guest"), "{line}");
    assert_eq!(client.get("/old/database").await.expect(200).text(), "42");

    client.get("/old/exit").await.problem(500);
    client.get("/old/trap").await.problem(500);
    host.stderr().line_with("the old guest gave up");
    assert_eq!(client.get("/old/database").await.expect(200).text(), "42", "it is served again after that");
}
