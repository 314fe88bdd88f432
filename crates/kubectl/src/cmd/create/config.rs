//! `kubectl create configmap` and `kubectl create secret`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/create/create_configmap.go, create_secret*.go (v1.37).

use super::{finish, name};
use crate::cx::{Cx, Flow};
use crate::error::{Result, message};
use crate::flags::Parsed;
use crate::io::FileError;
use podlab_api::kinds;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Base64 as Go writes bytes.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len() * 4 / 3 + 4);
    for chunk in bytes.chunks(3) {
        let mut word = 0_usize;
        for i in 0..3 {
            word = word << 8 | chunk.get(i).copied().map_or(0, usize::from);
        }
        for i in 0..4 {
            if i <= chunk.len() {
                let digit = DIGITS.get(word >> (18 - 6 * i) & 63).copied().unwrap_or(b'=');
                out.push(char::from(digit));
            } else {
                out.push('=');
            }
        }
    }
    out
}

type Data = BTreeMap<String, Vec<u8>>;

fn add(data: &mut Data, key: &str, value: Vec<u8>, kind: &str) -> Result<()> {
    let valid = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if !valid {
        let what = if kind == "Secret" { "Secret" } else { "ConfigMap" };
        return message(format!(
            "{key:?} is not a valid key name for a {what}: a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
        ));
    }
    if data.contains_key(key) {
        return message(match kind {
            "Secret" => format!("cannot add key {key}, another key by that name already exists"),
            _ => format!(
                "cannot add key {key:?}, another key by that name already exists in Data for ConfigMap"
            ),
        });
    }
    data.insert(key.to_owned(), value);
    Ok(())
}

fn file_error(path: &str, error: FileError) -> String {
    let why = match error {
        FileError::Denied => "permission denied",
        FileError::NotDirectory => "not a directory",
        _ => "no such file or directory",
    };
    format!("error reading {path}: {why}")
}

fn from_files(cx: &mut Cx<'_>, data: &mut Data, sources: &[String], kind: &str) -> Result<()> {
    for source in sources {
        let (key, path) = match source.split('=').collect::<Vec<_>>().as_slice() {
            [path] => (path.rsplit('/').next().unwrap_or(path).to_owned(), (*path).to_owned()),
            ["", _] => {
                return message(format!("key name for file path {} missing", source.trim_start_matches('=')));
            }
            [key, ""] => return message(format!("file path for key name {key} missing")),
            [key, path] => ((*key).to_owned(), (*path).to_owned()),
            _ => return message("key names or file paths cannot contain '='"),
        };
        match cx.io.read_file(&path) {
            Ok(bytes) => add(data, &key, bytes, kind)?,
            Err(FileError::IsDirectory) => {
                if source.contains('=') {
                    return message("cannot give a key name for a directory path");
                }
                for entry in cx.io.read_dir(&path).unwrap_or_default() {
                    if entry.is_dir {
                        continue;
                    }
                    let full = format!("{}/{}", path.trim_end_matches('/'), entry.name);
                    if let Ok(bytes) = cx.io.read_file(&full) {
                        add(data, &entry.name, bytes, kind)?;
                    }
                }
            }
            Err(error) => return message(file_error(&path, error)),
        }
    }
    Ok(())
}

fn from_literals(data: &mut Data, sources: &[String], kind: &str) -> Result<()> {
    for source in sources {
        let Some((key, value)) = source.split_once('=').filter(|(k, _)| !k.is_empty()) else {
            return message(format!("invalid literal source {source}, expected key=value"));
        };
        // Quotes around the whole value are the shell's remains.
        let bare = value
            .strip_prefix('"')
            .and_then(|v| v.strip_suffix('"'))
            .or_else(|| value.strip_prefix('\'').and_then(|v| v.strip_suffix('\'')))
            .unwrap_or(value);
        add(data, key, bare.as_bytes().to_vec(), kind)?;
    }
    Ok(())
}

fn from_env_files(cx: &mut Cx<'_>, data: &mut Data, sources: &[String], kind: &str) -> Result<()> {
    for path in sources {
        let bytes = match cx.io.read_file(path) {
            Ok(bytes) => bytes,
            Err(FileError::IsDirectory) => {
                let what = if kind == "Secret" { "secret" } else { "config" };
                return message(format!("env {what} file cannot be a directory"));
            }
            Err(error) => return message(file_error(path, error)),
        };
        let content = String::from_utf8_lossy(&bytes).into_owned();
        for (i, line) in content.lines().enumerate() {
            let line = if i == 0 { line.strip_prefix('\u{feff}').unwrap_or(line) } else { line };
            let line = line.trim_start();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, value) = match line.split_once('=') {
                Some((key, value)) => (key, value.to_owned()),
                None => (line, cx.env.vars.get(line).cloned().unwrap_or_default()),
            };
            if let Some(why) = bad_env_name(key) {
                return message(format!("{key:?} is not a valid key name: {why}"));
            }
            add(data, key, value.into_bytes(), kind)?;
        }
    }
    Ok(())
}

