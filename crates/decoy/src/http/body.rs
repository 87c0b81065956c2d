//! Request bodies: a known length, or chunks (RFC 9112, 7.1).

/// How much body is still to come.
#[derive(Debug)]
pub(super) enum Body {
    /// This many bytes.
    Length(u64),
    /// Chunks.
    Chunks(Chunk),
}

/// Where in the chunked coding we are.
#[derive(Debug)]
pub(super) enum Chunk {
    /// In the line with the size; the digits so far, and whether they are over.
    Size { value: u64, digits: u8, over: bool },
    /// In the data.
    Data(u64),
    /// In the line end after the data.
    DataEnd,
    /// In the lines after the last chunk; whether the line has anything in it.
    Trailer { empty: bool },
}

/// Whether the body goes on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// More must come.
    More,
    /// It is complete.
    Done,
    /// It cannot be read.
    Broken,
}

impl Body {
    /// The body before its first byte.
    pub fn chunks() -> Self {
        Self::Chunks(Chunk::Size { value: 0, digits: 0, over: false })
    }

    /// Takes body bytes from the front of `input` and gives each piece of data to `keep`.
    pub fn take(&mut self, input: &mut &[u8], mut keep: impl FnMut(&[u8])) -> Progress {
        loop {
            match self {
                Self::Length(0) => return Progress::Done,
                Self::Length(left) => {
                    let piece = split_front(input, *left);
                    if piece.is_empty() {
                        return Progress::More;
                    }
                    keep(piece);
                    *left -= piece.len() as u64;
                }
                Self::Chunks(Chunk::Data(left)) => {
                    let piece = split_front(input, *left);
                    if piece.is_empty() {
                        return Progress::More;
                    }
                    keep(piece);
                    *left -= piece.len() as u64;
                    if *left == 0 {
                        *self = Self::Chunks(Chunk::DataEnd);
                    }
                }
                Self::Chunks(state) => {
                    let Some((&byte, rest)) = input.split_first() else { return Progress::More };
                    *input = rest;
                    match state.step(byte) {
                        Some(Progress::More) => {}
                        Some(end) => return end,
                        None => return Progress::Broken,
                    }
                }
            }
        }
    }
}

impl Chunk {
    /// One byte outside of data; `None` where nginx gives up.
    fn step(&mut self, byte: u8) -> Option<Progress> {
        match self {
            Self::Size { value, digits, over } => match (char::from(byte).to_digit(16), byte) {
                (Some(digit), _) if !*over => {
                    *digits = digits.checked_add(1).filter(|&digits| digits <= 15)?;
                    *value = *value * 16 + u64::from(digit);
                }
                (_, b'\n') if *digits > 0 => {
                    *self = if *value == 0 { Self::Trailer { empty: true } } else { Self::Data(*value) };
                }
                (_, b'\r' | b';' | b' ' | b'\t') if *digits > 0 => *over = true,
                _ if *over => {}
                _ => return None,
            },
            Self::DataEnd => match byte {
                b'\r' => {}
                b'\n' => *self = Self::Size { value: 0, digits: 0, over: false },
                _ => return None,
            },
            Self::Trailer { empty } => match byte {
                b'\n' if *empty => return Some(Progress::Done),
                b'\n' => *empty = true,
                b'\r' => {}
                _ => *empty = false,
            },
            Self::Data(_) => {}
        }
        Some(Progress::More)
    }
}

fn split_front<'a>(input: &mut &'a [u8], most: u64) -> &'a [u8] {
    let now = usize::try_from(most).unwrap_or(usize::MAX).min(input.len());
    let (piece, rest) = input.split_at(now);
    *input = rest;
    piece
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn take_all(mut body: Body, pieces: &[&[u8]]) -> (Vec<u8>, Progress, usize) {
        let mut data = Vec::new();
        let mut used = 0;
        for piece in pieces {
            let mut rest = *piece;
            let progress = body.take(&mut rest, |bytes| data.extend_from_slice(bytes));
            used += piece.len() - rest.len();
            if progress != Progress::More {
                return (data, progress, used);
            }
        }
        (data, Progress::More, used)
    }

    #[test]
    fn chunks_are_put_together() {
        let coded = b"3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nT: v\r\n\r\nnext";
        let (data, progress, used) = take_all(Body::chunks(), &[coded]);
        assert_eq!((data.as_slice(), progress), (&b"abc0123456789"[..], Progress::Done));
        assert_eq!(&coded[used..], b"next");
        assert_eq!(take_all(Body::chunks(), &[b"zz\r\n"]).1, Progress::Broken);
        assert_eq!(take_all(Body::chunks(), &[b"fffffffffffffffff\r\n"]).1, Progress::Broken);
    }

    proptest! {
        #[test]
        fn cutting_changes_nothing(coded in proptest::collection::vec(
            prop_oneof![Just(b'1'), Just(b'0'), Just(b'\r'), Just(b'\n'), any::<u8>()], 0..80), at in 0usize..80) {
            let (front, back) = coded.split_at(at.min(coded.len()));
            prop_assert_eq!(take_all(Body::chunks(), &[&coded]), take_all(Body::chunks(), &[front, back]));
        }
    }
}
