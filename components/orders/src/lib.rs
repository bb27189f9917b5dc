//! The component `orders`.
