//! Completion of command lines: commands, flags, types, names, namespaces, containers, label keys.

use crate::cmd::pods;
use crate::flags::{self, lookup};
use crate::io::{Env, Io};
use crate::resource;
use crate::tree::{self, Command};
use crate::value::{at, name, text};
use podlab_api::door::ResponseBody;
use podlab_api::{Door, Kind, Request, kinds};
use serde_json::Value;

/// One thing that may stand at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The whole word.
    pub word: String,
    /// One line about it; empty where there is none.
    pub about: String,
}

fn plain(word: impl Into<String>) -> Completion {
    Completion { word: word.into(), about: String::new() }
}

/// What may stand at the cursor (a byte offset into `line`), sorted.
///
/// The line may begin with `kubectl` or its alias `k`, or with the command itself. Names come from the
/// namespace of `-n`, else from `default`.
pub fn complete(line: &str, cursor: usize, door: &mut dyn Door) -> Vec<Completion> {
    let head = line.get(..cursor.min(line.len())).unwrap_or(line);
    let mut words: Vec<String> = head.split_whitespace().map(str::to_owned).collect();
    if head.ends_with(char::is_whitespace) || words.is_empty() {
        words.push(String::new());
    }
    if words.first().is_some_and(|w| w == "kubectl" || w == "k") && words.len() > 1 {
        words.remove(0);
    }
    words_at(&words, "default", door)
}

/// The words of a line, the last of which is being typed.
fn words_at(words: &[String], namespace: &str, door: &mut dyn Door) -> Vec<Completion> {
    let Some((last, before)) = words.split_last() else { return Vec::new() };
    let found = flags::find(before);
    let command = found.command;
    let scope = flag_value(before, &["-n", "--namespace"]).unwrap_or_else(|| namespace.to_owned());
    if before.iter().any(|w| w == "--") {
        return Vec::new();
    }
    let mut out =
        if let Some(flag) = before.last().filter(|w| w.starts_with('-')).and_then(|w| takes(command, w)) {
            values(flag, last, before, &scope, door)
        } else if last.starts_with('-') {
            match last.split_once('=') {
                Some((flag, rest)) => {
                    let name = flag.trim_start_matches('-').to_owned();
                    let mut found = values(&name, rest, before, &scope, door);
                    for one in &mut found {
                        one.word = format!("{flag}={}", one.word);
                    }
                    found
                }
                None => flags_of(command),
            }
        } else {
            let args: Vec<String> = arguments(command, &found.rest);
            if args.is_empty() && !command.commands.is_empty() {
                subcommands(command)
            } else {
                let mut found = arguments_of(&found.path, &args, last, &scope, door);
                found.extend(required_flags(command, before));
                found
            }
        };
    out.retain(|c| c.word.starts_with(last.as_str()));
    out.sort_by(|a, b| a.word.cmp(&b.word));
    out.dedup();
    out
}

fn flag_value(words: &[String], names: &[&str]) -> Option<String> {
    let mut found = None;
    for (i, word) in words.iter().enumerate() {
        for flag in names {
            if word == flag {
                found = words.get(i + 1).cloned();
            } else if let Some(value) = word.strip_prefix(&format!("{flag}=")) {
                found = Some(value.to_owned());
            }
        }
    }
    found
}

