//! `tee`: what is piped in or typed, to the terminal and to files.

use futures::{FutureExt as _, future::BoxFuture};

use super::{Call, Said};
use crate::{machine::Access, shell::io::Out};

/// The most that one call takes.
const MOST: usize = 1024 * 1024;

pub(super) fn tee<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        let options = call.options("");
        if let Some(letter) = options.unknown("aip") {
            let text = format!("tee: invalid option -- '{letter}'\nTry 'tee --help' for more information.\n");
            return Said::err(text, 1);
        }
        let mut said = Said::default();
        let mut paths = Vec::new();
        for operand in &options.operands {
            match open(call, operand, options.has('a')) {
                Ok(path) => paths.push(path),
                Err(fault) => {
                    said.err.extend(format!("tee: {operand}: {fault}\n").bytes());
                    said.status = 1;
                }
            }
        }
        let mut taken: Vec<u8> = Vec::new();
        match call.stdin {
            Some(bytes) => {
                taken.extend_from_slice(bytes);
                said.out.extend_from_slice(bytes);
            }
            None => typed(call, &mut said, &mut taken).await,
        }
        for path in paths {
            let mut whole = if options.has('a') {
                call.files().read(&path).map(|bytes| bytes.to_vec()).unwrap_or_default()
            } else {
                Vec::new()
            };
            whole.extend_from_slice(&taken);
            let mode = 0o666 & !call.session.umask();
            if let Err(error) = call.files().write(&path, &whole, &call.session.who(), mode) {
                said.err.extend(format!("tee: {path}: {}\n", error.errno_text()).bytes());
                said.status = 1;
            }
        }
        said
    }
    .boxed()
}

/// Makes the file, as opening it does.
fn open(call: &Call<'_>, operand: &str, appends: bool) -> Result<String, &'static str> {
    let (path, who) = (call.path(operand), call.session.who());
    if call.files().is_dir(&path) {
        return Err("Is a directory");
    }
    let parent =
        path.rsplit_once('/').map_or("/", |(parent, _)| if parent.is_empty() { "/" } else { parent });
    call.files().stat(parent).map_err(|error| error.errno_text())?;
    let guarded = if call.files().exists(&path) { path.as_str() } else { parent };
    call.files().may(who.uid, who.gid, guarded, Access::Write).map_err(|error| error.errno_text())?;
    if !appends || !call.files().exists(&path) {
        let mode = 0o666 & !call.session.umask();
        call.files().write(&path, b"", &who, mode).map_err(|error| error.errno_text())?;
    }
    Ok(path)
}

/// Takes what the visitor types, line by line, until they end it; what went wrong before is said at once.
async fn typed(call: &Call<'_>, said: &mut Said, taken: &mut Vec<u8>) {
    let Some((output, input)) = call.session.channels.lock().clone() else { return };
    if call.to_terminal {
        output(Out::Stderr, &std::mem::take(&mut said.err));
    }
    while let Some(bytes) = input.read().await {
        taken.extend_from_slice(&bytes);
        if call.to_terminal {
            output(Out::Stdout, &bytes);
        } else {
            said.out.extend_from_slice(&bytes);
        }
        if taken.len() > MOST {
            return;
        }
    }
}
