//! The control API, as its page describes it.

use plaza_tests::{Answer, Client, artifact, letters::Letters, workspace};
use serde_json::{Value, json};

/// The requests of the page: method and path.
fn described() -> Vec<(String, String)> {
    let page = std::fs::read_to_string(workspace().join("docs/control-api.md")).expect("the page");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    rows.filter_map(|(request, _)| request.split_once(' '))
        .map(|(method, path)| (method.to_owned(), path.to_owned()))
        .collect()
}

/// A part of a form.
fn form(bytes: &[u8]) -> Vec<u8> {
    let head = b"--parts\r\ncontent-disposition: form-data; name=\"component\"\r\n\r\n";
    [head, bytes, b"\r\n--parts--\r\n"].concat()
}

fn last_line(answer: &Answer) -> Value {
    let text = answer.text();
    let line = text.lines().last().expect("a line");
    serde_json::from_str(line).expect("JSON")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_of_its_page_is_answered_to_those_with_the_token_alone() {
    let letters = tokio::task::block_in_place(|| Letters::on(Letters::setup()));
    let name = letters.rejected("lamps", "desk-1").await;
    let application = letters.host.status().await["application"].as_str().expect("a name").to_owned();
    let operator = letters.host.control();
    let stranger = Client::new(letters.host.control_address());
    let requests = described();
    assert_eq!(requests.len(), 11);
    for (method, template) in requests {
        let path = match template.split('/').nth(1) {
            Some("components") => template.replace("{id}", "lamps"),
            Some("applications") => template.replace("{name}", &application),
            _ => template.replace("{name}", &name),
        };
        let request = |client: &Client| {
            let request = client.request(&method, &path);
            match &*template {
                "/components/{id}/deploy" => {
                    let bytes = std::fs::read(artifact::built("choosy")).expect("it is built");
                    request.header("content-type", "multipart/form-data; boundary=parts").body(form(&bytes))
                }
                "/dead-letters/replay" => request.json(&json!({"names": [name]})),
                _ => request,
            }
        };
        request(&stranger).await.expect(401);
        let answer = request(&operator).await.expect(200);
        let expected = match &*template {
            "/components/{id}/deploy" | "/components/{id}/rollback" => "finished",
            "/components/{id}/promote" => "refused",
            "/applications/{name}/apply" => "applied",
            _ => continue,
        };
        assert_eq!(last_line(&answer)["event"], expected, "{path}: {}", answer.text());
    }
}
