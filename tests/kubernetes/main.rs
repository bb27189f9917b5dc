//! The manifests in `deploy/kubernetes` and `deploy/spinkube` against the schemas of Kubernetes, against one another, and against the
//! program that they run. No cluster is asked: what only one could say is not tested here.

mod fleet;
mod kustomize;
mod network;
mod objects;
mod pods;
mod program;
mod schema;
mod spinkube;
