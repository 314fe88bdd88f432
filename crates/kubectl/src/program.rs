//! kubectl as a program of a [`podlab_shell::Machine`]: it stands wherever a command can stand.
//!
//! The machine's host answers [`DoorCall`]s with the door it knows; files and streams are those of the process.

use crate::invocation::{self, Invocation, Step, Wait};
use crate::io::{DirEntry, Env, FileError, Io, Stdin};
use podlab_api::door::{StreamChunk, StreamId, StreamInput, Timestamp, WatchCursor, WatchEvent};
use podlab_api::{Door, Request, Response, Status};
use podlab_shell::{Ctx, Errno, Exit, HttpRequest, HttpResponse, OnSignal, Program, Read, Signal};
use podlab_sim::SimTime;
use std::cell::RefCell;

/// What the program asks of the machine's host ([`podlab_shell::Host::call`]): a call of a [`Door`], and its answer
/// once [`DoorCall::answer`] was called.
#[derive(Debug)]
#[allow(missing_docs, clippy::large_enum_variant)] // One at a time; named after the door's methods.
pub enum DoorCall {
    Request(Option<Request>, Option<Response>),
    Watch(WatchCursor, Option<Result<Vec<WatchEvent>, Status>>),
    Stream(StreamId, StreamChunk),
    StreamWrite(StreamId, Option<StreamInput>),
    StreamClose(StreamId),
}

impl DoorCall {
    /// Asks the door.
    pub fn answer(&mut self, door: &mut dyn Door) {
        match self {
            DoorCall::Request(request, response) => {
                if let Some(request) = request.take() {
                    *response = Some(door.request(request));
                }
            }
            DoorCall::Watch(cursor, events) => *events = Some(door.watch(cursor)),
            DoorCall::Stream(id, chunk) => *chunk = door.stream(*id),
            DoorCall::StreamWrite(id, input) => {
                if let Some(input) = input.take() {
                    door.stream_write(*id, input);
                }
            }
            DoorCall::StreamClose(id) => door.stream_close(*id),
        }
    }
}

/// kubectl, started by a machine under some name with arguments and environment.
#[derive(Clone, Debug, Default)]
pub struct Kubectl {
    invocation: Option<Box<Invocation>>,
    interrupted: bool,
}

impl Program for Kubectl {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> podlab_shell::Step {
        let invocation = self.invocation.get_or_insert_with(|| {
            let vars = ctx.core.env.iter().cloned().collect();
            Box::new(invocation::run(ctx.core.argv.get(1..).unwrap_or_default(), Env { vars }))
        });
        if !invocation.listening().is_empty() {
            // A forwarder has a handler of its own for Ctrl C, even where the shell had it ignored.
            ctx.core.ignored.remove(&Signal::INT);
        }
        let ctx = RefCell::new(ctx);
        let mut io = ProcessIo { ctx: &ctx, interrupted: &mut self.interrupted, starved: false };
        let step = invocation.step(&mut ProcessDoor(&ctx), &mut io);
        let starved = io.starved;
        match step {
            Step::Done(code) => podlab_shell::Step::Exit(code),
            _ if self.interrupted => podlab_shell::Step::Die(Signal::INT),
            Step::Yield => podlab_shell::Step::Ran,
            Step::Wait(Wait { until, change, input, child }) => {
                let until = until.and_then(|at| i64::try_from(at.as_nanosecond()).ok());
                podlab_shell::Step::Block(podlab_shell::Wait {
                    until: until.map(SimTime::from_nanos),
                    // Input that nobody has asked for would wake it for ever.
                    readable: (input && starved).then_some(0),
                    child,
                    outside: change,
                    ..podlab_shell::Wait::default()
                })
            }
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn memory_bytes(&self) -> u64 {
        30 << 20
    }

    fn listening(&self) -> Vec<u16> {
        self.invocation.as_ref().map(|invocation| invocation.listening()).unwrap_or_default()
    }

    fn serve(&mut self, ctx: &mut Ctx<'_>, request: &HttpRequest) -> Option<HttpResponse> {
        let invocation = self.invocation.as_mut()?;
        let ctx = RefCell::new(ctx);
        let mut io = ProcessIo { ctx: &ctx, interrupted: &mut self.interrupted, starved: false };
        invocation.serve(&mut ProcessDoor(&ctx), &mut io, request)
    }

    fn on_signal(&mut self, signal: Signal) -> OnSignal {
        if signal == Signal::INT {
            self.interrupted = true;
            return OnSignal::Handled;
        }
        OnSignal::Default
    }
}

/// The door as the process reaches it.
struct ProcessDoor<'a, 'b, 'c>(&'a RefCell<&'b mut Ctx<'c>>);

impl ProcessDoor<'_, '_, '_> {
    fn call(&mut self, mut call: DoorCall) -> DoorCall {
        self.0.borrow_mut().host.call(&mut call);
        call
    }
}

