//! SPDY/3.1 as port-forward speaks it inside a WebSocket: frames and their compressed headers.
//!
//! Source: the SPDY protocol, draft 3.1; k8s.io/streaming/pkg/httpstream/spdy (v1.37).

use flate2::{Decompress, FlushDecompress, Status};

/// Words that headers are likely to hold, a constant of the protocol.
const DICTIONARY: &[u8] = include_bytes!("../data/spdy3_dictionary.bin");

/// The largest frame that is read, and the most that a frame's headers may unfold to.
const LARGEST_FRAME: usize = 1 << 20;
const LARGEST_HEADERS: usize = 16 << 10;

/// What a client sends.
#[derive(Debug, PartialEq)]
pub(crate) enum Frame {
    /// A new stream with its headers.
    Open { stream: u32, headers: Vec<(String, String)>, last: bool },
    /// Bytes of a stream; `last` says that nothing follows.
    Data { stream: u32, bytes: Vec<u8>, last: bool },
    /// A stream is given up.
    Reset { stream: u32 },
    /// To be sent back as it is.
    Ping(u32),
    /// The conversation ends.
    GoAway,
}

/// Takes a client's bytes apart.
pub(crate) struct Reader {
    buffer: Vec<u8>,
    headers: Decompress,
}

impl Reader {
    pub(crate) fn new() -> Reader {
        Reader { buffer: Vec::new(), headers: Decompress::new(true) }
    }

    /// Takes bytes; gives the frames that are complete now, or nothing where they make no sense.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Option<Vec<Frame>> {
        self.buffer.extend_from_slice(bytes);
        let mut frames = Vec::new();
        while let Some(&[a, b, c, d, flags, x, y, z]) = self.buffer.first_chunk::<8>() {
            let length = usize::try_from(u32::from_be_bytes([0, x, y, z])).ok()?;
            if length > LARGEST_FRAME {
                return None;
            }
            let Some(payload) = self.buffer.get(8..8 + length).map(<[u8]>::to_vec) else { break };
            self.buffer.drain(..8 + length);
            let last = flags & 1 == 1;
            if a & 0x80 == 0 {
                frames.push(Frame::Data { stream: u32::from_be_bytes([a, b, c, d]), bytes: payload, last });
                continue;
            }
            let word = |at: usize| Some(u32::from_be_bytes(payload.get(at..at + 4)?.try_into().ok()?));
            match u16::from_be_bytes([c, d]) {
                1 => {
                    let headers = self.headers(payload.get(10..)?)?;
                    frames.push(Frame::Open { stream: word(0)? & 0x7fff_ffff, headers, last });
                }
                3 => frames.push(Frame::Reset { stream: word(0)? & 0x7fff_ffff }),
                6 => frames.push(Frame::Ping(word(0)?)),
                7 => frames.push(Frame::GoAway),
                // Headers of streams that are open are compressed with those before and after them.
                2 => drop(self.headers(payload.get(4..)?)?),
                8 => drop(self.headers(payload.get(4..)?)?),
                // Settings and windows: nothing here is so large that it would have to wait.
                _ => {}
            }
        }
        Some(frames)
    }

    fn headers(&mut self, bytes: &[u8]) -> Option<Vec<(String, String)>> {
        let plain = self.inflate(bytes)?;
        let mut rest = plain.as_slice();
        let number = |rest: &mut &[u8]| -> Option<usize> {
            let (head, tail) = rest.split_first_chunk::<4>()?;
            *rest = tail;
            usize::try_from(u32::from_be_bytes(*head)).ok()
        };
        let count = number(&mut rest)?;
        let text = |rest: &mut &[u8]| -> Option<String> {
            let length = number(rest)?;
            let (head, tail) = rest.split_at_checked(length)?;
            *rest = tail;
            String::from_utf8(head.to_vec()).ok()
        };
        let mut headers = Vec::new();
        for _ in 0..count {
            let name = text(&mut rest)?;
            headers.push((name, text(&mut rest)?));
        }
        Some(headers)
    }

    fn inflate(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(LARGEST_HEADERS);
        let mut rest = bytes;
        while !rest.is_empty() && out.len() < LARGEST_HEADERS {
            let before = self.headers.total_in();
            let status = match self.headers.decompress_vec(rest, &mut out, FlushDecompress::Sync) {
                Ok(status) => status,
                Err(error) => {
                    error.needs_dictionary()?;
                    self.headers.set_dictionary(DICTIONARY).ok()?;
                    Status::Ok
                }
            };
            let read = usize::try_from(self.headers.total_in() - before).ok()?;
            rest = rest.get(read..)?;
            if read == 0 && status != Status::Ok {
                break;
            }
        }
        Some(out)
    }
}

