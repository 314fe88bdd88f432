//! `kubectl debug`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/debug/debug.go (v1.37).

use super::attach;
use super::debug_profile::{self as profile, Style};
use crate::cx::{Cx, Flow, done};
use crate::error::{Error, Result, message};
use crate::flags::Parsed;
use crate::resource::{Builder, Info};
use crate::value::{at, list, name, slot, text};
use podlab_api::door::PatchType;
use podlab_api::patch::{KindLookup, two_way_strategic};
use podlab_api::{Request, kinds};
use serde_json::{Value, json};

/// What the command was asked for.
struct Options<'p> {
    parsed: &'p Parsed,
    image: String,
    copy_to: String,
    args: Vec<String>,
    images: Vec<(String, String)>,
    /// A partial container that is merged into the debugging one.
    custom: Value,
}

/// Whether an image's name has the form of a reference.
///
/// Source: github.com/distribution/reference/regexp.go ReferenceRegexp.
fn is_reference(image: &str) -> bool {
    const COMPONENT: &str = "[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*";
    const DOMAIN: &str =
        "([a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)(\\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*(:[0-9]+)?/";
    const REST: &str = "(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@[A-Za-z][A-Za-z0-9]*([-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?";
    podlab_shell::matches_whole(&format!("({DOMAIN})?{COMPONENT}(/{COMPONENT})*{REST}"), image)
}

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let names = parsed.before_dash().to_vec();
    let wanted = parsed.str("profile");
    if !profile::ALL.contains(&wanted) {
        return message(format!("unknown profile: {wanted}"));
    }
    let pairs = |flag: &str| -> Vec<(String, String)> {
        let given = parsed.list(flag);
        let parts = given.iter().flat_map(|one| one.split(','));
        parts.filter_map(|one| one.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned()))).collect()
    };
    let mut options = Options {
        parsed,
        image: parsed.str("image").to_owned(),
        copy_to: parsed.str("copy-to").to_owned(),
        args: parsed.after_dash().to_vec(),
        images: pairs("set-image"),
        custom: Value::Null,
    };
    let custom = parsed.str("custom").to_owned();
    if !custom.is_empty() {
        let content = cx.read_text(&custom).or_else(|e| {
            message(format!("must pass a container spec json file for custom profile: {}", e.text()))
        })?;
        match podlab_yaml::parse_document(&content) {
            Ok(document) if document.value.is_object() => options.custom = document.value,
            _ => return message(format!("{custom} does not contain a valid container spec")),
        }
    }
    options.validate(cx, &names)?;
    let builder = Builder::new(cx, parsed);
    let args: Vec<String> =
        names.iter().map(|n| if n.contains('/') { n.clone() } else { format!("pods/{n}") }).collect();
    let mut last = None;
    for item in builder.args(&args).fetch_typed(cx)?.items {
        let info = item?;
        let made = match info.kind.kind {
            "Node" => options.node(cx, &info, &pairs("env"))?,
            "Pod" if options.copy_to.is_empty() => options.ephemeral(cx, &info, &pairs("env"))?,
            "Pod" => options.copy(cx, &info, &pairs("env"))?,
            _ => {
                let what = format!("{}, Kind={}", info.kind.api_version(), info.kind.kind);
                return message(format!("{what:?} not supported by debug"));
            }
        };
        last = Some(made);
    }
    let attached = parsed.bool("attach") || (!parsed.changed("attach") && parsed.bool("stdin"));
    match last {
        Some((pod, container)) if attached && !container.is_empty() => {
            attach::after_debug(cx, parsed, &pod, &container)
        }
        _ => done(),
    }
}

