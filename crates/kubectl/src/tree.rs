//! The tree of commands: names, texts and flags, read from tables that `tools/commands` writes.
//!
//! Every line needs names and flags, few need the texts: those are a table of their own, read when help is asked for.

use serde::{Deserialize, Deserializer};
use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

/// A text of help.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Text {
    /// The place in the table of texts; the first one is empty.
    At(usize),
    /// One that the table lacks.
    Own(&'static str),
}

impl Default for Text {
    fn default() -> Text {
        Text::Own("")
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Text, D::Error> {
        usize::deserialize(from).map(Text::At)
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Text::At(at) => text(*at),
            Text::Own(text) => text,
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

// Kept apart, so that the page begins without the table.
#[inline(never)]
fn text(at: usize) -> &'static str {
    static TEXTS: OnceLock<Vec<String>> = OnceLock::new();
    let texts =
        TEXTS.get_or_init(|| serde_json::from_str(include_str!("../data/texts.json")).unwrap_or_default());
    texts.get(at).map_or("", String::as_str)
}

/// A flag of a command.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Flag {
    /// `namespace`.
    #[serde(rename = "n")]
    pub name: String,
    /// `n`; empty where there is none.
    #[serde(rename = "s", default)]
    pub short: String,
    /// pflag's name of its type: `string`, `bool`, `int32`, `duration`, `stringArray`.
    #[serde(rename = "t")]
    pub kind: String,
    /// Its value where it is not given.
    #[serde(rename = "d", default)]
    pub default: String,
    /// Its value where it is given without one; empty where one is needed.
    #[serde(rename = "o", default)]
    pub no_value: String,
    /// What help says about it.
    #[serde(rename = "u")]
    pub usage: Text,
    /// Whether help leaves it out.
    #[serde(rename = "h", default)]
    pub hidden: bool,
    /// What is said when it is used.
    #[serde(rename = "x", default)]
    pub deprecated: String,
    /// Whether the command needs it.
    #[serde(rename = "r", default)]
    pub required: bool,
}

/// A command.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Command {
    /// `deployment NAME --image=image -- [COMMAND] [args...]`.
    #[serde(rename = "use")]
    pub use_line: String,
    /// The usage with what stands before it.
    pub line: String,
    /// Other names.
    pub aliases: Vec<String>,
    /// What is typed by those who mean it.
    pub suggest: Vec<String>,
    /// One line about it.
    pub short: Text,
    /// Its help text.
    pub long: Text,
    /// Examples.
    pub example: Text,
    /// Whether help leaves it out.
    pub hidden: bool,
    /// Whether it does something itself.
    pub run: bool,
    /// Its own flags.
    pub flags: Vec<Flag>,
    /// Flags that every command takes (of the root alone).
    pub global: Vec<Flag>,
    /// Commands below it, in the order in which they were added.
    pub commands: Vec<Command>,
}

impl Command {
    /// The first word of its usage.
    pub(crate) fn name(&self) -> &str {
        self.use_line.split_whitespace().next().unwrap_or("")
    }

    /// The command below it with this name or alias.
    pub(crate) fn find(&self, name: &str) -> Option<&Command> {
        self.commands.iter().find(|c| c.name() == name || c.aliases.iter().any(|a| a == name))
    }

    /// Names near to what was typed.
    ///
    /// Source: github.com/spf13/cobra/command.go SuggestionsFor.
    pub(crate) fn suggestions(&self, typed: &str) -> Vec<&str> {
        let lower = typed.to_lowercase();
        let mut out = Vec::new();
        for command in self.commands.iter().filter(|c| !c.hidden && c.name() != "alpha") {
            let name = command.name();
            if distance(&lower, &name.to_lowercase()) <= 2
                || name.to_lowercase().starts_with(&lower)
                || command.suggest.iter().any(|s| s.eq_ignore_ascii_case(typed))
            {
                out.push(name);
            }
        }
        out
    }
}

/// The longest word whose neighbours are looked for; no command's name is as long.
const MAX_SUGGEST: usize = 64;

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len() > MAX_SUGGEST {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        for (j, y) in b.iter().enumerate() {
            let above = row.get(j + 1).copied().unwrap_or(0);
            let left = row.get(j).copied().unwrap_or(0);
            let cost = if x == y { diagonal } else { 1 + diagonal.min(above).min(left) };
            diagonal = above;
            if let Some(cell) = row.get_mut(j + 1) {
                *cell = cost;
            }
        }
    }
    row.last().copied().unwrap_or(0)
}

/// The root of the tree, `kubectl`.
pub(crate) fn root() -> &'static Command {
    static ROOT: OnceLock<Command> = OnceLock::new();
    ROOT.get_or_init(|| {
        let mut root: Command =
            serde_json::from_str(include_str!("../data/commands.json")).unwrap_or_default();
        // The logger adds its own flags when kubectl starts.
        for (name, short, kind, default, usage) in [
            ("log-flush-frequency", "", "duration", "5s", "Maximum number of seconds between log flushes"),
            ("v", "v", "Level", "0", "number for the log level verbosity"),
            (
                "vmodule",
                "",
                "pattern=N,...",
                "",
                "comma-separated list of pattern=N settings for file-filtered logging (only works for the default text log format)",
            ),
        ] {
            let [name, short, kind, default] = [name, short, kind, default].map(str::to_owned);
            let usage = Text::Own(usage);
            root.global.push(Flag { name, short, kind, default, usage, ..Flag::default() });
        }
        root.global.sort_by(|a, b| a.name.cmp(&b.name));
        root
    })
}
