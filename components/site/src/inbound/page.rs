//! Pages that need nothing from elsewhere.

/// The front page.
pub fn front() -> String {
    page("Shop", include_str!("../page/front.html"))
}

fn page(title: &str, content: &str) -> String {
    let style = include_str!("../page/style.css");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{style}</style>\n{content}</html>\n"
    )
}
