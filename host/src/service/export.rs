//! The name of a function that a component exports.

/// `interface#function`, put together once rather than at every call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    name: String,
    hash: usize,
}

impl Export {
    /// A function of an interface.
    pub fn new(interface: &str, function: &str) -> Self {
        Self { name: format!("{interface}#{function}"), hash: interface.len() }
    }

    /// `interface#function`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The interface, with its version.
    pub fn interface(&self) -> &str {
        self.name.get(..self.hash).unwrap_or_default()
    }

    /// The function.
    pub fn function(&self) -> &str {
        self.name.get(self.hash + 1..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_knows_its_parts() {
        let export = Export::new("example:users/directory@1.0.0", "get-user");
        assert_eq!(export.name(), "example:users/directory@1.0.0#get-user");
        assert_eq!((export.interface(), export.function()), ("example:users/directory@1.0.0", "get-user"));
    }
}
