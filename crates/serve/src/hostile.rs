//! Bad input: whatever bytes a client sends, the readers answer without a panic.

use crate::exchange::parse;
use crate::negotiate::accept;
use crate::protobuf;
use crate::query::{Query, check_write, list_query, request_options};
use crate::spdy::{Reader, Writer};
use podlab_api::route::{Target, route};
use podlab_sim::splitmix64;

/// Numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 += 1;
        usize::try_from(splitmix64(self.0) % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most)).map(|_| u8::try_from(self.below(256)).unwrap()).collect()
    }

    /// `bytes` with some of them changed, cut or doubled.
    fn spoilt(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = bytes.to_vec();
        for _ in 0..1 + self.below(6) {
            let at = self.below(out.len());
            match self.below(4) {
                0 => out.truncate(at),
                1 => out.insert(at.min(out.len()), u8::try_from(self.below(256)).unwrap()),
                _ => {
                    if let Some(byte) = out.get_mut(at) {
                        *byte = u8::try_from(self.below(256)).unwrap();
                    }
                }
            }
        }
        out
    }
}

/// A Pod with a container, by hand.
fn pod() -> Vec<u8> {
    let field =
        |number: u8, bytes: &[u8]| [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat();
    let container = [
        field(1, b"c"),
        field(2, b"nginx"),
        field(8, &field(2, &[field(1, b"cpu"), field(2, &field(1, b"1"))].concat())),
    ];
    let meta = [field(1, b"web"), field(11, &[field(1, b"app"), field(2, b"web")].concat())].concat();
    let spec = [field(2, &container.concat()), vec![4 << 3, 30]].concat();
    let raw = [field(1, &meta), field(2, &spec)].concat();
    let unknown = [field(1, &[field(1, b"v1"), field(2, b"Pod")].concat()), field(2, &raw)].concat();
    [b"k8s\0".as_slice(), &unknown].concat()
}

#[test]
fn a_pod_in_protobuf_is_the_tree_that_json_gives() {
    let value = protobuf::decode(&pod()).unwrap();
    assert_eq!(
        value,
        serde_json::json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": {"app": "web"}},
            "spec": {"terminationGracePeriodSeconds": 30, "containers": [
                {"name": "c", "image": "nginx", "resources": {"requests": {"cpu": "1"}}}]}})
    );
}

#[test]
fn what_is_written_in_protobuf_is_read_as_it_was() {
    let cluster = podlab_cluster::Cluster::forgetful(podlab_cluster::Settings::default());
    let mut seen = 0;
    for object in cluster.world().api.store().all() {
        let value = object.to_managed_value();
        let bytes = protobuf::encode(&value).unwrap();
        let mut read = protobuf::decode(&bytes).unwrap();
        let mut sent = value;
        without_nothing(&mut read);
        without_nothing(&mut sent);
        assert_eq!(read, sent);
        seen += 1;
    }
    assert!(seen >= 50, "{seen}");
}

/// Takes away what protobuf does not tell from what is not there.
fn without_nothing(value: &mut serde_json::Value) {
    use serde_json::Value;
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(set) => !set,
        Value::Number(number) => number.as_f64() == Some(0.0),
    };
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(without_nothing);
            map.retain(|_, value| !empty(value));
        }
        Value::Array(items) => items.iter_mut().for_each(without_nothing),
        _ => {}
    }
}

#[test]
fn any_bytes_are_answered() {
    let mut numbers = Numbers(7);
    let pod = pod();
    let request = b"GET /a?b=c%20d&limit=5 HTTP/1.1\r\nHost: x\r\ncontent-length: 3\r\n\r\nabc";
    let frames = [Writer::new().reply(1), Writer::data(3, b"hello", true), Writer::ping(4)].concat();
    for _ in 0..4_000 {
        let _ = protobuf::decode(&numbers.spoilt(&pod));
        let _ = protobuf::decode(&numbers.bytes(60));
        let _ = parse(&numbers.spoilt(request));
        let mut reader = Reader::new();
        let spoilt = numbers.spoilt(&frames);
        for piece in spoilt.chunks(7) {
            if reader.feed(piece).is_none() {
                break;
            }
        }
        let text = String::from_utf8_lossy(&numbers.spoilt(b"/apis/apps/v1/namespaces/a/pods/b%2f/log?x=1"))
            .into_owned();
        let _ = route(&text);
        let _ = accept(&text);
        let query = Query::parse(&String::from_utf8_lossy(&numbers.spoilt(
            b"watch=1&limit=3&dryRun=All&resourceVersion=4&continue=abc&timeoutSeconds=1&fieldManager=x",
        )));
        let _ = (
            list_query(&query, &Target::default()),
            request_options(&query),
            check_write(&query, "PatchOptions", true),
        );
    }
}
