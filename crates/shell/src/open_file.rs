//! Open file descriptions: shared by duplicated descriptors and by children, with one offset.

use crate::fs::Ino;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// The number of an open file description.
pub(crate) type OpenId = u32;

/// Bytes a pipe holds before its writer has to wait (Linux's default).
pub(crate) const PIPE_CAPACITY: usize = 64 << 10;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OpenKind {
    Null,
    Zero,
    Full,
    Random,
    File {
        mount: usize,
        ino: Ino,
        append: bool,
    },
    Dir,
    /// A snapshot, such as a file of `/proc`.
    Bytes(Arc<Vec<u8>>),
    PipeRead(u32),
    PipeWrite(u32),
    /// Output that leaves the machine.
    Sink {
        id: u32,
        stderr: bool,
    },
    /// Input from outside that is no terminal (`kubectl exec -i`).
    Input {
        id: u32,
    },
    /// A terminal: reads from the input queue `id`, writes to the sink `id`.
    Terminal {
        id: u32,
        /// What is written counts as errors.
        stderr: bool,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct OpenFile {
    pub kind: OpenKind,
    pub refs: u32,
    pub offset: u64,
    pub readable: bool,
    pub writable: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Pipe {
    pub buf: VecDeque<u8>,
    pub readers: u32,
    pub writers: u32,
}

/// Input from outside (stdin of `kubectl exec -i`, a terminal's keys).
#[derive(Clone, Debug, Default)]
pub(crate) struct Input {
    pub buf: VecDeque<u8>,
    pub closed: bool,
    /// The next read finds the end.
    pub eof: bool,
}

/// All open files and pipes of a machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpenFiles {
    pub files: BTreeMap<OpenId, OpenFile>,
    pub pipes: BTreeMap<u32, Pipe>,
    pub inputs: BTreeMap<u32, Input>,
    next: u32,
}

impl OpenFiles {
    /// Opens a description with one reference.
    pub fn open(&mut self, kind: OpenKind, readable: bool, writable: bool) -> OpenId {
        self.next = self.next.wrapping_add(1);
        match kind {
            OpenKind::PipeRead(p) => {
                if let Some(pipe) = self.pipes.get_mut(&p) {
                    pipe.readers += 1;
                }
            }
            OpenKind::PipeWrite(p) => {
                if let Some(pipe) = self.pipes.get_mut(&p) {
                    pipe.writers += 1;
                }
            }
            _ => {}
        }
        self.files.insert(self.next, OpenFile { kind, refs: 1, offset: 0, readable, writable });
        self.next
    }

    /// Makes a pipe: its reading and its writing end.
    pub fn pipe(&mut self) -> (OpenId, OpenId) {
        self.next = self.next.wrapping_add(1);
        let id = self.next;
        self.pipes.insert(id, Pipe::default());
        let read = self.open(OpenKind::PipeRead(id), true, false);
        let write = self.open(OpenKind::PipeWrite(id), false, true);
        (read, write)
    }

    pub fn dup(&mut self, id: OpenId) -> OpenId {
        if let Some(f) = self.files.get_mut(&id) {
            f.refs += 1;
        }
        id
    }

    pub fn close(&mut self, id: OpenId) {
        let Some(f) = self.files.get_mut(&id) else { return };
        f.refs = f.refs.saturating_sub(1);
        if f.refs > 0 {
            return;
        }
        let kind = f.kind.clone();
        self.files.remove(&id);
        let pipe = match kind {
            OpenKind::PipeRead(p) => {
                if let Some(pipe) = self.pipes.get_mut(&p) {
                    pipe.readers = pipe.readers.saturating_sub(1);
                }
                p
            }
            OpenKind::PipeWrite(p) => {
                if let Some(pipe) = self.pipes.get_mut(&p) {
                    pipe.writers = pipe.writers.saturating_sub(1);
                }
                p
            }
            _ => return,
        };
        if self.pipes.get(&pipe).is_some_and(|p| p.readers == 0 && p.writers == 0) {
            self.pipes.remove(&pipe);
        }
    }

    /// Whether a read would not block.
    pub fn readable(&self, id: OpenId) -> bool {
        match self.files.get(&id).map(|f| &f.kind) {
            Some(OpenKind::PipeRead(p)) => {
                self.pipes.get(p).is_none_or(|p| !p.buf.is_empty() || p.writers == 0)
            }
            Some(OpenKind::Terminal { id, .. } | OpenKind::Input { id }) => {
                self.inputs.get(id).is_none_or(|i| !i.buf.is_empty() || i.closed || i.eof)
            }
            _ => true,
        }
    }
}
