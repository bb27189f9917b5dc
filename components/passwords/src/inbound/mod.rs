//! How the component is reached.

mod wit;