fn unreachable_server() -> Status {
    Status::internal_error("the machine knows no API server")
}

impl Door for ProcessDoor<'_, '_, '_> {
    fn request(&mut self, request: Request) -> Response {
        match self.call(DoorCall::Request(Some(request), None)) {
            DoorCall::Request(_, Some(response)) => response,
            _ => Response::status(unreachable_server()),
        }
    }

    fn now(&self) -> Timestamp {
        podlab_api::time::time_nanos(self.0.borrow().now().as_nanos())
    }

    fn watch(&mut self, cursor: &mut WatchCursor) -> Result<Vec<WatchEvent>, Status> {
        match self.call(DoorCall::Watch(cursor.clone(), None)) {
            DoorCall::Watch(moved, Some(events)) => {
                *cursor = moved;
                events
            }
            _ => Err(unreachable_server()),
        }
    }

    fn stream(&mut self, id: StreamId) -> StreamChunk {
        match self.call(DoorCall::Stream(id, StreamChunk::default())) {
            DoorCall::Stream(_, chunk) => chunk,
            _ => StreamChunk::default(),
        }
    }

    fn stream_write(&mut self, id: StreamId, input: StreamInput) {
        self.call(DoorCall::StreamWrite(id, Some(input)));
    }

    fn stream_close(&mut self, id: StreamId) {
        self.call(DoorCall::StreamClose(id));
    }
}

/// The process's streams and files.
struct ProcessIo<'a, 'b, 'c> {
    ctx: &'a RefCell<&'b mut Ctx<'c>>,
    interrupted: &'a mut bool,
    /// Input was asked for and there was none yet.
    starved: bool,
}

fn file_error(errno: Errno) -> FileError {
    match errno {
        Errno::NotFound => FileError::NotFound,
        Errno::IsADirectory => FileError::IsDirectory,
        Errno::NotADirectory => FileError::NotDirectory,
        _ => FileError::Denied,
    }
}

impl Io for ProcessIo<'_, '_, '_> {
    fn stdout(&mut self, bytes: &[u8]) {
        self.ctx.borrow_mut().out(bytes);
    }

    fn stderr(&mut self, bytes: &[u8]) {
        self.ctx.borrow_mut().err(bytes);
    }

    fn stdin(&mut self) -> Stdin {
        match self.ctx.borrow_mut().read(0, 1 << 16) {
            Read::Data(bytes) => Stdin::Data(bytes),
            Read::Blocked => {
                self.starved = true;
                Stdin::Pending
            }
            Read::Eof | Read::Failed(_) => Stdin::End,
        }
    }

    fn is_terminal(&self) -> bool {
        let ctx = self.ctx.borrow();
        ctx.is_tty(0) && ctx.is_tty(1)
    }

    fn interrupted(&mut self) -> bool {
        std::mem::take(self.interrupted)
    }

    fn read_file(&mut self, path: &str) -> Result<Vec<u8>, FileError> {
        let ctx = self.ctx.borrow();
        if ctx.is_dir(path) {
            return Err(FileError::IsDirectory);
        }
        ctx.read_file(path).map_err(file_error)
    }

    fn write_file(&mut self, path: &str, content: &[u8]) -> Result<(), FileError> {
        self.ctx.borrow_mut().write_file(path, content, false).map_err(file_error)
    }

    fn read_dir(&mut self, path: &str) -> Result<Vec<DirEntry>, FileError> {
        let ctx = self.ctx.borrow();
        let names = ctx.list(path).map_err(file_error)?;
        let entry = |name: String| DirEntry { is_dir: ctx.is_dir(&format!("{path}/{name}")), name };
        Ok(names.into_iter().map(entry).collect())
    }

    fn working_directory(&self) -> String {
        self.ctx.borrow().core.cwd.clone()
    }

    fn make_dir(&mut self, path: &str) -> Result<(), FileError> {
        self.ctx.borrow_mut().mkdir(path, 0o755).map_err(file_error)
    }

    fn remove_file(&mut self, path: &str) -> Result<(), FileError> {
        let mut ctx = self.ctx.borrow_mut();
        let dir = ctx.is_dir(path);
        ctx.remove(path, dir).map_err(file_error)
    }

    fn spawn(&mut self, argv: &[String]) -> Result<u32, FileError> {
        self.ctx.borrow_mut().spawn_command(argv.to_vec()).map_err(file_error)
    }

    fn ended(&mut self, child: u32) -> Option<i32> {
        match self.ctx.borrow_mut().reap(child) {
            Ok(None) => None,
            Ok(Some(exit)) => Some(Exit::code(exit)),
            Err(_) => Some(1),
        }
    }
}
