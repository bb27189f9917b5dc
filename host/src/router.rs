//! Which component serves a path. Pure.