/// Why a text is no name of an environment variable.
///
/// Source: k8s.io/apimachinery/pkg/util/validation IsEnvVarName (v1.37).
pub(crate) fn bad_env_name(key: &str) -> Option<String> {
    let mut why = Vec::new();
    let first = key.chars().next();
    let fine = first.is_some_and(|c| !c.is_ascii_digit())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
    if !fine {
        why.push("a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')");
    }
    match key {
        "." => why.push("must not be '.'"),
        ".." => why.push("must not be '..'"),
        _ if key.starts_with("..") => why.push("must not start with '..'"),
        _ => {}
    }
    (!why.is_empty()).then(|| why.join(";"))
}

fn collect(cx: &mut Cx<'_>, parsed: &Parsed, kind: &str) -> Result<Data> {
    let (files, literals, envs) =
        (parsed.list("from-file"), parsed.list("from-literal"), parsed.list("from-env-file"));
    if !envs.is_empty() && (!files.is_empty() || !literals.is_empty()) {
        return message("from-env-file cannot be combined with from-file or from-literal");
    }
    let mut data = Data::new();
    if kind == "Secret" {
        from_literals(&mut data, &literals, kind)?;
        from_files(cx, &mut data, &files, kind)?;
    } else {
        from_files(cx, &mut data, &files, kind)?;
        from_literals(&mut data, &literals, kind)?;
    }
    from_env_files(cx, &mut data, &envs, kind)?;
    Ok(data)
}

pub(super) fn config_map(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let name = name(parsed)?;
    let data = collect(cx, parsed, "ConfigMap")?;
    let mut object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
    let (mut texts, mut binary) = (Map::new(), Map::new());
    for (key, bytes) in data {
        match String::from_utf8(bytes) {
            Ok(text) => texts.insert(key, text.into()),
            Err(error) => binary.insert(key, base64(error.as_bytes()).into()),
        };
    }
    let mut hashed = vec![
        ("data", Value::Object(texts.clone())),
        ("kind", "ConfigMap".into()),
        ("name", name.clone().into()),
    ];
    if !binary.is_empty() {
        hashed.insert(0, ("binaryData", Value::Object(binary.clone())));
    }
    if !texts.is_empty() {
        object["data"] = Value::Object(texts);
    }
    if !binary.is_empty() {
        object["binaryData"] = Value::Object(binary);
    }
    if parsed.bool("append-hash") {
        object["metadata"]["name"] = format!("{name}-{}", hash(&hashed)).into();
    }
    finish(cx, parsed, &kinds::CONFIG_MAP, object, "failed to create configmap: ")
}

fn secret(cx: &mut Cx<'_>, parsed: &Parsed, name: &str, kind: &str, data: Data) -> Result<Flow> {
    let data: Map<String, Value> = data.into_iter().map(|(k, v)| (k, base64(&v).into())).collect();
    let mut object = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}});
    let hashed = [
        ("data", Value::Object(data.clone())),
        ("kind", "Secret".into()),
        ("name", name.into()),
        ("type", kind.into()),
    ];
    if !data.is_empty() {
        object["data"] = Value::Object(data);
    }
    if !kind.is_empty() {
        object["type"] = kind.into();
    }
    if parsed.bool("append-hash") {
        object["metadata"]["name"] = format!("{name}-{}", hash(&hashed)).into();
    }
    finish(cx, parsed, &kinds::SECRET, object, "failed to create secret ")
}

pub(super) fn secret_generic(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let name = name(parsed)?;
    let data = collect(cx, parsed, "Secret")?;
    secret(cx, parsed, &name, parsed.str("type"), data)
}

pub(super) fn secret_docker(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let name = name(parsed)?;
    let files = parsed.list("from-file");
    let (user, password, server, email) = (
        parsed.str("docker-username"),
        parsed.str("docker-password"),
        parsed.str("docker-server"),
        parsed.str("docker-email"),
    );
    if files.is_empty() && (user.is_empty() || password.is_empty() || server.is_empty()) {
        return message(
            "either --from-file or the combination of --docker-username, --docker-password and --docker-server is required",
        );
    }
    let mut data = Data::new();
    if files.is_empty() {
        let quote = |text: &str| podlab_yaml::to_json_compact(&Value::from(text));
        let mut auth = format!("\"username\":{},\"password\":{}", quote(user), quote(password));
        if !email.is_empty() {
            auth.push_str(&format!(",\"email\":{}", quote(email)));
        }
        auth.push_str(&format!(",\"auth\":{}", quote(&base64(format!("{user}:{password}").as_bytes()))));
        let text = format!("{{\"auths\":{{{}:{{{auth}}}}}}}", quote(server));
        data.insert(".dockerconfigjson".to_owned(), text.into_bytes());
    } else {
        from_files(cx, &mut data, &files, "Secret")?;
    }
    secret(cx, parsed, &name, "kubernetes.io/dockerconfigjson", data)
}

