//! The component `users`.
