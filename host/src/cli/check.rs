//! `plaza check`: every fault of a manifest and its components, in one go.
