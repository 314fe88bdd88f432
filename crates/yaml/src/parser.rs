//! Tokens to events: a state machine, so that nesting costs no stack.
//!
//! Source: go.yaml.in/yaml/v2 parserc.go (v2.4.4).

use crate::error::{Finder, Mark, Problem};
use crate::scanner::{ScalarStyle, Scanner, TokenKind};

/// What a parser reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    StreamStart,
    StreamEnd,
    DocumentStart,
    DocumentEnd,
    Alias(String),
    /// `plain` is whether the scalar may be something else than a string.
    Scalar {
        value: String,
        plain: bool,
    },
    SequenceStart,
    SequenceEnd,
    MappingStart,
    MappingEnd,
}

/// An event, where it stands, and the properties of the node that it starts.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub kind: EventKind,
    pub start: Mark,
    pub end: Mark,
    pub anchor: Option<String>,
    pub tag: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    StreamStart,
    ImplicitDocumentStart,
    DocumentStart,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequenceFirstEntry,
    BlockSequenceEntry,
    IndentlessSequenceEntry,
    BlockMappingFirstKey,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceFirstEntry,
    FlowSequenceEntry,
    FlowSequenceEntryMappingKey,
    FlowSequenceEntryMappingValue,
    FlowSequenceEntryMappingEnd,
    FlowMappingFirstKey,
    FlowMappingKey,
    FlowMappingValue,
    FlowMappingEmptyValue,
    End,
}

/// Reads the events of one document text.
pub(crate) struct Parser<'a> {
    scanner: Scanner<'a>,
    state: State,
    states: Vec<State>,
    /// Starts of the open collections, for the context of an error.
    marks: Vec<Mark>,
    tag_directives: Vec<(String, String)>,
}

type EventResult = Result<Event, Problem>;

fn event(kind: EventKind, start: Mark, end: Mark) -> Event {
    Event { kind, start, end, anchor: None, tag: String::new() }
}

fn empty_scalar(mark: Mark) -> EventResult {
    Ok(event(EventKind::Scalar { value: String::new(), plain: true }, mark, mark))
}

fn error<T>(context: Option<Mark>, text: &str, mark: Mark) -> Result<T, Problem> {
    Err(Problem { finder: Finder::Parser, text: text.into(), mark, context })
}