impl Options<'_> {
    fn validate(&self, cx: &mut Cx<'_>, names: &[String]) -> Result<()> {
        let parsed = self.parsed;
        let container = parsed.str("container");
        if parsed.bool("attach") && self.image.is_empty() && container.is_empty() {
            return message(
                "you must specify --container or create a new container using --image in order to attach.",
            );
        }
        if self.copy_to.is_empty() {
            if parsed.bool("replace") {
                return message("--replace may only be used with --copy-to.");
            }
            if parsed.bool("same-node") {
                return message("--same-node may only be used with --copy-to.");
            }
            if !self.images.is_empty() {
                return message("--set-image may only be used with --copy-to.");
            }
            if self.image.is_empty() {
                return message("you must specify --image when not using --copy-to.");
            }
        } else {
            if self.image.is_empty() && self.images.is_empty() && self.args.is_empty() {
                return message("you must specify --image, --set-image or command arguments.");
            }
            if !self.args.is_empty() && container.is_empty() && self.image.is_empty() {
                return message(
                    "you must specify an existing container or a new image when specifying args.",
                );
            }
        }
        if !self.image.is_empty() && !is_reference(&self.image) {
            return message(format!("invalid image name {:?}: invalid reference format", self.image));
        }
        if names.is_empty() && parsed.list("filename").is_empty() {
            return message("NAME or filename is required for debug");
        }
        let policy = parsed.str("image-pull-policy");
        if !["", "Always", "IfNotPresent", "Never"].contains(&policy) {
            return message(format!("invalid image pull policy: {policy}"));
        }
        for (name, image) in &self.images {
            if !is_reference(image) {
                return message(format!(
                    "invalid image name {image:?} for container {name:?}: invalid reference format"
                ));
            }
        }
        let target = parsed.str("target");
        if !target.is_empty() {
            if !self.copy_to.is_empty() {
                return message("--target is incompatible with --copy-to. Use --share-processes instead.");
            }
            if !parsed.bool("quiet") {
                cx.outln(&format!(
                    "Targeting container {target:?}. If you don't see processes from this container it may be because the container runtime doesn't support this feature."
                ));
            }
        }
        if parsed.bool("tty") && !parsed.bool("stdin") {
            return message("-i/--stdin is required for containers with -t/--tty=true");
        }
        let fixed = ["name", "command", "image", "lifecycle", "volumeDevices"];
        if fixed.iter().any(|key| self.custom.get(key).is_some()) {
            return message(
                "name, command, image, lifecycle and volume devices are not modifiable via custom profile",
            );
        }
        if parsed.str("profile") == "legacy" {
            cx.errln("--profile=legacy is deprecated and planned to be removed in v1.39. It is recommended to specify other profile, for example \"--profile=general\".");
        }
        Ok(())
    }

    /// A new debugging container.
    fn container(&self, name: &str, env: &[(String, String)]) -> Value {
        let parsed = self.parsed;
        let mut container =
            json!({"name": name, "image": self.image, "resources": {}, "terminationMessagePolicy": "File"});
        for flag in ["stdin", "tty"] {
            if parsed.bool(flag) {
                container[flag] = true.into();
            }
        }
        self.put_env_and_args(&mut container, env);
        container
    }

    fn put_env_and_args(&self, container: &mut Value, env: &[(String, String)]) {
        let policy = self.parsed.str("image-pull-policy");
        if !policy.is_empty() {
            container["imagePullPolicy"] = policy.into();
        }
        if !env.is_empty() {
            container["env"] = env.iter().map(|(k, v)| json!({"name": k, "value": v})).collect();
        }
        if !self.args.is_empty() {
            if self.parsed.bool("arguments-only") {
                container["args"] = json!(self.args);
            } else {
                container["command"] = json!(self.args);
                crate::value::remove(container, &[], "args");
            }
        }
    }

    fn apply(&self, pod: &mut Value, container: &str, style: Style) {
        profile::apply(pod, container, style, self.parsed);
        if !self.custom.is_null()
            && let Some(found) = profile::container(pod, container)
        {
            *found = podlab_api::patch::apply_merge_patch(found.clone(), &self.custom);
        }
    }

    /// `debugger-x7k2p`, unless a name was given.
    fn container_name(&self, cx: &mut Cx<'_>, pod: &Value) -> String {
        let given = self.parsed.str("container");
        if !given.is_empty() {
            return given.to_owned();
        }
        let taken: Vec<&str> = super::pods::containers(pod).into_iter().map(name_of).collect();
        let found = (0_u64..).map(|salt| format!("debugger-{}", suffix(cx, pod, salt)));
        let chosen = found.into_iter().find(|n| !taken.contains(&n.as_str())).unwrap_or_default();
        if !self.parsed.bool("quiet") {
            cx.outln(&format!("Defaulting debug container name to {chosen}."));
        }
        chosen
    }

    /// Adds an ephemeral container to a pod.
    fn ephemeral(&self, cx: &mut Cx<'_>, info: &Info, env: &[(String, String)]) -> Result<(Value, String)> {
        let pod = &info.object;
        let container = self.container_name(cx, pod);
        let mut added = self.container(&container, env);
        let target = self.parsed.str("target");
        if !target.is_empty() {
            added["targetContainerName"] = target.into();
        }
        let mut next = pod.clone();
        let all = slot(&mut next, &["spec", "ephemeralContainers"]);
        match all.as_array_mut() {
            Some(all) => all.push(added),
            None => *all = json!([added]),
        }
        self.apply(&mut next, &container, Style::Ephemeral);
        warn(cx, &mut next, &container);
        let patch = two_way_strategic(pod, &next, KindLookup::new(info.kind)).map_err(|error| {
            Error::Message(format!("error creating patch to add debug container: {error}"))
        })?;
        let request =
            Request::patch(info.kind, &info.namespace, &info.name, PatchType::StrategicMerge, patch);
        let pod = cx.object(request.subresource("ephemeralcontainers"))?;
        Ok((pod, container))
    }

    /// Makes a copy of a pod with a container more, or with one that is changed.
    fn copy(&self, cx: &mut Cx<'_>, info: &Info, env: &[(String, String)]) -> Result<(Value, String)> {
        let parsed = self.parsed;
        let mut copy = json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": self.copy_to, "namespace": info.namespace},
            "spec": at(&info.object, &["spec"])});
        for key in ["labels", "annotations"] {
            let kept = at(&info.object, &["metadata", key]);
            if !kept.is_null() {
                copy["metadata"][key] = kept.clone();
            }
        }
        crate::value::remove(&mut copy, &["spec"], "ephemeralContainers");
        if !parsed.bool("same-node") {
            crate::value::remove(&mut copy, &["spec"], "nodeName");
        }
        if parsed.changed("share-processes") {
            copy["spec"]["shareProcessNamespace"] = parsed.bool("share-processes").into();
        }
        for container in slot(&mut copy, &["spec", "containers"]).as_array_mut().into_iter().flatten() {
            let image = |name: &str| self.images.iter().find(|(n, _)| n == name).map(|(_, image)| image);
            if let Some(image) = image(name_of(container)).or_else(|| image("*")) {
                container["image"] = image.clone().into();
            }
        }
        let mut chosen = parsed.str("container").to_owned();
        if profile::container(&mut copy, &chosen).is_none() {
            if self.image.is_empty() {
                if self.images.is_empty() {
                    return message("you must specify image when creating new container");
                }
                return self.create_copy(cx, info, copy, String::new());
            }
            if chosen.is_empty() {
                chosen = self.container_name(cx, &copy);
            }
            let fresh = json!({"name": chosen, "resources": {}, "terminationMessagePolicy": "File"});
            if let Some(all) = slot(&mut copy, &["spec", "containers"]).as_array_mut() {
                all.push(fresh);
            }
        }
        if let Some(container) = profile::container(&mut copy, &chosen) {
            self.put_env_and_args(container, env);
            if !self.image.is_empty() {
                container["image"] = self.image.clone().into();
            }
            for flag in ["stdin", "tty"] {
                match parsed.bool(flag) {
                    true => container[flag] = true.into(),
                    false => drop(crate::value::remove(container, &[], flag)),
                }
            }
        }
        self.apply(&mut copy, &chosen, Style::Copy);
        warn(cx, &mut copy, &chosen);
        self.create_copy(cx, info, copy, chosen)
    }

    fn create_copy(
        &self,
        cx: &mut Cx<'_>,
        info: &Info,
        copy: Value,
        container: String,
    ) -> Result<(Value, String)> {
        let created = cx.object(Request::create(&kinds::POD, &info.namespace, copy))?;
        if self.parsed.bool("replace") {
            let mut delete = Request::delete(&kinds::POD, &info.namespace, &info.name);
            delete.options.grace_period_seconds = Some(0);
            cx.ask(delete)?;
        }
        Ok((created, container))
    }

    /// Makes a pod in the namespaces of a node's own.
    fn node(&self, cx: &mut Cx<'_>, info: &Info, env: &[(String, String)]) -> Result<(Value, String)> {
        let given = self.parsed.str("container");
        let container = if given.is_empty() { "debugger" } else { given }.to_owned();
        let pod_name = format!("node-debugger-{}-{}", info.name, suffix(cx, &info.object, 0));
        if !self.parsed.bool("quiet") {
            cx.outln(&format!(
                "Creating debugging pod {pod_name} with container {container} on node {}.",
                info.name
            ));
        }
        let mut pod = json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": pod_name, "labels": {"app.kubernetes.io/managed-by": "kubectl-debug"}},
            "spec": {"containers": [self.container(&container, env)], "nodeName": info.name,
                "restartPolicy": "Never", "tolerations": [{"operator": "Exists"}]}});
        self.apply(&mut pod, &container, Style::Node);
        let namespace = cx.namespace.clone();
        let created = cx.object(Request::create(&kinds::POD, &namespace, pod))?;
        Ok((created, container))
    }
}

