//! The component `payments`.
