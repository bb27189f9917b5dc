//! The component `products`.
