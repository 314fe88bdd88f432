//! `kubectl config set`, `unset`, `set-cluster`, `set-credentials`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/config/set.go, unset.go, set_cluster.go, set_credentials.go,
//! navigation_step_parser.go (v1.37).

use super::config::{full, save};
use super::create::base64;
use crate::cx::{Cx, Flow, done};
use crate::error::{Error, Result, message};
use crate::flags::{Parsed, parse_bool};
use crate::value::{at, slot, text};
use serde_json::{Map, Value, json};

/// What a list's entries hold their fields under, and the fields.
struct Section {
    list: &'static str,
    inner: &'static str,
    fields: &'static [&'static str],
}

const SECTIONS: [Section; 3] = [
    Section {
        list: "clusters",
        inner: "cluster",
        fields: &[
            "server",
            "tls-server-name",
            "insecure-skip-tls-verify",
            "certificate-authority",
            "certificate-authority-data",
            "proxy-url",
            "disable-compression",
        ],
    },
    Section { list: "contexts", inner: "context", fields: &["cluster", "user", "namespace"] },
    Section {
        list: "users",
        inner: "user",
        fields: &[
            "client-certificate",
            "client-certificate-data",
            "client-key",
            "client-key-data",
            "token",
            "tokenFile",
            "act-as",
            "act-as-uid",
            "username",
            "password",
        ],
    },
];

/// Help, then what is wrong with the arguments.
pub(crate) fn misused(cx: &mut Cx<'_>, parsed: &Parsed, word: &str) -> Result<Flow> {
    cx.out(&crate::help::text(parsed, &[]));
    message(format!("{word} args: [{}]", parsed.args.join(" ")))
}

/// A new entry of a list, with the fields that are always written.
fn entry<'a>(content: &'a mut Value, section: &Section, name: &str) -> &'a mut Value {
    let list = &mut content[section.list];
    if !list.is_array() {
        *list = json!([]);
    }
    let index = list.as_array().and_then(|all| all.iter().position(|e| text(e, &["name"]) == name));
    let index = index.unwrap_or_else(|| {
        let fresh = match section.list {
            "clusters" => json!({"server": ""}),
            "contexts" => json!({"cluster": "", "user": ""}),
            _ => json!({}),
        };
        let all = list.as_array_mut();
        all.map_or(0, |all| {
            all.push(json!({"name": name, section.inner: fresh}));
            all.len() - 1
        })
    });
    slot(&mut content[section.list][index], &[section.inner])
}

/// Which entry and field a property names: `clusters.a.b.server` is the field `server` of `a.b`.
fn find(property: &str) -> Result<(&'static Section, String, Option<&'static str>)> {
    let (head, rest) = property.split_once('.').unwrap_or((property, ""));
    let Some(section) = SECTIONS.iter().find(|section| section.list == head) else {
        return message(format!("unable to parse {property} after [] at api.Config"));
    };
    for field in section.fields {
        if let Some(name) = rest.strip_suffix(field).and_then(|name| name.strip_suffix('.')) {
            return Ok((section, name.to_owned(), Some(field)));
        }
    }
    Ok((section, rest.to_owned(), None))
}

pub(crate) fn set(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let [property, value] = parsed.args.as_slice() else { return misused(cx, parsed, "Unexpected") };
    let mut content = full(cx);
    if property == "current-context" {
        content["current-context"] = value.clone().into();
    } else {
        let (section, name, field) = find(property)?;
        let Some(field) = field else {
            let names: Vec<String> = at(&content, &[section.list])
                .as_array()
                .into_iter()
                .flatten()
                .map(|e| format!("{}:{{...}}", text(e, &["name"])))
                .collect();
            return message(format!("can't set a map to a value: map[{}]", names.join(" ")));
        };
        let value = match field {
            "insecure-skip-tls-verify" | "disable-compression" => match parse_bool(value) {
                Some(value) => Value::Bool(value),
                None => return message(format!("strconv.ParseBool: parsing {value:?}: invalid syntax")),
            },
            field if field.ends_with("-data") && parsed.bool("set-raw-bytes") => {
                base64(value.as_bytes()).into()
            }
            field if field.ends_with("-data") => match bad_base64(value) {
                Some(at) => {
                    return message(format!("error decoding value: illegal base64 data at input byte {at}"));
                }
                None => value.clone().into(),
            },
            _ => value.clone().into(),
        };
        entry(&mut content, section, &name)[field] = value;
    }
    save(cx, &content)?;
    cx.outln(&format!("Property {property:?} set."));
    done()
}

