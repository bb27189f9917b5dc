use async_trait::async_trait;

use crate::manifest::import;

/// The interfaces of components that hear messages, in the order in which one looks for them: those of spin-sdk 7, of those who write
/// the version, and of spin-sdk 3 and older.
pub const INTERFACES: [&str; 3] =
    ["spin:redis/inbound-redis@3.0.0", "fermyon:spin/inbound-redis@2.0.0", "fermyon:spin/inbound-redis"];

/// Whether this is one of these interfaces, in whatever version.
pub fn is_handler(interface: &str) -> bool {
    INTERFACES.iter().any(|known| import::same_interface(known, interface))
}

/// A component that hears messages.
#[async_trait]
pub trait Handler: Send + Sync {
    /// The component's name.
    fn component(&self) -> &str;

    /// Bytes that a message may have.
    fn message_bytes(&self) -> u64;

    /// Bytes that a message of so many takes in the host while it is handled.
    fn held_bytes(&self, message_bytes: usize) -> usize {
        message_bytes
    }

    /// Handles one message.
    ///
    /// # Errors
    /// What went wrong, for the log. The message does not come again.
    async fn handle(&self, message: Vec<u8>) -> Result<(), String>;
}
