//! bash's own `/dev/tcp/HOST/PORT` and `/dev/udp/HOST/PORT`: redirections that are connections.

use super::{Place, Reach, Talk, port};
use crate::shell::session::Session;

/// What such names begin with.
const DEV: [(&str, &str); 2] = [("/dev/tcp/", "tcp"), ("/dev/udp/", "udp")];

/// Kind, host and port; a name without a port is a file that is not there.
fn cut(path: &str) -> Option<(&'static str, &str, &str)> {
    let (rest, kind) = DEV.iter().find_map(|(head, kind)| Some((path.strip_prefix(head)?, *kind)))?;
    let (host, port) = rest.split_once('/')?;
    (!host.is_empty() && !port.is_empty()).then_some((kind, host, port))
}

/// Whether this name means a connection.
pub(in crate::shell) fn is_meant(path: &str) -> bool {
    cut(path).is_some()
}

/// Opens a connection, says `bytes`, and gives all that comes back at once; `None`: the name means no connection. The
/// errors are bash's (lib/sh/netopen.c), to be reworded by [`told`].
pub(in crate::shell) async fn connect(
    session: &Session,
    path: &str,
    bytes: &[u8],
) -> Option<Result<Vec<u8>, &'static str>> {
    let (kind, host, word) = cut(path)?;
    let Some(number) = port(word) else { return Some(Err(NO_PORT)) };
    let Some(place) = Place::of(session, host, number) else { return Some(Err(NO_HOST)) };
    place.record(session, kind);
    if kind == "udp" {
        return Some(Ok(Vec::new()));
    }
    place.wait(session, None).await;
    Some(match place.reach {
        Reach::Refused => Err(REFUSED),
        Reach::NoRoute => Err(NO_ROUTE),
        Reach::Silent => Err(SILENT),
        Reach::Accepted => Ok(Vec::new()),
        Reach::Own => {
            let (mut talk, mut said) = Talk::open(&session.contact, number).await;
            if !bytes.is_empty() {
                said.extend(talk.hear(bytes).await);
            }
            Ok(said)
        }
    })
}

const REFUSED: &str = "Connection refused";
const NO_ROUTE: &str = "No route to host";
const SILENT: &str = "Connection timed out";
const NO_HOST: &str = "Name or service not known";
const NO_PORT: &str = "Servname not supported for ai_socktype";

/// The two lines in which bash tells of a connection that there is none: `body` is what the library says of it.
pub(in crate::shell) fn told(body: &str) -> Option<String> {
    let at = DEV.iter().find_map(|(head, _)| body.find(head))?;
    let who = body.get(..at)?.split(": ").next()?;
    let (path, why) = body.get(at..)?.split_once(": ")?;
    let mut words = path.split('/').skip(3);
    let (host, port) = (words.next()?, words.next()?);
    match why {
        REFUSED | NO_ROUTE | SILENT => Some(format!("{who}: connect: {why}\n{who}: {path}: {why}")),
        NO_HOST => Some(format!("{who}: {host}: {why}\n{who}: {path}: Invalid argument")),
        NO_PORT => Some(format!("{who}: {port}: {why}\n{who}: {path}: Invalid argument")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_library_says_becomes_two_lines() {
        assert_eq!(
            told("bash: line 1: /dev/tcp/127.0.0.1/1: Connection refused").as_deref(),
            Some("bash: connect: Connection refused\nbash: /dev/tcp/127.0.0.1/1: Connection refused")
        );
        assert_eq!(
            told("-bash: /dev/tcp/nosuch.invalid/1: Name or service not known").as_deref(),
            Some(
                "-bash: nosuch.invalid: Name or service not known\n-bash: /dev/tcp/nosuch.invalid/1: Invalid argument"
            )
        );
        assert_eq!(told("bash: /dev/tcp: Is a directory"), None);
    }
}
