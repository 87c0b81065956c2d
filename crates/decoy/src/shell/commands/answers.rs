//! Answers to questions that programs ask: what is piped in, or what the visitor types.

use super::{Call, Said};
use crate::shell::io::Out;

/// What is answered, line by line.
pub(super) struct Answers<'a> {
    call: &'a Call<'a>,
    piped: Option<&'a [u8]>,
}

impl<'a> Answers<'a> {
    pub(super) fn of(call: &'a Call<'a>) -> Self {
        Self { call, piped: call.stdin }
    }

    /// Asks on standard error; whether the answer begins with a `y`.
    pub(super) async fn agree(&mut self, said: &mut Said, question: &str) -> bool {
        said.err.extend(question.bytes());
        let line = match self.piped {
            Some(rest) => {
                let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
                let (line, rest) = rest.split_at(end);
                self.piped = Some(rest);
                line.to_vec()
            }
            None => {
                let channels = self.call.session.channels.lock().clone();
                let Some((output, input)) = channels else { return false };
                // What was said before is seen before the question.
                for (out, bytes) in [(Out::Stdout, &mut said.out), (Out::Stderr, &mut said.err)] {
                    if !bytes.is_empty() {
                        output(out, &std::mem::take(bytes));
                    }
                }
                input.read_line().await
            }
        };
        matches!(line.first(), Some(b'y' | b'Y'))
    }
}
