//! What the parts of an artifact are called.

/// The locked application: a layer, or, as older Spins had it, the artifact's configuration.
pub const APPLICATION: &str = "application/vnd.fermyon.spin.application.v1+config";
/// A component.
pub const COMPONENT: &str = "application/vnd.wasm.content.layer.v1+wasm";
/// A component as `wkg` pushes it.
pub const PACKAGE: &str = "application/wasm";
/// A file.
pub const DATA: &str = "application/vnd.wasm.content.layer.v1+data";
/// Files, packed: where there would be more layers than some registries take.
pub const ARCHIVE: &str = "application/vnd.wasm.content.bundle.v1.tar+gzip";
/// The artifact's configuration where the locked application is a layer.
pub const CONFIGURATION: &str = "application/vnd.oci.image.config.v1+json";
/// The list of all of it.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The same as Docker has it.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