fn name_of(container: &Value) -> &str {
    text(container, &["name"])
}

/// Five letters and digits of Kubernetes' own alphabet, told by object and time.
fn suffix(cx: &Cx<'_>, object: &Value, salt: u64) -> String {
    const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut state = 0xcbf2_9ce4_8422_2325_u64 ^ salt;
    let told = format!("{} {}", cx.now().as_nanosecond(), text(object, &["metadata", "uid"]));
    for byte in told.bytes().chain(name(object).bytes()) {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    let letter = |i: u32| {
        let place = usize::try_from((state >> (i * 8 + 8)) % 27).unwrap_or(0);
        ALPHABET.get(place).copied().map_or('b', char::from)
    };
    (0..5).map(letter).collect()
}

/// Says that a user of the pod's own may stand in the way of what the profile grants.
fn warn(cx: &mut Cx<'_>, pod: &mut Value, container: &str) {
    let user = |value: &Value| at(value, &["securityContext", "runAsUser"]).as_i64();
    let Some(1..) = user(at(pod, &["spec"])) else { return };
    let Some(container) = profile::container(pod, container) else { return };
    let privileged = at(container, &["securityContext", "privileged"]).as_bool() == Some(true);
    let added = !list(container, &["securityContext", "capabilities", "add"]).is_empty();
    if user(container) != Some(0) && (privileged || added) {
        cx.errln("Warning: Non-root user is configured for the entire target Pod, and some capabilities granted by debug profile may not work. Please consider using \"--custom\" with a custom profile that specifies \"securityContext.runAsUser: 0\".");
    }
}