/// The long name of a flag that still needs its value.
fn takes(command: &'static Command, word: &str) -> Option<&'static str> {
    if word.contains('=') {
        return None;
    }
    let flag = match word.strip_prefix("--") {
        Some(long) => lookup(command, long),
        None => {
            let short = word.strip_prefix('-')?;
            let last = short.chars().last()?.to_string();
            command.flags.iter().chain(tree::root().global.iter()).find(|f| f.short == last)
        }
    }?;
    flag.no_value.is_empty().then_some(flag.name.as_str())
}

fn arguments(command: &'static Command, rest: &[String]) -> Vec<String> {
    let mut out = Vec::new();
    let mut skip = false;
    for word in rest {
        if skip {
            skip = false;
        } else if word.starts_with('-') {
            skip = takes(command, word).is_some();
        } else {
            out.push(word.clone());
        }
    }
    out
}

fn subcommands(command: &Command) -> Vec<Completion> {
    command
        .commands
        .iter()
        .filter(|c| !c.hidden)
        .map(|c| Completion { word: c.name().to_owned(), about: c.short.to_string() })
        .collect()
}

fn flags_of(command: &'static Command) -> Vec<Completion> {
    let mut out = Vec::new();
    for flag in command.flags.iter().chain(tree::root().global.iter()).filter(|f| !f.hidden) {
        out.push(Completion { word: format!("--{}", flag.name), about: flag.usage.to_string() });
        if !flag.short.is_empty() {
            out.push(Completion { word: format!("-{}", flag.short), about: flag.usage.to_string() });
        }
    }
    out
}

const FORMATS: [&str; 14] = [
    "json",
    "yaml",
    "kyaml",
    "name",
    "go-template",
    "go-template-file",
    "template",
    "templatefile",
    "jsonpath",
    "jsonpath-as-json",
    "jsonpath-file",
    "custom-columns",
    "custom-columns-file",
    "wide",
];

fn values(flag: &str, _typed: &str, before: &[String], scope: &str, door: &mut dyn Door) -> Vec<Completion> {
    match flag {
        "namespace" => names(&kinds::NAMESPACE, "", door),
        "output" => FORMATS.iter().map(|f| plain(*f)).collect(),
        "dry-run" => ["client", "none", "server"].iter().map(|f| plain(*f)).collect(),
        "cascade" => ["background", "foreground", "orphan"].iter().map(|f| plain(*f)).collect(),
        "restart" => ["Always", "Never", "OnFailure"].iter().map(|f| plain(*f)).collect(),
        "container" => {
            let args = arguments(flags::find(before).command, &flags::find(before).rest);
            let pod = args.first().map(|a| a.rsplit('/').next().unwrap_or(a).to_owned()).unwrap_or_default();
            match door.request(Request::get(&kinds::POD, scope, &pod)).into_object() {
                Ok(object) => {
                    pods::containers(&object.to_value()).iter().map(|c| plain(text(c, &["name"]))).collect()
                }
                Err(_) => Vec::new(),
            }
        }
        "selector" | "label-columns" => {
            let found = flags::find(before);
            let args = arguments(found.command, &found.rest);
            let kind = args.first().and_then(|a| resource::lookup(a)).unwrap_or(&kinds::POD);
            let mut out = Vec::new();
            for object in objects(kind, scope, door) {
                for (key, value) in at(&object, &["metadata", "labels"]).as_object().into_iter().flatten() {
                    let value = value.as_str().unwrap_or("");
                    out.push(plain(if flag == "selector" { format!("{key}={value}") } else { key.clone() }));
                }
            }
            out
        }
        _ => Vec::new(),
    }
}

fn objects(kind: &'static Kind, scope: &str, door: &mut dyn Door) -> Vec<Value> {
    let scope = if kind.namespaced { scope } else { "" };
    match door.request(Request::list(kind, scope)).body {
        ResponseBody::List(list) => list.items.iter().map(|o| o.to_value()).collect(),
        _ => Vec::new(),
    }
}

fn names(kind: &'static Kind, scope: &str, door: &mut dyn Door) -> Vec<Completion> {
    objects(kind, scope, door).iter().map(|o| plain(name(o))).collect()
}

/// The kinds that somebody has defined.
fn defined(door: &mut dyn Door) -> Vec<&'static Kind> {
    let definitions = objects(&kinds::CUSTOM_RESOURCE_DEFINITION, "", door);
    definitions.iter().flat_map(podlab_api::custom::kinds_of).collect()
}

