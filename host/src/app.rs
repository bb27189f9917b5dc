//! The composition root: a manifest becomes running services.
