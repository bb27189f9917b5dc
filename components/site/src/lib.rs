//! The component `site`.
