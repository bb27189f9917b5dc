//! An instance in its store, with the exports a worker calls.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize},
};

use wasmtime::{Store, component::Func};
use wasmtime_wasi_http::handler::Proxy;

use crate::guest::Guest;

/// An instance in a store of its own.
pub struct Instance {
    /// The store; dropping it ends whatever the instance still does.
    pub store: Store<Guest>,
    /// Its `wasi:http` export, if it has one.
    pub proxy: Option<Proxy>,
    /// Its other exported functions, in the order of the version's exports.
    pub functions: Vec<Function>,
    /// How often it was stopped in the midst of computing, because the epoch ended.
    pub stops: Arc<AtomicUsize>,
    /// Set when its time is over: it traps then at the next epoch, wherever it is.
    pub time_is_over: Arc<AtomicBool>,
}

/// An exported function of an instance.
pub struct Function {
    /// What is called.
    pub export: Func,
    /// How many values it returns.
    pub results: usize,
}
