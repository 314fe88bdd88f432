//! Objects in protobuf, as typed clients send them and ask for them.
//!
//! The schema knows the fields and their types; `data/protobuf.txt` adds their numbers.
//!
//! Source: k8s.io/apimachinery/pkg/runtime/serializer/protobuf/protobuf.go and the `.proto` files of k8s.io/api (v1.37).

mod decode;
mod encode;
mod numbers;
mod wire;

pub(crate) use decode::decode;
pub(crate) use encode::{encode, encode_event, encode_list, frame};

/// The media type.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";

/// What every such document begins with.
const MAGIC: &[u8] = b"k8s\0";
