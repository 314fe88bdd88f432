//! The syntax tree.

/// Commands one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct List(pub Vec<Item>);

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Item {
    pub first: Pipeline,
    /// `true` is `&&`.
    pub rest: Vec<(bool, Pipeline)>,
    pub background: bool,
    /// The source text, for `jobs` and `ps`.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pipeline {
    pub negate: bool,
    pub timed: bool,
    pub commands: Vec<Command>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Command {
    pub kind: CommandKind,
    pub redirects: Vec<Redirect>,
    pub line: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum CommandKind {
    Simple { assigns: Vec<Assign>, words: Vec<Word> },
    Brace(List),
    Subshell(List),
    If { arms: Vec<(List, List)>, otherwise: Option<List> },
    Loop { until: bool, condition: List, body: List },
    For { var: String, words: Option<Vec<Word>>, body: List },
    ArithFor { init: Word, condition: Word, step: Word, body: List },
    Case { word: Word, arms: Vec<CaseArm> },
    Function { name: String, body: Box<Command> },
    Test(TestExpr),
    Arith(Word),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CaseArm {
    pub patterns: Vec<Word>,
    pub body: List,
    /// `;&`: goes on with the next arm's body.
    pub fall_through: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Assign {
    pub name: String,
    pub subscript: Option<Word>,
    pub append: bool,
    pub value: AssignValue,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AssignValue {
    Word(Word),
    Array(Vec<Word>),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Redirect {
    pub fd: Option<u32>,
    pub kind: RedirectKind,
    pub target: Word,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RedirectKind {
    Read,
    Write,
    Clobber,
    Append,
    ReadWrite,
    DupIn,
    DupOut,
    /// `&>`
    Both,
    /// `&>>`
    BothAppend,
    /// The target is the text; the flag says whether its number indexes [`crate::syntax::Parsed::heredocs`].
    Here(usize),
    HereString,
}

/// `[[ … ]]`
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TestExpr {
    Not(Box<TestExpr>),
    And(Box<TestExpr>, Box<TestExpr>),
    Or(Box<TestExpr>, Box<TestExpr>),
    Unary(String, Word),
    Binary(Word, String, Word),
    Word(Word),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Word(pub Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    /// Unquoted text: globs and braces in it are active.
    Lit(String),
    /// Quoted text (also `\x`).
    Quoted(String),
    DoubleQuoted(Vec<Part>),
    Param(Box<Param>),
    CommandSub(List),
    Arith(Word),
    Tilde(String),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Param {
    pub name: String,
    pub subscript: Option<Subscript>,
    pub op: ParamOp,
    /// The text between the braces, for `bad substitution`.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Subscript {
    /// `[@]` or `[*]` (true).
    All(bool),
    Index(Word),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ParamOp {
    Plain,
    Length,
    Default {
        colon: bool,
        word: Word,
    },
    Assign {
        colon: bool,
        word: Word,
    },
    Error {
        colon: bool,
        word: Word,
    },
    Alternative {
        colon: bool,
        word: Word,
    },
    Trim {
        suffix: bool,
        longest: bool,
        word: Word,
    },
    Substring {
        offset: Word,
        length: Option<Word>,
    },
    Replace {
        all: bool,
        anchor: Option<char>,
        pattern: Word,
        with: Word,
    },
    Indirect,
    /// `^`, `^^`, `,`, `,,`
    Case {
        upper: bool,
        all: bool,
    },
    Bad,
}

impl Word {
    /// The text of a word without any quoting or expansion.
    pub fn literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Lit(s)] => Some(s),
            _ => None,
        }
    }
}