pub(super) fn secret_tls(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let name = name(parsed)?;
    let (key, cert) = (parsed.str("key"), parsed.str("cert"));
    if key.is_empty() || cert.is_empty() {
        return message("key and cert must be specified");
    }
    let mut data = Data::new();
    for (field, path) in [("tls.crt", cert), ("tls.key", key)] {
        let bytes = cx
            .read_bytes(path)
            .or_else(|error| message(format!("Cannot read file {path}, {}", error.text())))?;
        let what = if field == "tls.crt" { "certificate" } else { "key" };
        if !String::from_utf8_lossy(&bytes).contains("-----BEGIN ") {
            return message(format!("tls: failed to find any PEM data in {what} input"));
        }
        data.insert(field.to_owned(), bytes);
    }
    secret(cx, parsed, &name, "kubernetes.io/tls", data)
}

/// The suffix of `--append-hash`: ten characters of a SHA-256, without look-alikes.
///
/// Source: k8s.io/kubectl/pkg/util/hash/hash.go (v1.37).
pub(crate) fn hash(fields: &[(&str, Value)]) -> String {
    let parts: Vec<String> = fields
        .iter()
        .map(|(k, v)| format!("{}:{}", Value::from(*k), podlab_yaml::to_json_compact(v)))
        .collect();
    let digest = sha256(format!("{{{}}}", parts.join(",")).as_bytes());
    let mut out = String::new();
    for byte in digest.iter().take(5) {
        for digit in [byte >> 4, byte & 15] {
            out.push(match digit {
                0 => 'g',
                1 => 'h',
                3 => 'k',
                10 => 'm',
                14 => 't',
                d => char::from_digit(u32::from(d), 16).unwrap_or('0'),
            });
        }
    }
    out
}

/// FIPS 180-4.
fn sha256(message: &[u8]) -> [u8; 32] {
    // The constants are the fractions of cube and square roots of the first primes.
    let primes: Vec<u32> = (2_u32..).filter(|n| (2..*n).all(|d| n % d != 0)).take(64).collect();
    let fraction = |root: f64| ((root - root.floor()) * 4_294_967_296.0) as u32;
    let cube = |p: u32| {
        // An f64 root is exact enough but in its last bits: whole arithmetic finds the 32 bits.
        let (mut low, mut high) = (0_u128, 1_u128 << 40);
        let target = u128::from(p) << 96;
        while high - low > 1 {
            let mid = (low + high) / 2;
            if mid * mid * mid <= target { low = mid } else { high = mid }
        }
        (low & 0xffff_ffff) as u32
    };
    let k: Vec<u32> = primes.iter().map(|p| cube(*p)).collect();
    let mut state: Vec<u32> = primes.iter().take(8).map(|p| fraction(f64::from(*p).sqrt())).collect();
    let mut data = message.to_vec();
    data.push(0x80);
    while data.len() % 64 != 56 {
        data.push(0);
    }
    data.extend_from_slice(&((message.len() as u64) * 8).to_be_bytes());
    for block in data.chunks(64) {
        let mut w: Vec<u32> =
            block.chunks(4).map(|c| c.iter().fold(0_u32, |a, b| a << 8 | u32::from(*b))).collect();
        let at = |w: &[u32], i: usize| w.get(i).copied().unwrap_or(0);
        for i in 16..64 {
            let (a, b) = (at(&w, i - 15), at(&w, i - 2));
            let s0 = a.rotate_right(7) ^ a.rotate_right(18) ^ (a >> 3);
            let s1 = b.rotate_right(17) ^ b.rotate_right(19) ^ (b >> 10);
            w.push(at(&w, i - 16).wrapping_add(s0).wrapping_add(at(&w, i - 7)).wrapping_add(s1));
        }
        let mut v = state.clone();
        for i in 0..64 {
            let (a, b, c, d) = (at(&v, 0), at(&v, 1), at(&v, 2), at(&v, 3));
            let (e, f, g, h) = (at(&v, 4), at(&v, 5), at(&v, 6), at(&v, 7));
            let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let choice = (e & f) ^ (!e & g);
            let t1 = h.wrapping_add(s1).wrapping_add(choice).wrapping_add(at(&k, i)).wrapping_add(at(&w, i));
            let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let major = (a & b) ^ (a & c) ^ (b & c);
            let t2 = s0.wrapping_add(major);
            v = vec![t1.wrapping_add(t2), a, b, c, d.wrapping_add(t1), e, f, g];
        }
        for (old, new) in state.iter_mut().zip(v) {
            *old = old.wrapping_add(new);
        }
    }
    let mut out = [0; 32];
    for (slot, byte) in out.iter_mut().zip(state.iter().flat_map(|w| w.to_be_bytes())) {
        *slot = byte;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_is_that_of_the_standard() {
        let hex: String = sha256(b"abc").iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
