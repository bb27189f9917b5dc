//! `static_response` of an HTTP trigger: an answer that the host gives itself.

use http::{HeaderName, HeaderValue, header};

use super::{
    app::StaticResponse,
    section::{Node, Section},
};

/// Headers that say how the answer is sent, which is the host's business.
const OF_THE_HOST: &[HeaderName] = &[header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING];

/// Reads a static response; what is wrong with it is noted.
pub(super) fn read(node: &Node<'_>) -> Option<StaticResponse> {
    let section = node.section(&["status_code", "headers", "body"])?;
    let status = section.get("status_code").map_or(Some(200), |status| status.number(200, 599));
    Some(StaticResponse {
        status: u16::try_from(status?).ok()?,
        headers: read_headers(&section),
        body: section.string("body").unwrap_or_default(),
    })
}

fn read_headers(section: &Section<'_>) -> Vec<(String, String)> {
    let entries = section.get("headers").map(|node| node.entries()).unwrap_or_default();
    let headers = entries.into_iter().filter_map(|(name, node)| {
        let value = node.string()?;
        match HeaderName::try_from(&name) {
            Err(_) => node.fault(format!("`{name}` is no name for a header"), "use letters, digits and `-`"),
            Ok(known) if OF_THE_HOST.contains(&known) => {
                node.fault(format!("the header `{name}` is the host's own"), "take it out; the host sets it");
            }
            Ok(_) if HeaderValue::try_from(&value).is_err() => {
                node.fault(format!("`{}` cannot be sent", node.name()), "leave out line breaks and control characters");
            }
            Ok(_) => return Some((name, value)),
        }
        None
    });
    headers.collect()
}