fn kind_of(word: &str, door: &mut dyn Door) -> Option<&'static Kind> {
    resource::lookup(word).or_else(|| resource::lookup_in(&defined(door), word))
}

fn types(door: &mut dyn Door) -> Vec<Completion> {
    let mut defined = defined(door);
    // One version of each.
    defined.dedup();
    kinds::ALL.iter().copied().chain(defined).map(|k| plain(k.group_resource())).collect()
}

fn arguments_of(
    path: &str,
    args: &[String],
    last: &str,
    scope: &str,
    door: &mut dyn Door,
) -> Vec<Completion> {
    let command = path.strip_prefix("kubectl ").unwrap_or("");
    let typed = |door: &mut dyn Door| -> Vec<Completion> {
        if let Some((word, _)) = last.split_once('/') {
            return match kind_of(word, door) {
                Some(kind) => {
                    let mut out = names(kind, scope, door);
                    for one in &mut out {
                        one.word = format!("{word}/{}", one.word);
                    }
                    out
                }
                None => Vec::new(),
            };
        }
        match args.first() {
            None => types(door),
            Some(word) => match kind_of(word, door) {
                Some(kind) => {
                    let mut out = names(kind, scope, door);
                    out.retain(|c| !args.contains(&c.word));
                    out
                }
                None => Vec::new(),
            },
        }
    };
    match command {
        "logs" | "exec" | "attach" | "port-forward" | "debug" | "cp" => match args.len() {
            0 if last.contains('/') => typed(door),
            0 => names(&kinds::POD, scope, door),
            1 if command == "logs" => values(
                "container",
                last,
                &["logs".to_owned(), args.first().cloned().unwrap_or_default()],
                scope,
                door,
            ),
            _ => Vec::new(),
        },
        "cordon" | "uncordon" | "drain" | "top node" => names(&kinds::NODE, "", door),
        "top pod" => names(&kinds::POD, scope, door),
        "taint" => match args.len() {
            0 => vec![plain("nodes")],
            _ => typed(door),
        },
        "get" | "describe" | "delete" | "edit" | "label" | "annotate" | "patch" | "scale" | "expose"
        | "autoscale" | "wait" | "set image" | "set env" | "set resources" | "set serviceaccount" => {
            typed(door)
        }
        "rollout status" | "rollout history" | "rollout undo" | "rollout restart" | "rollout pause"
        | "rollout resume" => match args.len() {
            0 if !last.contains('/') => {
                ["daemonset", "deployment", "statefulset"].iter().map(|t| plain(*t)).collect()
            }
            _ => typed(door),
        },
        "explain" => types(door),
        "create job" | "create" => Vec::new(),
        _ => Vec::new(),
    }
}

/// The flags that a command still misses.
///
/// Source: github.com/spf13/cobra completions.go `completeRequireFlags`.
fn required_flags(command: &'static Command, before: &[String]) -> Vec<Completion> {
    let given = |flag: &tree::Flag| {
        let long = format!("--{}", flag.name);
        before
            .iter()
            .any(|word| *word == long || word.strip_prefix(&long).is_some_and(|rest| rest.starts_with('=')))
    };
    let missing = command.flags.iter().filter(|flag| flag.required && !given(flag));
    missing
        .map(|flag| Completion { word: format!("--{}", flag.name), about: flag.usage.to_string() })
        .collect()
}

/// Commands whose arguments kubectl completes by a function; those of all others are taken for files.
///
/// Source: `ValidArgsFunction` in k8s.io/kubectl/pkg/cmd (v1.37).
const WITH_FUNCTION: [&str; 38] = [
    "annotate",
    "apply edit-last-applied",
    "apply view-last-applied",
    "attach",
    "autoscale",
    "config delete-cluster",
    "config delete-context",
    "config delete-user",
    "config rename-context",
    "config set-context",
    "config use-context",
    "cordon",
    "cp",
    "create token",
    "debug",
    "delete",
    "describe",
    "drain",
    "edit",
    "exec",
    "expose",
    "get",
    "label",
    "logs",
    "patch",
    "port-forward",
    "rollout history",
    "rollout pause",
    "rollout restart",
    "rollout resume",
    "rollout status",
    "rollout undo",
    "scale",
    "set image",
    "taint",
    "top node",
    "top pod",
    "uncordon",
];