/// Where a text stops being base64.
fn bad_base64(text: &str) -> Option<usize> {
    let digits = text.trim_end_matches('=');
    let bad = digits.bytes().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/')));
    bad.or((!text.len().is_multiple_of(4)).then_some(text.len() / 4 * 4))
}

pub(crate) fn unset(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let [property] = parsed.args.as_slice() else { return misused(cx, parsed, "Unexpected") };
    let mut content = full(cx);
    if property == "current-context" {
        content["current-context"] = "".into();
    } else {
        let (section, name, field) = find(property)?;
        let known = crate::config::named(&content, section.list, &name).is_some();
        match field {
            _ if name.is_empty() => content[section.list] = Value::Null,
            Some(_) if !known => return message(format!("current map key `{name}` is invalid")),
            // What is always written is emptied.
            Some(field) if matches!(field, "server" | "cluster" | "user") => {
                entry(&mut content, section, &name)[field] = "".into();
            }
            Some(field) => {
                drop(entry(&mut content, section, &name).as_object_mut().map(|map| map.remove(field)))
            }
            None => {
                if let Some(all) = content[section.list].as_array_mut() {
                    all.retain(|e| text(e, &["name"]) != name);
                }
            }
        }
    }
    save(cx, &content)?;
    cx.outln(&format!("Property {property:?} unset."));
    done()
}

/// The path from the configuration's folder to a file that was named from the working directory.
fn relative(cx: &Cx<'_>, path: &str) -> String {
    if path.is_empty() {
        return String::new();
    }
    let full = |path: &str| -> Vec<String> {
        let cwd = cx.io.working_directory();
        let whole = if path.starts_with('/') { path.to_owned() } else { format!("{cwd}/{path}") };
        let mut parts: Vec<String> = Vec::new();
        for part in whole.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part.to_owned()),
            }
        }
        parts
    };
    let (target, mut base) = (full(path), full(&cx.config.path));
    base.pop();
    let same = target.iter().zip(&base).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), base.len() - same);
    up.chain(target.into_iter().skip(same)).collect::<Vec<_>>().join("/")
}

/// The content of a certificate or key, to be written into the configuration.
fn embedded(cx: &mut Cx<'_>, what: &str, path: &str) -> Result<Value> {
    match cx.io.read_file(path) {
        Ok(bytes) => Ok(base64(&bytes).into()),
        Err(_) => {
            message(format!("could not stat {what} file {path}: stat {path}: no such file or directory"))
        }
    }
}

fn put(map: &mut Map<String, Value>, key: &str, value: impl Into<Value>) {
    let value = value.into();
    if value == json!("") || value == json!(false) {
        map.remove(key);
    } else {
        map.insert(key.to_owned(), value);
    }
}

pub(crate) fn set_cluster(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let [name] = parsed.args.as_slice() else { return misused(cx, parsed, "Unexpected") };
    let authority = parsed.str("certificate-authority").to_owned();
    let (embed, insecure) = (parsed.bool("embed-certs"), parsed.bool("insecure-skip-tls-verify"));
    if insecure && !authority.is_empty() {
        return message("you cannot specify a certificate authority and insecure mode at the same time");
    }
    if embed && authority.is_empty() {
        return message("you must specify a --certificate-authority to embed");
    }
    let data = if embed { embedded(cx, "certificate-authority", &authority)? } else { Value::Null };
    let path = relative(cx, &authority);
    let mut content = full(cx);
    let Some(cluster) = SECTIONS.first().and_then(|s| entry(&mut content, s, name).as_object_mut()) else {
        return done();
    };
    if parsed.changed("server") {
        cluster.insert("server".to_owned(), parsed.str("server").into());
        // A server of another name needs its own.
        cluster.remove("tls-server-name");
    }
    if parsed.changed("tls-server-name") {
        put(cluster, "tls-server-name", parsed.str("tls-server-name"));
    }
    // A default counts as given.
    put(cluster, "insecure-skip-tls-verify", insecure);
    if insecure {
        cluster.remove("certificate-authority");
        cluster.remove("certificate-authority-data");
    }
    if parsed.changed("certificate-authority") {
        cluster.remove("insecure-skip-tls-verify");
        cluster.remove("certificate-authority-data");
        cluster.remove("certificate-authority");
        if embed {
            cluster.insert("certificate-authority-data".to_owned(), data);
        } else {
            put(cluster, "certificate-authority", path);
        }
    }
    if parsed.changed("proxy-url") {
        put(cluster, "proxy-url", parsed.str("proxy-url"));
    }
    save(cx, &content)?;
    cx.outln(&format!("Cluster {name:?} set."));
    done()
}

