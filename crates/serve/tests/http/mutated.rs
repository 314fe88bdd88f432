//! Mutated manifests, patches and updates of the built-in kinds, as a real API server 1.37 answered them.
//!
//! `data/mutated.jsonl` begins with what is created first; every line has a request (`m`ethod, `p`ath, media `t`ype,
//! `b`ody), and after these the answer (`c`ode, `w`arnings, the answer `a` itself). Nothing after the creations is kept: all
//! of it is a dry run.

use crate::client::Lab;
use serde_json::Value;

/// The text without instants and uids, which differ by nature.
fn masked_text(text: &str) -> String {
    let fits = |text: &[u8], shape: &[u8]| {
        text.len() >= shape.len()
            && text.iter().zip(shape).all(|(c, shape)| match shape {
                b'9' => c.is_ascii_digit(),
                b'f' => c.is_ascii_hexdigit(),
                shape => c == shape,
            })
    };
    let (mut out, mut rest) = (String::new(), text);
    while let Some(c) = rest.chars().next() {
        let bytes = rest.as_bytes();
        let version =
            ["resourceVersion\":\"", "resourceVersion\\\":\\\""].iter().find(|v| rest.starts_with(**v));
        let taken = if fits(bytes, b"2099-99-99T99:99:99Z") {
            out.push_str("<time>");
            20
        } else if fits(bytes, b"ffffffff-ffff-ffff-ffff-ffffffffffff") {
            out.push_str("<uid>");
            36
        } else if let Some(version) = version {
            out.push_str(version);
            let digits = rest.get(version.len()..).unwrap_or("");
            version.len() + digits.bytes().take_while(u8::is_ascii_digit).count()
        } else {
            out.push(c);
            c.len_utf8()
        };
        rest = rest.get(taken..).unwrap_or("");
    }
    out
}

/// An answer without what differs by nature, what controllers write in their time, and what is drawn or handed out.
fn masked(value: &mut Value, sent: &str, path: &str) {
    match value {
        Value::String(text) => {
            let drawn = text.starts_with("10.96.") && !sent.contains(text.as_str());
            *text = if drawn { "<ip>".to_owned() } else { masked_text(text) };
        }
        Value::Array(items) => items.iter_mut().for_each(|item| masked(item, sent, path)),
        Value::Object(map) => {
            if path == ".metadata" {
                for key in ["uid", "resourceVersion", "creationTimestamp", "managedFields"] {
                    map.remove(key);
                }
                if map.contains_key("generateName") {
                    map.remove("name");
                }
            }
            for (key, value) in map.iter_mut() {
                match (key.as_str(), value.as_i64()) {
                    ("nodePort" | "healthCheckNodePort", Some(port)) if !sent.contains(&port.to_string()) => {
                        *value = "<port>".into();
                    }
                    _ => masked(value, sent, &format!("{path}.{key}")),
                }
            }
        }
        _ => {}
    }
}

fn text<'a>(line: &'a Value, key: &str) -> &'a str {
    line[key].as_str().unwrap_or("")
}

#[test]
fn mutated_requests_are_answered_as_by_a_real_server() {
    let lab = Lab::start();
    let (mut wrong, mut all) = (Vec::new(), 0);
    for line in include_str!("../data/mutated.jsonl").lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let headers = [("Content-Type", text(&line, "t")), ("User-Agent", "mutate")];
        let sent = text(&line, "b");
        let answer = lab.send(text(&line, "m"), text(&line, "p"), &headers, sent.as_bytes());
        let Some(code) = line["c"].as_u64() else {
            assert_eq!(answer.code, 201, "{}: {}", text(&line, "p"), answer.text());
            continue;
        };
        all += 1;
        let status = line["s"].as_bool() == Some(true);
        let (mut want, mut got) = (line["a"].clone(), answer.json());
        for value in [&mut want, &mut got] {
            masked(value, sent, "");
            // What a controller has come to write by now is not what this is about.
            if let (false, Some(map)) = (status, value.as_object_mut().filter(|map| map["kind"] != "Status"))
            {
                map.remove("status");
            }
        }
        let warnings: Vec<&str> = answer
            .headers
            .iter()
            .filter(|(name, _)| name == "warning")
            .map(|(_, text)| text.as_str())
            .collect();
        let told = line["w"].as_array().cloned().unwrap_or_default();
        if (u64::from(answer.code), &want, Value::from(warnings.clone()))
            != (code, &got, Value::Array(told.clone()))
        {
            wrong.push(format!(
                "{} {}\n{sent}\nwant {code} {told:?} {want}\ngot  {} {warnings:?} {got}\n",
                text(&line, "m"),
                text(&line, "p"),
                answer.code
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {all} differ:\n{}", wrong.len(), wrong.join("\n"));
}
