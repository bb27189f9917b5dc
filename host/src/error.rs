//! Errors and how they read.
