//! `cat`: files, what is piped in, or what the visitor types.

use futures::{FutureExt as _, future::BoxFuture};

use super::{Call, Said};
use crate::{
    machine::{Access, FileError},
    shell::io::Out,
};

/// The most that one call reads.
const MOST: usize = 1024 * 1024;

pub(super) fn cat<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        let options = call.options("");
        if let Some(letter) = options.unknown("AbeEnstTuv") {
            return Said::err(
                format!("cat: invalid option -- '{letter}'\nTry 'cat --help' for more information.\n"),
                1,
            );
        }
        let mut said = Said::default();
        let operands =
            if options.operands.is_empty() { vec!["-".to_owned()] } else { options.operands.clone() };
        let plain = options.letters.is_empty() || options.letters.iter().all(|letter| *letter == 'u');
        for operand in &operands {
            if operand == "-" {
                match call.stdin {
                    Some(bytes) => said.out.extend_from_slice(bytes),
                    None => typed(call, &mut said, plain).await,
                }
            } else {
                file(call, operand, &mut said).await;
            }
            if said.out.len() > MOST {
                said.out.truncate(MOST);
                break;
            }
        }
        if !plain {
            said.out = marked(&said.out, &options);
        }
        said
    }
    .boxed()
}

async fn file(call: &Call<'_>, operand: &str, said: &mut Said) {
    let (path, who) = (call.path(operand), call.session.who());
    call.session.contact.know(&path).await;
    let read = call.files().stat(&path).and_then(|_| call.files().may(who.uid, who.gid, &path, Access::Read));
    match read.and_then(|()| call.files().read(&path)) {
        Ok(bytes) => said.out.extend_from_slice(&bytes),
        Err(error) => {
            let text = if call.applet && error != FileError::IsADirectory {
                format!("cat: can't open '{operand}': {}\n", error.errno_text())
            } else if call.applet {
                format!("cat: read error: {}\n", error.errno_text())
            } else {
                format!("cat: {operand}: {}\n", error.errno_text())
            };
            said.err.extend(text.bytes());
            said.status = 1;
        }
    }
}

/// Gives back what the visitor types, line by line, until they end it.
async fn typed(call: &Call<'_>, said: &mut Said, echo: bool) {
    let Some((output, input)) = call.session.channels.lock().clone() else { return };
    let mut total = 0;
    while let Some(bytes) = input.read().await {
        total += bytes.len();
        if total > MOST {
            return;
        }
        if echo && call.to_terminal {
            output(Out::Stdout, &bytes);
        } else {
            said.out.extend_from_slice(&bytes);
        }
    }
}

/// `-n`, `-b`, `-E`, `-T`, `-v`, `-A`, `-s`.
fn marked(bytes: &[u8], options: &super::Options) -> Vec<u8> {
    let has = |letters: &str| letters.chars().any(|letter| options.has(letter));
    let (ends, tabs, signs) = (has("eEA"), has("tTA"), has("vetA"));
    let mut marked = Vec::with_capacity(bytes.len() + bytes.len() / 8);
    let (mut number, mut blank_before) = (0, false);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let is_blank = line == b"\n";
        if options.has('s') && is_blank && blank_before {
            continue;
        }
        blank_before = is_blank;
        if options.has('b') && !is_blank || options.has('n') && !options.has('b') {
            number += 1;
            marked.extend(format!("{number:>6}\t").bytes());
        }
        for byte in line {
            match *byte {
                b'\n' => {
                    if ends {
                        marked.push(b'$');
                    }
                    marked.push(b'\n');
                }
                b'\t' if tabs => marked.extend_from_slice(b"^I"),
                b'\t' => marked.push(b'\t'),
                byte if signs => {
                    let (meta, low) = if byte >= 128 { ("M-", byte - 128) } else { ("", byte) };
                    marked.extend_from_slice(meta.as_bytes());
                    match low {
                        0..32 => marked.extend_from_slice(&[b'^', low + 64]),
                        127 => marked.extend_from_slice(b"^?"),
                        low => marked.push(low),
                    }
                }
                byte => marked.push(byte),
            }
        }
    }
    marked
}
