//! The line discipline of a terminal, which lies between a client that sends keys and a program that reads lines.
//!
//! Source: Linux' n_tty in canonical mode, as far as a shell's user meets it.

use podlab_api::door::StreamInput;

/// The longest line; what is typed beyond it is dropped.
const LONGEST: usize = 4096;

/// A line that is being typed.
#[derive(Default)]
pub(crate) struct LineDiscipline {
    line: Vec<u8>,
}

/// What becomes of keys.
#[derive(Default)]
pub(crate) struct Typed {
    /// What the terminal shows.
    pub echo: Vec<u8>,
    /// What the program gets.
    pub input: Vec<StreamInput>,
}

impl LineDiscipline {
    /// Takes keys.
    pub(crate) fn keys(&mut self, bytes: &[u8]) -> Typed {
        let mut typed = Typed::default();
        for &byte in bytes {
            match byte {
                b'\r' | b'\n' => {
                    self.line.push(b'\n');
                    typed.echo.extend(b"\r\n");
                    typed.input.push(StreamInput::Stdin(std::mem::take(&mut self.line)));
                }
                // Ctrl C.
                3 => {
                    self.line.clear();
                    typed.echo.extend(b"^C\r\n");
                    typed.input.push(StreamInput::Interrupt);
                }
                // Ctrl D gives what is there, or the end.
                4 if self.line.is_empty() => typed.input.push(StreamInput::Eof),
                4 => typed.input.push(StreamInput::Stdin(std::mem::take(&mut self.line))),
                // Ctrl U.
                21 => {
                    for _ in 0..self.line.len() {
                        typed.echo.extend(b"\x08 \x08");
                    }
                    self.line.clear();
                }
                8 | 127 => {
                    // A letter may be several bytes.
                    while let Some(byte) = self.line.pop() {
                        if byte & 0xc0 != 0x80 {
                            typed.echo.extend(b"\x08 \x08");
                            break;
                        }
                    }
                }
                b'\t' | b' '.. if self.line.len() < LONGEST => {
                    self.line.push(byte);
                    typed.echo.push(byte);
                }
                _ => {}
            }
        }
        typed
    }
}

/// Output as a terminal gets it: a line feed does not go back to the line's start by itself.
pub(crate) fn cooked(output: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(output.len());
    for &byte in output {
        if byte == b'\n' {
            out.push(b'\r');
        }
        out.push(byte);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{LineDiscipline, cooked};
    use podlab_api::door::StreamInput;

    #[test]
    fn keys_become_lines() {
        let mut terminal = LineDiscipline::default();
        let typed = terminal.keys("lt\u{7f}s\u{e9}\u{7f}\rexit".as_bytes());
        assert!(matches!(typed.input.as_slice(), [StreamInput::Stdin(line)] if line == b"ls\n"));
        let typed = terminal.keys(&[3]);
        assert!(matches!(typed.input.as_slice(), [StreamInput::Interrupt]));
        assert!(matches!(terminal.keys(&[4]).input.as_slice(), [StreamInput::Eof]));
        assert_eq!(cooked(b"a\nb"), b"a\r\nb");
    }
}
