//! The wasmtime engine, once per process.
