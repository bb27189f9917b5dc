//! HTTP requests that a guest sends.