/// Flags whose values kubectl completes.
const WITH_VALUES: [&str; 6] = ["namespace", "output", "container", "context", "cluster", "user"];

/// What a shell may do where nothing fits: 4 asks it not to offer files, 0 leaves it to the shell.
///
/// Source: github.com/spf13/cobra completions.go `getCompletions`.
fn directive(words: &[String]) -> (u8, &'static str) {
    const NO_FILES: (u8, &str) = (4, "ShellCompDirectiveNoFileComp");
    const DEFAULT: (u8, &str) = (0, "ShellCompDirectiveDefault");
    let Some((last, before)) = words.split_last() else { return NO_FILES };
    let found = flags::find(before);
    let of_flag = |name: &str| if WITH_VALUES.contains(&name) { NO_FILES } else { DEFAULT };
    if let Some(flag) =
        before.last().filter(|word| word.starts_with('-')).and_then(|word| takes(found.command, word))
    {
        return of_flag(flag);
    }
    if last.starts_with('-') {
        return last.split_once('=').map_or(NO_FILES, |(flag, _)| of_flag(flag.trim_start_matches('-')));
    }
    let args = arguments(found.command, &found.rest);
    let path = found.path.strip_prefix("kubectl ").unwrap_or("");
    let has_commands = !found.command.commands.is_empty() && args.is_empty();
    if has_commands || WITH_FUNCTION.contains(&path) { NO_FILES } else { DEFAULT }
}

/// `kubectl __complete …`, what shells ask.
pub(crate) fn command(argv: &[String], env: &Env, door: &mut dyn Door, io: &mut dyn Io) -> i32 {
    let _ = env;
    let words = argv.get(1..).unwrap_or(&[]);
    let mut found = words_at(words, "default", door);
    let last = words.last().map_or("", String::as_str);
    // Formats come in kubectl's own order.
    if found.len() > 1 && found.iter().all(|c| FORMATS.contains(&c.word.as_str())) {
        found = FORMATS.iter().filter(|f| f.starts_with(last)).map(|f| plain(*f)).collect();
    }
    // Flags come in kubectl's order: those of all commands first.
    if last.starts_with('-') && !last.contains('=') {
        let command = flags::find(words.get(..words.len().saturating_sub(1)).unwrap_or(&[])).command;
        found.retain(|_| false);
        let mut lists: Vec<Vec<&tree::Flag>> =
            vec![tree::root().global.iter().collect(), command.flags.iter().collect()];
        for list in &mut lists {
            list.sort_by(|a, b| a.name.cmp(&b.name));
        }
        // That of the preferences' file is read before the rest, and not completed.
        let offered = |flag: &&tree::Flag| !flag.hidden && flag.name != "kuberc";
        for flag in lists.into_iter().flatten().filter(offered) {
            let own = Completion { word: format!("--{}", flag.name), about: flag.usage.to_string() };
            let short = Completion { word: format!("-{}", flag.short), about: flag.usage.to_string() };
            found.extend([own, short].into_iter().filter(|c| c.word.len() > 1 && c.word.starts_with(last)));
        }
    }
    for one in found {
        let about = one.about.lines().next().unwrap_or("");
        let line = if about.is_empty() { one.word } else { format!("{}\t{about}", one.word) };
        io.stdout(format!("{line}\n").as_bytes());
    }
    let (number, name) = directive(words);
    io.stdout(format!(":{number}\n").as_bytes());
    io.stderr(format!("Completion ended with directive: {name}\n").as_bytes());
    0
}
