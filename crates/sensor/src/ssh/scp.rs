//! The old way of scp, the remote end of `scp -O` (scp.c of OpenSSH 9.2): files in a protocol of its own over a program's
//! two pipes.

mod pipe;
mod sink;
mod source;

use decoy::{Account, Contact, memory::Pool};

use self::pipe::Pipe;
use super::{channel::ChannelLine, upload::Keeper};
use crate::handler::Line as _;

/// What `scp` is told to do when it is the other end.
#[derive(Debug, PartialEq, Eq)]
pub struct Order {
    /// `-t`: take files; else (`-f`) give them.
    pub takes: bool,
    /// `-r`
    pub deep: bool,
    /// `-p`
    pub times: bool,
    /// `-d`: the target must be a folder.
    pub folder: bool,
    /// Targets or sources.
    pub paths: Vec<String>,
}

impl Order {
    /// Reads a command line; nothing when it is no such order, or one that only a shell understands.
    pub fn read(command: &[u8]) -> Option<Self> {
        let words = words(std::str::from_utf8(command).ok()?)?;
        let (program, rest) = words.split_first()?;
        if !matches!(program.as_str(), "scp" | "/usr/bin/scp" | "/bin/scp") {
            return None;
        }
        let mut order = Self { takes: false, deep: false, times: false, folder: false, paths: Vec::new() };
        let (mut gives, mut options) = (false, true);
        for word in rest {
            match word.strip_prefix('-').filter(|_| options) {
                Some("-") => options = false,
                Some(letters) if !letters.is_empty() => {
                    for letter in letters.chars() {
                        match letter {
                            't' => order.takes = true,
                            'f' => gives = true,
                            'r' => order.deep = true,
                            'p' => order.times = true,
                            'd' => order.folder = true,
                            'v' | 'q' | 'B' | 'C' => {}
                            _ => return None,
                        }
                    }
                }
                _ => order.paths.push(word.clone()),
            }
        }
        ((order.takes ^ gives) && !order.paths.is_empty()).then_some(order)
    }
}

/// Words of a shell's line with quotes and backslashes; nothing for a line with more in it than words.
fn words(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            (_, Some(open)) if letter == open => quote = None,
            ('\\', None | Some('"')) => word.get_or_insert_default().push(letters.next()?),
            (_, Some(_)) => word.get_or_insert_default().push(letter),
            ('\'' | '"', None) => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (' ' | '\t' | '\n', None) => words.extend(word.take()),
            (';' | '&' | '|' | '<' | '>' | '$' | '`' | '(' | ')' | '*' | '?' | '[' | '{' | '#', None) => {
                return None;
            }
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// Carries out an order to its end.
pub async fn run(
    line: ChannelLine,
    order: Order,
    contact: &Contact,
    account: &Account,
    keeper: Keeper,
    pool: &Pool,
) {
    let mut pipe = Pipe::new(line);
    let ended = if order.takes {
        sink::Sink { contact, account, keeper, pool, order: &order }.take(&mut pipe).await
    } else {
        source::Source { contact, account, order: &order }.give(&mut pipe).await
    };
    let status = match ended {
        Ok(()) => u32::from(pipe.complained),
        // The other end is gone or speaks something else.
        Err(error) => {
            tracing::debug!(%error, "scp broke off");
            1
        }
    };
    if let Err(error) = pipe.line.hang_up(status).await {
        tracing::debug!(%error, "scp could not say goodbye");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read_and_other_lines_left_to_the_shell() {
        let order = Order::read(b"scp -r -p -t -- '/tmp/a b'").unwrap();
        assert!(order.takes && order.deep && order.times && order.paths == ["/tmp/a b"]);
        let order = Order::read(b"scp -f x\\ y \"z\"").unwrap();
        assert!(!order.takes && order.paths == ["x y", "z"]);
        for line in [
            "scp a b",
            "scp -t",
            "scp -t x; id",
            "scp -f *.txt",
            "scp -f $HOME",
            "scp -t 'x",
            "ls -t x",
            "scp -Z -t x",
        ] {
            assert_eq!(Order::read(line.as_bytes()), None, "{line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_line_is_read_without_panic(line in "scp -[tf] .{0,40}") {
            let _order = Order::read(line.as_bytes());
        }
    }
}
