//! Objects that have been written lately, so that many watches of one change write it once.

use hyper::body::Bytes;
use podlab_api::Object;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// How many are kept: more than one request of a client makes.
const KEPT: usize = 4096;

/// Longer ones are not kept: what is kept takes 64 MiB at most.
const LARGEST: usize = 16 << 10;

/// Objects as they go over the wire, by resourceVersion, which no two writes share, and whether they are protobuf.
#[derive(Default)]
pub(crate) struct Rendered(Mutex<BTreeMap<(u64, bool), Bytes>>);

impl Rendered {
    /// An object in one of the two forms, written by `write` where it is not known.
    pub(crate) fn get(&self, object: &Object, protobuf: bool, write: impl FnOnce() -> Bytes) -> Bytes {
        let key = (object.resource_version(), protobuf);
        // A thread that panicked while it held the lock cannot have left half an entry.
        let lock = || self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(known) = lock().get(&key) {
            return known.clone();
        }
        let written = write();
        if written.len() > LARGEST {
            return written;
        }
        let mut kept = lock();
        kept.insert(key, written.clone());
        while kept.len() > KEPT {
            kept.pop_first();
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::Rendered;
    use podlab_api::Object;
    use serde_json::json;

    #[test]
    fn an_object_is_written_once() {
        let object = Object::from_value(json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "a", "resourceVersion": "7"}}));
        let object = object.unwrap();
        let rendered = Rendered::default();
        assert_eq!(rendered.get(&object, false, || "x".into()), "x");
        assert_eq!(rendered.get(&object, false, || "y".into()), "x");
        assert_eq!(rendered.get(&object, true, || "y".into()), "y");
    }
}