/// Writes frames to a client.
pub(crate) struct Writer {
    /// Whether the stream of compressed headers has begun.
    begun: bool,
}

impl Writer {
    pub(crate) fn new() -> Writer {
        Writer { begun: false }
    }

    fn control(kind: u16, payload: &[u8]) -> Vec<u8> {
        let mut out = vec![0x80, 3];
        out.extend(kind.to_be_bytes());
        let length = u32::try_from(payload.len()).unwrap_or(0);
        out.extend(length.to_be_bytes());
        out.extend(payload);
        out
    }

    /// Accepts a stream, with no headers of its own.
    pub(crate) fn reply(&mut self, stream: u32) -> Vec<u8> {
        let mut payload = stream.to_be_bytes().to_vec();
        if !std::mem::replace(&mut self.begun, true) {
            payload.extend([0x78, 0x01]);
        }
        // A block that is stored as it is: four bytes that say that there are no headers. An empty one after it has
        // readers give out what they have.
        payload.extend([0x00, 0x04, 0x00, 0xfb, 0xff, 0, 0, 0, 0]);
        payload.extend([0x00, 0x00, 0x00, 0xff, 0xff]);
        Writer::control(2, &payload)
    }

    /// Bytes of a stream; `last` says that nothing follows.
    pub(crate) fn data(stream: u32, bytes: &[u8], last: bool) -> Vec<u8> {
        let mut out = (stream & 0x7fff_ffff).to_be_bytes().to_vec();
        let length = u32::try_from(bytes.len()).unwrap_or(0) & 0x00ff_ffff;
        out.extend((length | u32::from(last) << 24).to_be_bytes());
        out.extend(bytes);
        out
    }

    /// Answers a ping.
    pub(crate) fn ping(id: u32) -> Vec<u8> {
        Writer::control(6, &id.to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::{DICTIONARY, Frame, Reader, Writer};
    use flate2::{Compress, Compression, FlushCompress};

    #[test]
    fn frames_are_read_as_they_come_in_pieces() {
        let mut headers = Vec::new();
        headers.extend(1_u32.to_be_bytes());
        for text in ["port", "8080"] {
            headers.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
            headers.extend(text.bytes());
        }
        let mut compressor = Compress::new(Compression::default(), true);
        compressor.set_dictionary(DICTIONARY).unwrap();
        let mut bytes = Vec::new();
        for stream in [1_u32, 3] {
            let mut block = Vec::with_capacity(200);
            compressor.compress_vec(&headers, &mut block, FlushCompress::Sync).unwrap();
            let payload = [&stream.to_be_bytes()[..], &[0; 6], &block].concat();
            bytes.extend(Writer::control(1, &payload));
        }
        bytes.extend(Writer::data(3, b"hello", true));
        bytes.extend(Writer::ping(7));
        let mut reader = Reader::new();
        let mut frames = Vec::new();
        for piece in bytes.chunks(5) {
            frames.extend(reader.feed(piece).unwrap());
        }
        let open =
            |stream| Frame::Open { stream, headers: vec![("port".into(), "8080".into())], last: false };
        let data = Frame::Data { stream: 3, bytes: b"hello".to_vec(), last: true };
        assert_eq!(frames, [open(1), open(3), data, Frame::Ping(7)]);
    }

    #[test]
    fn what_is_no_frame_ends_the_conversation() {
        assert!(Reader::new().feed(&[0x80, 3, 0, 1, 0, 0xff, 0xff, 0xff]).is_none());
        assert!(
            Reader::new().feed(&[0x80, 3, 0, 1, 0, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 9, 9]).is_none()
        );
    }
}
