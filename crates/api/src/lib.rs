//! The object model of the simulated Kubernetes, and the language of its one door.
//!
//! Kinds and their names ([`kinds`]), objects ([`Object`]), requests and answers ([`door`]), errors
//! ([`Status`]). It builds alone: it knows no clock, no store and no random numbers.
//!
//! **Boundary:** [`kinds::ALL`] (the registry) and [`door`].
#![forbid(unsafe_code)]

pub mod custom;
pub mod defaults;
pub mod descriptions;
pub mod door;
pub mod duration;
pub mod event;
pub mod go_json;
pub mod go_text;
pub mod health;
pub mod int_or_string;
pub mod jsonpath;
pub mod kinds;
pub mod managed_fields;
pub mod object;
pub mod patch;
pub mod pod_tree;
pub mod printers;
pub mod quantity;
pub mod resources;
pub mod route;
pub mod schema;
pub mod selector;
pub mod server_version;
pub mod stable_sort;
pub mod status;
pub mod support;
pub mod table;
pub mod time;
pub mod validation;
pub mod versions;

pub use door::{Door, Request, Response};
pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference, Time};
pub use kinds::Kind;
pub use object::{Body, Object};
pub use quantity::Quantity;
pub use status::{Status, StatusCause, StatusDetails};
pub use table::Table;
