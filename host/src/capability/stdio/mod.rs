//! What a guest prints becomes log lines.
//!
//! One instance serves several requests at once, and a guest prints through an import that knows nothing of requests.
//! Which request printed is found at the import: [`add_to_linker`] puts a thin function before the ones that write to
//! an output stream; it asks wasmtime which guest task is calling, asks the store which request that task serves, and
//! notes the answer in the store's [`CurrentRequest`], where [`GuestOutput`] reads it while the write goes on. Between
//! the note and the write nothing else runs in the store, so the two belong together.

mod limiter;
mod linker;
mod output;

pub use limiter::OutputLimiter;
pub use linker::{RequestOfTask, StdioView, add_to_linker};
pub use output::{CurrentRequest, GuestOutput, Origin, OutputKind};
