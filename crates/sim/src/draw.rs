//! Random numbers keyed by who draws them.

use crate::SimDuration;

/// One step of SplitMix64: a bijection on 64 bit numbers with good avalanche.
pub const fn splitmix64(x: u64) -> u64 {
    let z = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Writes some of a word's sixteen hexadecimal digits, of which 0 is the lowest, from the highest down.
fn push_hex(out: &mut String, word: u64, digits: std::ops::Range<u32>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend(digits.rev().map(|digit| char::from(DIGITS[(word >> (4 * digit) & 0xf) as usize])));
}

/// A source of draws for one (seed, component, object, counter).
///
/// A further draw for one object leaves every other object's draws as they were. All widths are fixed, so
/// that wasm32 and a 64 bit machine draw alike.
#[derive(Clone, Debug)]
pub struct Draw(u64);

impl Draw {
    /// `component` and `object` are names; `counter` tells the draws of one object apart.
    pub fn keyed(seed: u64, component: &str, object: &str, counter: u64) -> Draw {
        let mut state = splitmix64(seed);
        for part in [component, object] {
            for byte in part.bytes() {
                state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
            state = splitmix64(state ^ 0xff);
        }
        Draw(splitmix64(state ^ counter))
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        splitmix64(self.0)
    }

    /// A number in `0..bound`; 0 where `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// A number in `[0, 1)` with 53 bits.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A time between half and twice `middle`, as what waits for its turn takes: of two that are alike now the one is done first,
    /// now the other.
    pub fn around(&mut self, middle: SimDuration) -> SimDuration {
        middle.mul_f64(0.5 + 1.5 * self.unit())
    }

    /// `len` characters of the alphabet that Kubernetes makes name suffixes from.
    ///
    /// Source: k8s.io/apimachinery/pkg/util/rand/rand.go `SafeEncodeString` (v1.37).
    pub fn suffix(&mut self, len: usize) -> String {
        const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
        (0..len).map(|_| char::from(ALPHABET[self.below(27) as usize])).collect()
    }

    /// A version 4 UUID in its usual writing.
    pub fn uuid(&mut self) -> String {
        let hi = (self.next_u64() & !0xf000) | 0x4000;
        let lo = (self.next_u64() & !(0b11 << 62)) | (0b10 << 62);
        let mut out = String::with_capacity(36);
        push_hex(&mut out, hi, 8..16);
        for (word, digits) in [(hi, 4..8), (hi, 0..4), (lo, 12..16), (lo, 0..12)] {
            out.push('-');
            push_hex(&mut out, word, digits);
        }
        out
    }

    /// `len` lower-case hexadecimal digits, as in a container id.
    pub fn hex(&mut self, len: usize) -> String {
        let mut out = String::with_capacity(len);
        while out.len() < len {
            let missing = (len - out.len()).min(16) as u32;
            push_hex(&mut out, self.next_u64(), 16 - missing..16);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_depend_on_the_key_alone() {
        let mut a = Draw::keyed(1, "scheduler", "default/web", 0);
        let mut b = Draw::keyed(1, "scheduler", "default/web", 0);
        let mut c = Draw::keyed(1, "scheduler", "default/web", 1);
        let first = a.next_u64();
        assert_eq!(first, b.next_u64());
        assert_ne!(first, c.next_u64());
        assert!((0..100).all(|_| a.below(7) < 7 && a.unit() < 1.0));
        assert_eq!(Draw::keyed(1, "", "", 0).uuid().len(), 36);
        assert_eq!(Draw::keyed(1, "", "", 0).hex(64).len(), 64);
    }

    #[test]
    fn times_lie_around_their_middle() {
        let mut draw = Draw::keyed(1, "queue", "web", 0);
        let middle = SimDuration::from_millis(6);
        assert!((0..100).all(|_| (middle / 2..middle * 2).contains(&draw.around(middle))));
    }

    #[test]
    fn uuids_and_digits_are_written_as_ever() {
        let draw = || Draw::keyed(7, "apiserver", "uid", 3);
        let (mut words, text) = (draw(), draw().hex(20));
        assert_eq!(text, format!("{:016x}{:016x}", words.next_u64(), words.next_u64())[..20]);
        let (mut words, text) = (draw(), draw().uuid());
        let (hi, lo) = (words.next_u64(), words.next_u64());
        let digits: String = text.split('-').collect();
        let word = |text: &str| u64::from_str_radix(text, 16).unwrap();
        assert_eq!(word(&digits[..16]), (hi & !0xf000) | 0x4000);
        assert_eq!(word(&digits[16..]), (lo & !(0b11 << 62)) | (0b10 << 62));
        assert_eq!(text.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    }
}
