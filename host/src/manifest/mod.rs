//! The manifest: `spin.toml` becomes an [`App`]. Pure: it reads the file and nothing else.

pub mod app;
pub mod grant;
pub mod template;

pub use app::App;