pub(crate) fn set_credentials(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let [name] = parsed.args.as_slice() else { return misused(cx, parsed, "unexpected") };
    let basic = !parsed.str("username").is_empty() || !parsed.str("password").is_empty();
    if !parsed.str("token").is_empty() && basic {
        return message(
            "you cannot specify more than one authentication method at the same time: --token, --username/--password",
        );
    }
    let embed = parsed.bool("embed-certs");
    let files = ["client-certificate", "client-key"];
    if embed && files.iter().all(|flag| parsed.str(flag).is_empty()) {
        return message("you must specify a --client-certificate or --client-key to embed");
    }
    let mut found = Vec::new();
    for flag in files.into_iter().filter(|flag| parsed.changed(flag)) {
        let path = parsed.str(flag).to_owned();
        let data = if embed && !path.is_empty() { embedded(cx, flag, &path)? } else { Value::Null };
        found.push((flag, relative(cx, &path), data));
    }
    let mut content = full(cx);
    let Some(user) = SECTIONS.last().and_then(|s| entry(&mut content, s, name).as_object_mut()) else {
        return done();
    };
    for (flag, path, data) in found {
        user.remove(flag);
        user.remove(&format!("{flag}-data"));
        if embed {
            user.insert(format!("{flag}-data"), data);
        } else {
            put(user, flag, path);
        }
    }
    let token = parsed.changed("token");
    if token {
        put(user, "token", parsed.str("token"));
    }
    for flag in ["username", "password"] {
        if parsed.changed(flag) {
            put(user, flag, parsed.str(flag));
        }
    }
    // Another way of authentication takes the place of the one before.
    let basic = parsed.changed("username") || parsed.changed("password");
    if basic && !token {
        user.remove("token");
    }
    if token && !basic {
        user.remove("username");
        user.remove("password");
    }
    let provider = parsed.str("auth-provider");
    let mut user = Value::Object(std::mem::take(user));
    if !provider.is_empty() {
        if text(&user, &["auth-provider", "name"]) != provider {
            user["auth-provider"] = json!({"name": provider, "config": null});
        }
        change(slot(&mut user, &["auth-provider", "config"]), &parsed.list("auth-provider-arg"))?;
    }
    exec(&mut user, parsed)?;
    if let Some(section) = SECTIONS.last() {
        *entry(&mut content, section, name) = user;
    }
    save(cx, &content)?;
    cx.outln(&format!("User {name:?} set."));
    done()
}

/// Sets `key=value` and takes away `key-`.
fn change(map: &mut Value, changes: &[String]) -> Result<()> {
    for one in changes {
        match (one.split_once('='), one.strip_suffix('-')) {
            (Some((key, value)), _) => slot(map, &[])[key] = value.into(),
            (None, Some(key)) => drop(crate::value::remove(map, &[], key)),
            (None, None) => {
                return Err(Error::Message(format!(
                    "error: invalid env param format {one}, expect key=value or key-"
                )));
            }
        }
    }
    Ok(())
}

fn exec(user: &mut Value, parsed: &Parsed) -> Result<()> {
    let command = parsed.str("exec-command");
    if !command.is_empty() {
        if !at(user, &["exec"]).is_object() {
            let fresh = json!({"command": "", "args": null, "env": null, "provideClusterInfo": false});
            user["exec"] = fresh;
        }
        user["exec"]["command"] = command.into();
        user["exec"]["args"] = Value::Null;
    }
    if !at(user, &["exec"]).is_object() {
        return Ok(());
    }
    let args = parsed.list("exec-arg");
    if !args.is_empty() {
        user["exec"]["args"] = json!(args);
    }
    for (flag, field) in [("exec-api-version", "apiVersion"), ("exec-interactive-mode", "interactiveMode")] {
        if !parsed.str(flag).is_empty() {
            user["exec"][field] = parsed.str(flag).into();
        }
    }
    if parsed.changed("exec-provide-cluster-info") {
        user["exec"]["provideClusterInfo"] = parsed.bool("exec-provide-cluster-info").into();
    }
    let mut env = json!({});
    for one in at(user, &["exec", "env"]).as_array().into_iter().flatten() {
        env[text(one, &["name"])] = text(one, &["value"]).into();
    }
    change(&mut env, &parsed.list("exec-env"))?;
    let all: Vec<Value> = env
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    user["exec"]["env"] = if all.is_empty() { Value::Null } else { Value::Array(all) };
    Ok(())
}
