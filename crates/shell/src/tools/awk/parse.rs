//! awk's syntax.

use crate::regex::Regex;

/// Nesting of expressions and statements.
const MAX_DEPTH: u32 = 60;

#[derive(Clone, Debug)]
pub(super) enum Pattern {
    Begin,
    End,
    Always,
    Expr(Expr),
    Range(Expr, Expr),
}

#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub pattern: Pattern,
    pub body: Vec<Stmt>,
}

#[derive(Clone, Debug)]
pub(super) enum Stmt {
    Expr(Expr),
    /// The flag: to standard error (`> "/dev/stderr"`).
    Print(Vec<Expr>, bool),
    Printf(Vec<Expr>, bool),
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    While(Expr, Vec<Stmt>),
    Do(Vec<Stmt>, Expr),
    For(Option<Box<Stmt>>, Option<Expr>, Option<Box<Stmt>>, Vec<Stmt>),
    ForIn(String, String, Vec<Stmt>),
    Next,
    Exit(Option<Expr>),
    Break,
    Continue,
    Delete(String, Option<Vec<Expr>>),
}

#[derive(Clone, Debug)]
pub(super) enum Expr {
    Number(f64),
    Text(String),
    Regex(Regex),
    Var(String),
    Index(String, Vec<Expr>),
    Field(Box<Expr>),
    Assign(Box<Expr>, char, Box<Expr>),
    /// Before or after, by how much.
    Step(Box<Expr>, bool, f64),
    Unary(char, Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    Match(Box<Expr>, Box<Expr>, bool),
    In(Vec<Expr>, String),
    Ternary(Box<Expr>, Box<Expr>, Box<Expr>),
    Call(String, Vec<Expr>),
    Group(Vec<Expr>),
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(f64),
    Text(String),
    Regex(String),
    Name(String),
    /// A name directly before `(`.
    Func(String),
    Op(&'static str),
    Newline,
    End,
}

const OPS: [&str; 42] = [
    "&&", "||", "==", "!=", "<=", ">=", "+=", "-=", "*=", "/=", "%=", "^=", "**", "++", "--", ">>", "!~",
    "{", "}", "(", ")", "[", "]", ";", ",", "+", "-", "*", "/", "%", "^", "!", "<", ">", "=", "?", ":", "~",
    "$", "|", "&", "@",
];

const FUNCTIONS: [&str; 20] = [
    "length", "substr", "index", "split", "sub", "gsub", "match", "toupper", "tolower", "sprintf", "int",
    "sqrt", "rand", "srand", "exp", "log", "sin", "cos", "systime", "strftime",
];

struct Parser {
    tokens: Vec<Token>,
    pos: usize,
    depth: u32,
    /// Inside `print` without parentheses: `>` redirects.
    no_greater: bool,
    no_in: bool,
}

type R<T> = Result<T, String>;

pub(super) fn parse(source: &str) -> R<Vec<Rule>> {
    let tokens = tokens(source)?;
    let mut p = Parser { tokens, pos: 0, depth: 0, no_greater: false, no_in: false };
    let mut rules = Vec::new();
    loop {
        p.skip_ends();
        if p.peek() == &Token::End {
            return Ok(rules);
        }
        let pattern = match p.peek().clone() {
            Token::Name(n) if n == "BEGIN" => {
                p.pos += 1;
                Pattern::Begin
            }
            Token::Name(n) if n == "END" => {
                p.pos += 1;
                Pattern::End
            }
            Token::Name(n) if n == "function" || n == "func" => {
                return Err("not simulated: user functions".to_owned());
            }
            Token::Op("{") => Pattern::Always,
            _ => {
                let a = p.expr()?;
                if p.eat(",") {
                    p.newlines();
                    Pattern::Range(a, p.expr()?)
                } else {
                    Pattern::Expr(a)
                }
            }
        };
        let body =
            if p.peek() == &Token::Op("{") { p.block()? } else { vec![Stmt::Print(Vec::new(), false)] };
        rules.push(Rule { pattern, body });
    }
}

fn tokens(source: &str) -> R<Vec<Token>> {
    let chars: Vec<char> = source.chars().collect();
    let mut out: Vec<Token> = Vec::new();
    let mut i = 0;
    'next: while let Some(&c) = chars.get(i) {
        match c {
            ' ' | '\t' | '\r' => i += 1,
            '\n' => {
                out.push(Token::Newline);
                i += 1;
            }
            '\\' if chars.get(i + 1) == Some(&'\n') => i += 2,
            '#' => {
                while chars.get(i).is_some_and(|c| *c != '\n') {
                    i += 1;
                }
            }
            '"' => {
                let mut s = String::new();
                i += 1;
                loop {
                    match chars.get(i) {
                        None => return Err("Unexpected end of string".to_owned()),
                        Some('"') => break,
                        Some('\\') => {
                            i += 1;
                            match chars.get(i) {
                                Some('/') => s.push('/'),
                                Some('"') => s.push('"'),
                                Some(c) => {
                                    let (b, _) = crate::tools::escapes(&format!("\\{c}"), true);
                                    s.push_str(&String::from_utf8_lossy(&b));
                                }
                                None => {}
                            }
                            i += 1;
                        }
                        Some(c) => {
                            s.push(*c);
                            i += 1;
                        }
                    }
                }
                i += 1;
                out.push(Token::Text(s));
            }
            '/' if !matches!(
                out.last(),
                Some(
                    Token::Number(_)
                        | Token::Text(_)
                        | Token::Name(_)
                        | Token::Op(")" | "]" | "$" | "++" | "--")
                )
            ) =>
            {
                let mut s = String::new();
                let mut in_set = false;
                i += 1;
                loop {
                    match chars.get(i) {
                        None | Some('\n') => return Err("Unexpected end of regex".to_owned()),
                        Some('/') if !in_set => break,
                        Some('\\') => {
                            match chars.get(i + 1) {
                                Some('/') => s.push('/'),
                                Some(c) => {
                                    s.push('\\');
                                    s.push(*c);
                                }
                                None => {}
                            }
                            i += 2;
                            continue;
                        }
                        Some('[') => in_set = true,
                        Some(']') => in_set = false,
                        _ => {}
                    }
                    s.extend(chars.get(i));
                    i += 1;
                }
                i += 1;
                out.push(Token::Regex(s));
            }
            c if c.is_ascii_digit() || (c == '.' && chars.get(i + 1).is_some_and(char::is_ascii_digit)) => {
                let start = i;
                while chars.get(i).is_some_and(|c| c.is_ascii_digit() || *c == '.') {
                    i += 1;
                }
                if matches!(chars.get(i), Some('e' | 'E')) {
                    let sign = usize::from(matches!(chars.get(i + 1), Some('+' | '-')));
                    if chars.get(i + 1 + sign).is_some_and(char::is_ascii_digit) {
                        i += 1 + sign;
                        while chars.get(i).is_some_and(char::is_ascii_digit) {
                            i += 1;
                        }
                    }
                }
                let text: String = chars.get(start..i).unwrap_or_default().iter().collect();
                out.push(Token::Number(text.parse().unwrap_or(0.0)));
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let start = i;
                while chars.get(i).is_some_and(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    i += 1;
                }
                let name: String = chars.get(start..i).unwrap_or_default().iter().collect();
                if FUNCTIONS.contains(&name.as_str()) {
                    out.push(Token::Func(name));
                } else if matches!(name.as_str(), "getline" | "system" | "close" | "fflush") {
                    return Err(format!("not simulated: {name}"));
                } else {
                    out.push(Token::Name(name));
                }
            }
            _ => {
                for op in OPS {
                    if op.chars().enumerate().all(|(k, o)| chars.get(i + k) == Some(&o)) {
                        out.push(Token::Op(if op == "**" { "^" } else { op }));
                        i += op.len();
                        continue 'next;
                    }
                }
                return Err("Unexpected token".to_owned());
            }
        }
    }
    out.push(Token::End);
    Ok(out)
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.pos).unwrap_or(&Token::End)
    }

    fn eat(&mut self, op: &str) -> bool {
        if matches!(self.peek(), Token::Op(o) if *o == op) {
            self.pos += 1;
            return true;
        }
        false
    }

    fn want(&mut self, op: &str) -> R<()> {
        if self.eat(op) { Ok(()) } else { Err("Unexpected token".to_owned()) }
    }

    fn word(&mut self, w: &str) -> bool {
        if matches!(self.peek(), Token::Name(n) if n == w) {
            self.pos += 1;
            return true;
        }
        false
    }

    fn newlines(&mut self) {
        while self.peek() == &Token::Newline {
            self.pos += 1;
        }
    }

    fn skip_ends(&mut self) {
        while matches!(self.peek(), Token::Newline | Token::Op(";")) {
            self.pos += 1;
        }
    }

    fn block(&mut self) -> R<Vec<Stmt>> {
        self.want("{")?;
        let mut out = Vec::new();
        loop {
            self.skip_ends();
            if self.eat("}") {
                return Ok(out);
            }
            if self.peek() == &Token::End {
                return Err("Unexpected end of program".to_owned());
            }
            out.push(self.stmt()?);
        }
    }

    fn body(&mut self) -> R<Vec<Stmt>> {
        self.newlines();
        if self.peek() == &Token::Op("{") {
            return self.block();
        }
        if self.eat(";") {
            return Ok(Vec::new());
        }
        let s = self.stmt()?;
        Ok(vec![s])
    }

    fn stmt(&mut self) -> R<Stmt> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("nesting too deep".to_owned());
        }
        let s = self.stmt_inner();
        self.depth -= 1;
        s
    }

    fn stmt_inner(&mut self) -> R<Stmt> {
        if self.peek() == &Token::Op("{") {
            let b = self.block()?;
            return Ok(Stmt::If(Expr::Number(1.0), b, Vec::new()));
        }
        if self.word("if") {
            self.want("(")?;
            let c = self.expr()?;
            self.want(")")?;
            let yes = self.body()?;
            let save = self.pos;
            self.skip_ends();
            let no = if self.word("else") {
                self.body()?
            } else {
                self.pos = save;
                Vec::new()
            };
            return Ok(Stmt::If(c, yes, no));
        }
        if self.word("while") {
            self.want("(")?;
            let c = self.expr()?;
            self.want(")")?;
            return Ok(Stmt::While(c, self.body()?));
        }
        if self.word("do") {
            let b = self.body()?;
            self.skip_ends();
            if !self.word("while") {
                return Err("Unexpected token".to_owned());
            }
            self.want("(")?;
            let c = self.expr()?;
            self.want(")")?;
            return Ok(Stmt::Do(b, c));
        }
        if self.word("for") {
            self.want("(")?;
            if let (Token::Name(v), Some(Token::Name(w)), Some(Token::Name(a)), Some(Token::Op(")"))) = (
                self.peek().clone(),
                self.tokens.get(self.pos + 1).cloned(),
                self.tokens.get(self.pos + 2).cloned(),
                self.tokens.get(self.pos + 3).cloned(),
            ) && w == "in"
            {
                self.pos += 4;
                return Ok(Stmt::ForIn(v, a, self.body()?));
            }
            let init = if self.peek() == &Token::Op(";") { None } else { Some(Box::new(self.simple()?)) };
            self.want(";")?;
            let c = if self.peek() == &Token::Op(";") { None } else { Some(self.expr()?) };
            self.want(";")?;
            let step = if self.peek() == &Token::Op(")") { None } else { Some(Box::new(self.simple()?)) };
            self.want(")")?;
            return Ok(Stmt::For(init, c, step, self.body()?));
        }
        let s = self.simple()?;
        match self.peek() {
            Token::Newline | Token::End | Token::Op(";" | "}") => Ok(s),
            _ => Err("Unexpected token".to_owned()),
        }
    }

    fn simple(&mut self) -> R<Stmt> {
        if self.word("next") {
            return Ok(Stmt::Next);
        }
        if self.word("break") {
            return Ok(Stmt::Break);
        }
        if self.word("continue") {
            return Ok(Stmt::Continue);
        }
        if self.word("exit") {
            let e = match self.peek() {
                Token::Newline | Token::End | Token::Op(";" | "}") => None,
                _ => Some(self.expr()?),
            };
            return Ok(Stmt::Exit(e));
        }
        if self.word("delete") {
            let Token::Name(n) = self.peek().clone() else { return Err("Unexpected token".to_owned()) };
            self.pos += 1;
            let index = if self.eat("[") {
                let list = self.list()?;
                self.want("]")?;
                Some(list)
            } else {
                None
            };
            return Ok(Stmt::Delete(n, index));
        }
        let print = self.word("print");
        if print || self.word("printf") {
            let mut args = Vec::new();
            self.no_greater = true;
            if !matches!(self.peek(), Token::Newline | Token::End | Token::Op(";" | "}" | ">" | "|" | ">>")) {
                args = self.list()?;
            }
            self.no_greater = false;
            // `print (a, b)` lists, `print (a) b` joins.
            if let [Expr::Group(inner)] = args.as_slice() {
                args = inner.clone();
            }
            let mut to_stderr = false;
            if self.eat(">") || self.eat(">>") {
                match self.expr()? {
                    Expr::Text(t) if t == "/dev/stderr" => to_stderr = true,
                    Expr::Text(t) if t == "/dev/stdout" => {}
                    _ => return Err("not simulated: output to files".to_owned()),
                }
            } else if self.eat("|") {
                return Err("not simulated: output to commands".to_owned());
            }
            return Ok(if print { Stmt::Print(args, to_stderr) } else { Stmt::Printf(args, to_stderr) });
        }
        Ok(Stmt::Expr(self.expr()?))
    }

    fn list(&mut self) -> R<Vec<Expr>> {
        let mut out = vec![self.expr()?];
        while self.eat(",") {
            self.newlines();
            out.push(self.expr()?);
        }
        Ok(out)
    }

    fn expr(&mut self) -> R<Expr> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("nesting too deep".to_owned());
        }
        let e = self.assignment();
        self.depth -= 1;
        e
    }

    fn assignment(&mut self) -> R<Expr> {
        let left = self.ternary()?;
        if !matches!(left, Expr::Var(_) | Expr::Index(..) | Expr::Field(_)) {
            return Ok(left);
        }
        for (op, c) in
            [("=", '='), ("+=", '+'), ("-=", '-'), ("*=", '*'), ("/=", '/'), ("%=", '%'), ("^=", '^')]
        {
            if self.eat(op) {
                self.newlines();
                let right = self.expr()?;
                return Ok(Expr::Assign(Box::new(left), c, Box::new(right)));
            }
        }
        Ok(left)
    }

    fn ternary(&mut self) -> R<Expr> {
        let c = self.or()?;
        if !self.eat("?") {
            return Ok(c);
        }
        self.newlines();
        let a = self.expr()?;
        self.newlines();
        self.want(":")?;
        self.newlines();
        let b = self.expr()?;
        Ok(Expr::Ternary(Box::new(c), Box::new(a), Box::new(b)))
    }

    fn or(&mut self) -> R<Expr> {
        let mut a = self.and()?;
        while self.eat("||") {
            self.newlines();
            a = Expr::Binary("||", Box::new(a), Box::new(self.and()?));
        }
        Ok(a)
    }

    fn and(&mut self) -> R<Expr> {
        let mut a = self.membership()?;
        while self.eat("&&") {
            self.newlines();
            a = Expr::Binary("&&", Box::new(a), Box::new(self.membership()?));
        }
        Ok(a)
    }

    fn membership(&mut self) -> R<Expr> {
        let mut a = self.matching()?;
        while !self.no_in && self.word("in") {
            let Token::Name(n) = self.peek().clone() else { return Err("Unexpected token".to_owned()) };
            self.pos += 1;
            let keys = match a {
                Expr::Group(list) => list,
                e => vec![e],
            };
            a = Expr::In(keys, n);
        }
        Ok(a)
    }

    fn matching(&mut self) -> R<Expr> {
        let mut a = self.comparison()?;
        loop {
            let negate = if self.eat("~") {
                false
            } else if self.eat("!~") {
                true
            } else {
                return Ok(a);
            };
            a = Expr::Match(Box::new(a), Box::new(self.comparison()?), negate);
        }
    }

    fn comparison(&mut self) -> R<Expr> {
        let a = self.concatenation()?;
        for op in ["<=", ">=", "==", "!=", "<", ">"] {
            if op == ">" && self.no_greater {
                continue;
            }
            if self.eat(op) {
                return Ok(Expr::Binary(op, Box::new(a), Box::new(self.concatenation()?)));
            }
        }
        Ok(a)
    }

    fn concatenation(&mut self) -> R<Expr> {
        let mut a = self.sum()?;
        loop {
            let starts = match self.peek() {
                Token::Number(_)
                | Token::Text(_)
                | Token::Func(_)
                | Token::Op("$" | "(" | "!" | "-" | "++" | "--") => true,
                Token::Name(n) => n != "in",
                _ => false,
            };
            if !starts {
                return Ok(a);
            }
            a = Expr::Binary(" ", Box::new(a), Box::new(self.sum()?));
        }
    }

    fn sum(&mut self) -> R<Expr> {
        let mut a = self.product()?;
        loop {
            let op = if self.eat("+") {
                "+"
            } else if self.eat("-") {
                "-"
            } else {
                return Ok(a);
            };
            a = Expr::Binary(op, Box::new(a), Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> R<Expr> {
        let mut a = self.unary()?;
        loop {
            let op = if self.eat("*") {
                "*"
            } else if self.eat("/") {
                "/"
            } else if self.eat("%") {
                "%"
            } else {
                return Ok(a);
            };
            a = Expr::Binary(op, Box::new(a), Box::new(self.unary()?));
        }
    }

    fn unary(&mut self) -> R<Expr> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("nesting too deep".to_owned());
        }
        let mut e = Err("Unexpected token".to_owned());
        for c in ['!', '-', '+'] {
            if self.eat(&c.to_string()) {
                e = self.unary().map(|x| Expr::Unary(c, Box::new(x)));
                self.depth -= 1;
                return e;
            }
        }
        if e.is_err() {
            e = self.power();
        }
        self.depth -= 1;
        e
    }

    fn power(&mut self) -> R<Expr> {
        let a = self.postfix()?;
        if self.eat("^") {
            let b = self.unary()?;
            return Ok(Expr::Binary("^", Box::new(a), Box::new(b)));
        }
        Ok(a)
    }

    fn postfix(&mut self) -> R<Expr> {
        let a = self.primary()?;
        if matches!(a, Expr::Var(_) | Expr::Index(..) | Expr::Field(_)) {
            if self.eat("++") {
                return Ok(Expr::Step(Box::new(a), false, 1.0));
            }
            if self.eat("--") {
                return Ok(Expr::Step(Box::new(a), false, -1.0));
            }
        }
        Ok(a)
    }

    fn primary(&mut self) -> R<Expr> {
        let t = self.peek().clone();
        self.pos += 1;
        Ok(match t {
            Token::Number(n) => Expr::Number(n),
            Token::Text(s) => Expr::Text(s),
            Token::Regex(s) => Expr::Regex(Regex::new(&s, true, false)?),
            Token::Op("$") => {
                let inner = if self.eat("++") {
                    Expr::Step(Box::new(self.primary()?), true, 1.0)
                } else if self.eat("-") {
                    Expr::Unary('-', Box::new(self.primary()?))
                } else {
                    self.primary()?
                };
                Expr::Field(Box::new(inner))
            }
            Token::Op("++") => Expr::Step(Box::new(self.primary()?), true, 1.0),
            Token::Op("--") => Expr::Step(Box::new(self.primary()?), true, -1.0),
            Token::Op("(") => {
                let (g, n) = (self.no_greater, self.no_in);
                self.no_greater = false;
                self.no_in = false;
                let mut list = self.list()?;
                self.no_greater = g;
                self.no_in = n;
                self.want(")")?;
                if list.len() == 1 && !g {
                    match list.pop() {
                        Some(e) => Expr::Ternary(
                            Box::new(Expr::Number(1.0)),
                            Box::new(e),
                            Box::new(Expr::Number(0.0)),
                        ),
                        None => Expr::Number(0.0),
                    }
                } else {
                    Expr::Group(list)
                }
            }
            Token::Func(name) => {
                let mut args = Vec::new();
                if self.eat("(") {
                    let g = std::mem::take(&mut self.no_greater);
                    if !self.eat(")") {
                        args = self.list()?;
                        self.want(")")?;
                    }
                    self.no_greater = g;
                } else if name != "length" {
                    return Err("Unexpected token".to_owned());
                }
                Expr::Call(name, args)
            }
            Token::Name(n) => {
                if self.eat("[") {
                    let list = self.list()?;
                    self.want("]")?;
                    Expr::Index(n, list)
                } else if self.peek() == &Token::Op("(") {
                    return Err(format!("not simulated: function {n}"));
                } else {
                    Expr::Var(n)
                }
            }
            _ => return Err("Unexpected token".to_owned()),
        })
    }
}
