//! `tftp` and `ftpget`: tftp-hpa 5.2 and busybox 1.35, with a transfer that is only played.

use futures::{FutureExt as _, future::BoxFuture};

use super::{
    Call, Options, Said, complaint,
    transfer::{self, Url},
};

/// Plays one transfer.
async fn fetch(call: &Call<'_>, address: &str, to: &str) -> Said {
    let url = Url::cut(address);
    let dead = url.resolved().is_none() || url.is_dead();
    if dead {
        transfer::record(call.session, address, &call.path(to), None);
        transfer::wait(call.session, std::time::Duration::from_secs(3)).await;
        return match (call.name, url.resolved()) {
            (name, None) if call.applet => Said::err(format!("{name}: bad address '{}'\n", url.host), 1),
            ("tftp", None) => Said::err(format!("tftp: {}: Name or service not known\n", url.host), 1),
            ("tftp", _) if call.applet => Said::err("tftp: timeout\n", 1),
            ("tftp", _) => Said::err("Transfer timed out.\n\n", 1),
            (name, ip) => Said::err(
                format!(
                    "{name}: can't connect to remote host ({}): Connection refused\n",
                    ip.unwrap_or_default()
                ),
                1,
            ),
        };
    }
    let arrival = transfer::arrival(call, &url);
    transfer::wait(call.session, arrival.time).await;
    transfer::record(call.session, address, &call.path(to), Some(&arrival.bytes));
    match transfer::store(call, to, &arrival.bytes) {
        Ok(()) => Said::nothing(0),
        Err(error) if call.applet => {
            Said::err(format!("{}: can't open '{to}': {}\n", call.name, error.errno_text()), 1)
        }
        Err(error) => Said::err(format!("tftp: {to}: {}\n", error.errno_text()), 1),
    }
}

pub(super) fn tftp<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        if call.applet {
            let options = Options::of(call.args, "lrb");
            let (Some(host), Some(file)) = (options.operands.first(), options.value('r').or(options.value('l'))) else {
                return complaint::missing(call, "");
            };
            if options.has('p') {
                return Said::nothing(0);
            }
            let to = options.value('l').unwrap_or_else(|| file.rsplit('/').next().unwrap_or(file));
            return fetch(call, &format!("tftp://{host}/{file}"), to).await;
        }
        // tftp-hpa: `tftp HOST [PORT] -c get FILE [LOCAL]`; loaders also use the options of busybox' applet.
        let words: Vec<&str> = call.args.iter().map(String::as_str).filter(|word| *word != "-c" && *word != "-m" && *word != "binary").collect();
        let get = words.iter().position(|word| *word == "get");
        if let (Some(at), Some(host)) = (get, words.first().filter(|word| !word.starts_with('-'))) {
            let Some(file) = words.get(at + 1) else { return Said::out("usage: get host:file host:file ... file, or\n       get file file ... file   if connected\n") };
            let to = words.get(at + 2).copied().unwrap_or_else(|| file.rsplit('/').next().unwrap_or(file));
            return fetch(call, &format!("tftp://{host}/{file}"), to).await;
        }
        if call.args.iter().any(|arg| matches!(arg.as_str(), "-r" | "-g" | "-l" | "-p")) {
            let options = Options::of(call.args, "rl");
            if let (Some(host), Some(file)) = (options.operands.first(), options.value('r')) {
                // What was wanted is known, though this tftp has no such option.
                transfer::record(call.session, &format!("tftp://{host}/{file}"), &call.path(file), None);
            }
            return Said::err("usage: tftp [-4][-6][-v][-V][-l][-m mode] [-w size] [-B blocksize] [-R port:port] [host [port]] [-c command]\n".replace("[-w size] [-B blocksize] ", ""), 64);
        }
        prompt(call).await
    }
    .boxed()
}

/// Called with nothing it asks for a host, and then for commands.
async fn prompt(call: &Call<'_>) -> Said {
    let channels =
        if call.to_terminal && call.stdin.is_none() { call.session.channels.lock().clone() } else { None };
    let Some((output, input)) = channels else { return Said::out("(to) ") };
    output(crate::shell::io::Out::Stdout, b"(to) ");
    for _ in 0..64 {
        let Some(line) = input.read().await else { break };
        let line = String::from_utf8_lossy(&line).into_owned();
        if matches!(line.trim(), "q" | "quit") {
            break;
        }
        output(crate::shell::io::Out::Stdout, b"tftp> ");
    }
    Said::nothing(0)
}

pub(super) fn ftpget<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        let options = call.options("upP");
        let [host, rest @ ..] = options.operands.as_slice() else { return complaint::missing(call, "") };
        let Some(local) = rest.first() else { return complaint::missing(call, "") };
        let remote = rest.get(1).unwrap_or(local);
        fetch(call, &format!("ftp://{host}/{remote}"), local).await
    }
    .boxed()
}
