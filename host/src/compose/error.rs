use std::path::PathBuf;

use thiserror::Error;

/// Why a component and its dependencies cannot become one.
#[derive(Debug, Error)]
pub enum ComposeError {
    /// The component itself.
    #[error("it cannot be composed with its dependencies: {0}")]
    Unreadable(String),
    /// Two dependencies would serve one import.
    #[error("{import} would come from {key} and from {other}")]
    Ambiguous {
        /// The import.
        import: String,
        /// One dependency's name.
        key: String,
        /// The other's.
        other: String,
    },
    /// The dependency's file cannot be read.
    #[error("`{}` cannot be read: {cause}", file.display())]
    Missing {
        /// The dependency's name.
        key: String,
        /// Its file.
        file: PathBuf,
        /// Why.
        cause: String,
    },
    /// The dependency's file is nothing that can be composed.
    #[error("`{}` cannot be composed in: {cause}", file.display())]
    Unfit {
        /// The dependency's name.
        key: String,
        /// Its file.
        file: PathBuf,
        /// Why.
        cause: String,
    },
    /// The dependency calls what only a link of its component provides, and does not inherit it.
    #[error(
        "what is composed in for {key} imports {import}, to which its component is linked, and does not inherit that"
    )]
    LinkNotInherited {
        /// The dependency's name.
        key: String,
        /// What it imports.
        import: String,
    },
    /// The dependency does not export what it is there for.
    #[error("what is to be composed in for {key} does not export {export}; it exports {}", list(exports))]
    NoExport {
        /// The dependency's name.
        key: String,
        /// The export that was looked for.
        export: String,
        /// The exports that there are.
        exports: Vec<String>,
    },
    /// Import and export have different types.
    #[error("what is composed in for {key} does not fit: {cause}")]
    Mismatch {
        /// The dependency's name.
        key: String,
        /// What differs.
        cause: String,
    },
    /// The middleware does not stand between those who ask and who answers.
    #[error("what is to stand around it as {key} does not both import and export wasi:http/handler@0.3")]
    NoMiddleware {
        /// The middleware's name.
        key: String,
    },
    /// There is middleware, and the component handles no requests that it could hand on.
    #[error("it has middleware around it and does not export wasi:http/handler@0.3, to which that hands requests on")]
    NothingWithin,
    /// The whole cannot be written down.
    #[error("it cannot be composed with its dependencies: {0}")]
    Whole(String),
}

impl ComposeError {
    /// The dependency that it is about, by its name in the manifest.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Unreadable(_) | Self::NothingWithin | Self::Whole(_) => None,
            Self::Ambiguous { key, .. }
            | Self::Missing { key, .. }
            | Self::Unfit { key, .. }
            | Self::LinkNotInherited { key, .. }
            | Self::NoExport { key, .. }
            | Self::Mismatch { key, .. }
            | Self::NoMiddleware { key } => Some(key),
        }
    }

    /// What is wrong and what to do about it.
    pub fn advice(&self) -> String {
        format!("{self}; {}", self.remedy())
    }

    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "build it anew",
            Self::Ambiguous { .. } => "take one of the two lines out, or name the interface in each",
            Self::Missing { .. } => "correct the path, or make the file readable for this user",
            Self::Unfit { .. } => "name a component that was built for the target `wasm32-wasip2`",
            Self::LinkNotInherited { .. } => "write `inherit_configuration = true`, if it is to make that call",
            Self::NoExport { .. } => "name another file or component, or its export by `export = \"…\"`",
            Self::Mismatch { .. } => "build both against the same WIT",
            Self::NoMiddleware { .. } => "name one that hands requests on (`spin_sdk::http::next`), built for WASI 0.3",
            Self::NothingWithin => {
                "build it for WASI 0.3 (`#[http_service]` of spin-sdk 7), or take the middleware out of its triggers"
            }
            Self::Whole(_) => "build all of them against the same versions of their interfaces",
        }
    }
}

fn list(exports: &[String]) -> String {
    if exports.is_empty() { "nothing".to_owned() } else { exports.join(", ") }
}