/// What the parser asks of the next token, without taking it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Key,
    Value,
    BlockEntry,
    BlockEnd,
    FlowEntry,
    FlowSequenceEnd,
    FlowMappingEnd,
    Directive,
    DocumentStart,
    DocumentEnd,
    StreamEnd,
    Other,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            scanner: Scanner::new(text),
            state: State::StreamStart,
            states: Vec::new(),
            marks: Vec::new(),
            tag_directives: Vec::new(),
        }
    }

    /// The next token's kind and place.
    fn peek(&mut self) -> Result<(Next, Mark, Mark), Problem> {
        let token = self.scanner.peek()?;
        let next = match token.kind {
            TokenKind::Key => Next::Key,
            TokenKind::Value => Next::Value,
            TokenKind::BlockEntry => Next::BlockEntry,
            TokenKind::BlockEnd => Next::BlockEnd,
            TokenKind::FlowEntry => Next::FlowEntry,
            TokenKind::FlowSequenceEnd => Next::FlowSequenceEnd,
            TokenKind::FlowMappingEnd => Next::FlowMappingEnd,
            TokenKind::VersionDirective { .. } | TokenKind::TagDirective { .. } => Next::Directive,
            TokenKind::DocumentStart => Next::DocumentStart,
            TokenKind::DocumentEnd => Next::DocumentEnd,
            TokenKind::StreamEnd => Next::StreamEnd,
            _ => Next::Other,
        };
        Ok((next, token.start, token.end))
    }

    fn pop_state(&mut self) {
        self.state = self.states.pop().unwrap_or(State::End);
    }

    /// The next event.
    pub(crate) fn next_event(&mut self) -> EventResult {
        match self.state {
            State::StreamStart => {
                let (_, start, end) = self.peek()?;
                self.scanner.skip();
                self.state = State::ImplicitDocumentStart;
                Ok(event(EventKind::StreamStart, start, end))
            }
            State::ImplicitDocumentStart => self.document_start(true),
            State::DocumentStart => self.document_start(false),
            State::DocumentContent => match self.peek()? {
                (Next::Directive | Next::DocumentStart | Next::DocumentEnd | Next::StreamEnd, start, _) => {
                    self.pop_state();
                    empty_scalar(start)
                }
                _ => self.node(true, false),
            },
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(true, false),
            State::BlockSequenceFirstEntry => {
                self.open()?;
                self.block_sequence_entry()
            }
            State::BlockSequenceEntry => self.block_sequence_entry(),
            State::IndentlessSequenceEntry => self.indentless_sequence_entry(),
            State::BlockMappingFirstKey => {
                self.open()?;
                self.block_mapping_key()
            }
            State::BlockMappingKey => self.block_mapping_key(),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequenceFirstEntry => {
                self.open()?;
                self.flow_sequence_entry(true)
            }
            State::FlowSequenceEntry => self.flow_sequence_entry(false),
            State::FlowSequenceEntryMappingKey => self.flow_pair_key(),
            State::FlowSequenceEntryMappingValue => self.flow_pair_value(),
            State::FlowSequenceEntryMappingEnd => {
                let (_, start, _) = self.peek()?;
                self.state = State::FlowSequenceEntry;
                Ok(event(EventKind::MappingEnd, start, start))
            }
            State::FlowMappingFirstKey => {
                self.open()?;
                self.flow_mapping_key(true)
            }
            State::FlowMappingKey => self.flow_mapping_key(false),
            State::FlowMappingValue => self.flow_mapping_value(),
            State::FlowMappingEmptyValue => {
                let (_, start, _) = self.peek()?;
                self.state = State::FlowMappingKey;
                empty_scalar(start)
            }
            State::End => Ok(event(EventKind::StreamEnd, Mark::default(), Mark::default())),
        }
    }

    /// Takes the token that starts a collection.
    fn open(&mut self) -> Result<(), Problem> {
        let (_, start, _) = self.peek()?;
        self.marks.push(start);
        self.scanner.skip();
        Ok(())
    }

    fn close(&mut self, kind: EventKind, start: Mark, end: Mark) -> EventResult {
        self.pop_state();
        self.marks.pop();
        self.scanner.skip();
        Ok(event(kind, start, end))
    }

    fn document_start(&mut self, implicit: bool) -> EventResult {
        let (mut next, mut start, mut end) = self.peek()?;
        if !implicit {
            while next == Next::DocumentEnd {
                self.scanner.skip();
                (next, start, end) = self.peek()?;
            }
        }
        let explicit = matches!(next, Next::Directive | Next::DocumentStart | Next::StreamEnd);
        if implicit && !explicit {
            self.process_directives()?;
            self.states.push(State::DocumentEnd);
            self.state = State::BlockNode;
            return Ok(event(EventKind::DocumentStart, start, end));
        }
        if next == Next::StreamEnd {
            self.state = State::End;
            self.scanner.skip();
            return Ok(event(EventKind::StreamEnd, start, end));
        }
        self.process_directives()?;
        let (next, mark, end) = self.peek()?;
        if next != Next::DocumentStart {
            return error(None, "did not find expected <document start>", mark);
        }
        self.states.push(State::DocumentEnd);
        self.state = State::DocumentContent;
        self.scanner.skip();
        Ok(event(EventKind::DocumentStart, start, end))
    }

    fn document_end(&mut self) -> EventResult {
        let (next, start, mut end) = self.peek()?;
        if next == Next::DocumentEnd {
            self.scanner.skip();
        } else {
            end = start;
        }
        self.tag_directives.clear();
        self.state = State::DocumentStart;
        Ok(event(EventKind::DocumentEnd, start, end))
    }

    fn process_directives(&mut self) -> Result<(), Problem> {
        let mut has_version = false;
        loop {
            let token = self.scanner.peek()?;
            let start = token.start;
            match &token.kind {
                TokenKind::VersionDirective { major, minor } => {
                    if has_version {
                        return error(None, "found duplicate %YAML directive", start);
                    }
                    if (*major, *minor) != (1, 1) {
                        return error(None, "found incompatible YAML document", start);
                    }
                    has_version = true;
                }
                TokenKind::TagDirective { handle, prefix } => {
                    if self.tag_directives.iter().any(|(known, _)| known == handle) {
                        return error(None, "found duplicate %TAG directive", start);
                    }
                    self.tag_directives.push((handle.clone(), prefix.clone()));
                }
                _ => break,
            }
            self.scanner.skip();
        }
        for (handle, prefix) in [("!", "!"), ("!!", "tag:yaml.org,2002:")] {
            if !self.tag_directives.iter().any(|(known, _)| known == handle) {
                self.tag_directives.push((handle.into(), prefix.into()));
            }
        }
        Ok(())
    }

    /// Reads a node, or the start of one.
    fn node(&mut self, block: bool, indentless_sequence: bool) -> EventResult {
        let token = self.scanner.peek()?;
        let (start, mut end) = (token.start, token.start);
        if let TokenKind::Alias(name) = &mut token.kind {
            let result = event(EventKind::Alias(std::mem::take(name)), start, token.end);
            self.pop_state();
            self.scanner.skip();
            return Ok(result);
        }
        let mut anchor = None;
        let mut tag_token = None;
        // An anchor and a tag may come in either order, but each only once.
        loop {
            let token = self.scanner.peek()?;
            match &mut token.kind {
                TokenKind::Anchor(name) if anchor.is_none() => {
                    anchor = Some(std::mem::take(name));
                }
                TokenKind::Tag { handle, suffix } if tag_token.is_none() => {
                    let name = (std::mem::take(handle), std::mem::take(suffix));
                    tag_token = Some((name, token.start));
                }
                _ => break,
            }
            end = token.end;
            self.scanner.skip();
        }
        let tag = match tag_token {
            None => String::new(),
            Some(((handle, suffix), _)) if handle.is_empty() => suffix,
            Some(((handle, suffix), mark)) => {
                let known = self.tag_directives.iter().find(|(known, _)| *known == handle);
                let tag = known.map(|(_, prefix)| format!("{prefix}{suffix}")).unwrap_or_default();
                if tag.is_empty() {
                    return error(Some(start), "found undefined tag handle", mark);
                }
                tag
            }
        };

        let token = self.scanner.peek()?;
        let token_start = token.start;
        let (kind, state) = match &mut token.kind {
            TokenKind::BlockEntry if indentless_sequence => {
                (EventKind::SequenceStart, State::IndentlessSequenceEntry)
            }
            TokenKind::Scalar { value, style } => {
                let plain = (tag.is_empty() && *style == ScalarStyle::Plain) || tag == "!";
                let kind = EventKind::Scalar { value: std::mem::take(value), plain };
                let end = token.end;
                self.pop_state();
                self.scanner.skip();
                return Ok(Event { kind, start, end, anchor, tag });
            }
            TokenKind::FlowSequenceStart => (EventKind::SequenceStart, State::FlowSequenceFirstEntry),
            TokenKind::FlowMappingStart => (EventKind::MappingStart, State::FlowMappingFirstKey),
            TokenKind::BlockSequenceStart if block => {
                (EventKind::SequenceStart, State::BlockSequenceFirstEntry)
            }
            TokenKind::BlockMappingStart if block => (EventKind::MappingStart, State::BlockMappingFirstKey),
            _ if anchor.is_some() || !tag.is_empty() => {
                let kind = EventKind::Scalar { value: String::new(), plain: tag.is_empty() };
                self.pop_state();
                return Ok(Event { kind, start, end, anchor, tag });
            }
            _ => return error(Some(start), "did not find expected node content", token_start),
        };
        self.state = state;
        Ok(Event { kind, start, end: token.end, anchor, tag })
    }

    fn block_sequence_entry(&mut self) -> EventResult {
        match self.peek()? {
            (Next::BlockEntry, _, end) => {
                self.scanner.skip();
                if matches!(self.peek()?.0, Next::BlockEntry | Next::BlockEnd) {
                    self.state = State::BlockSequenceEntry;
                    return empty_scalar(end);
                }
                self.states.push(State::BlockSequenceEntry);
                self.node(true, false)
            }
            (Next::BlockEnd, start, end) => self.close(EventKind::SequenceEnd, start, end),
            (_, start, _) => error(self.marks.pop(), "did not find expected '-' indicator", start),
        }
    }

    fn indentless_sequence_entry(&mut self) -> EventResult {
        let (next, start, end) = self.peek()?;
        if next != Next::BlockEntry {
            self.pop_state();
            return Ok(event(EventKind::SequenceEnd, start, start));
        }
        self.scanner.skip();
        if matches!(self.peek()?.0, Next::BlockEntry | Next::Key | Next::Value | Next::BlockEnd) {
            self.state = State::IndentlessSequenceEntry;
            return empty_scalar(end);
        }
        self.states.push(State::IndentlessSequenceEntry);
        self.node(true, false)
    }

    fn block_mapping_key(&mut self) -> EventResult {
        match self.peek()? {
            (Next::Key, _, end) => {
                self.scanner.skip();
                if matches!(self.peek()?.0, Next::Key | Next::Value | Next::BlockEnd) {
                    self.state = State::BlockMappingValue;
                    return empty_scalar(end);
                }
                self.states.push(State::BlockMappingValue);
                self.node(true, true)
            }
            (Next::BlockEnd, start, end) => self.close(EventKind::MappingEnd, start, end),
            (_, start, _) => error(self.marks.pop(), "did not find expected key", start),
        }
    }

    fn block_mapping_value(&mut self) -> EventResult {
        let (next, start, end) = self.peek()?;
        if next != Next::Value {
            self.state = State::BlockMappingKey;
            return empty_scalar(start);
        }
        self.scanner.skip();
        if matches!(self.peek()?.0, Next::Key | Next::Value | Next::BlockEnd) {
            self.state = State::BlockMappingKey;
            return empty_scalar(end);
        }
        self.states.push(State::BlockMappingKey);
        self.node(true, true)
    }

    fn flow_sequence_entry(&mut self, first: bool) -> EventResult {
        let (mut next, mut start, mut end) = self.peek()?;
        if next != Next::FlowSequenceEnd && !first {
            if next != Next::FlowEntry {
                return error(self.marks.pop(), "did not find expected ',' or ']'", start);
            }
            self.scanner.skip();
            (next, start, end) = self.peek()?;
        }
        match next {
            Next::FlowSequenceEnd => self.close(EventKind::SequenceEnd, start, end),
            Next::Key => {
                self.state = State::FlowSequenceEntryMappingKey;
                self.scanner.skip();
                Ok(event(EventKind::MappingStart, start, end))
            }
            _ => {
                self.states.push(State::FlowSequenceEntry);
                self.node(false, false)
            }
        }
    }

    fn flow_pair_key(&mut self) -> EventResult {
        let (next, _, end) = self.peek()?;
        if matches!(next, Next::Value | Next::FlowEntry | Next::FlowSequenceEnd) {
            // go-yaml drops the token it found, be it the end of the sequence.
            self.scanner.skip();
            self.state = State::FlowSequenceEntryMappingValue;
            return empty_scalar(end);
        }
        self.states.push(State::FlowSequenceEntryMappingValue);
        self.node(false, false)
    }

    fn flow_pair_value(&mut self) -> EventResult {
        let (next, start, _) = self.peek()?;
        if next == Next::Value {
            self.scanner.skip();
            if !matches!(self.peek()?.0, Next::FlowEntry | Next::FlowSequenceEnd) {
                self.states.push(State::FlowSequenceEntryMappingEnd);
                return self.node(false, false);
            }
        }
        self.state = State::FlowSequenceEntryMappingEnd;
        empty_scalar(start)
    }

    fn flow_mapping_key(&mut self, first: bool) -> EventResult {
        let (mut next, mut start, mut end) = self.peek()?;
        if next != Next::FlowMappingEnd && !first {
            if next != Next::FlowEntry {
                return error(self.marks.pop(), "did not find expected ',' or '}'", start);
            }
            self.scanner.skip();
            (next, start, end) = self.peek()?;
        }
        match next {
            Next::FlowMappingEnd => self.close(EventKind::MappingEnd, start, end),
            Next::Key => {
                self.scanner.skip();
                let (next, start, _) = self.peek()?;
                if matches!(next, Next::Value | Next::FlowEntry | Next::FlowMappingEnd) {
                    self.state = State::FlowMappingValue;
                    return empty_scalar(start);
                }
                self.states.push(State::FlowMappingValue);
                self.node(false, false)
            }
            _ => {
                self.states.push(State::FlowMappingEmptyValue);
                self.node(false, false)
            }
        }
    }

    fn flow_mapping_value(&mut self) -> EventResult {
        let (next, mut start, _) = self.peek()?;
        if next == Next::Value {
            self.scanner.skip();
            let next;
            (next, start, _) = self.peek()?;
            if !matches!(next, Next::FlowEntry | Next::FlowMappingEnd) {
                self.states.push(State::FlowMappingKey);
                return self.node(false, false);
            }
        }
        self.state = State::FlowMappingKey;
        empty_scalar(start)
    }
}
