//! The `wget` of busybox 1.35.

use super::{
    super::{
        Call, Options, Said,
        complaint::{self, Known},
        connections::{
            Place,
            web::{self, Failure},
        },
        quoting::quoted,
        transfer::{self, Url},
    },
    progress::tell,
    request,
};

/// busybox' own.
pub(super) async fn applet(call: &Call<'_>) -> Said {
    if let Some(said) = complaint::of(
        call,
        &Known {
            letters: "cqSO",
            long: &[
                "spider",
                "header",
                "post-data",
                "post-file",
                "no-check-certificate",
                "passive-ftp",
                "proxy",
            ],
        },
        "OoPUTY",
    ) {
        return said;
    }
    let options = Options::of(call.args, "OoPUTY");
    let Some(address) = options.operands.first() else { return complaint::missing(call, "") };
    let url = Url::cut(address);
    let mut said = Said::default();
    let name = url.name().unwrap_or("index.html").to_owned();
    let to = options.value('O').map_or_else(
        || {
            options
                .value('P')
                .map_or_else(|| name.clone(), |folder| format!("{}/{name}", folder.trim_end_matches('/')))
        },
        str::to_owned,
    );
    let quiet = options.has('q');
    let Some(place) = Place::of(call.session, &url.host, url.port) else {
        transfer::record(call.session, address, &call.path(&to), None);
        return Said::err(format!("wget: bad address '{}'\n", url.authority()), 1);
    };
    let ip = if place.address.contains(':') { format!("[{}]", place.address) } else { place.address };
    if !quiet {
        tell(call, &mut said, &format!("Connecting to {} ({ip}:{})\n", url.authority(), url.port));
    }
    let answer = match web::ask(call, &url, &request(&options), None).await {
        Ok(answer) if answer.status < 400 => answer,
        other => {
            transfer::record(call.session, address, &call.path(&to), None);
            let text = match other {
                Ok(answer) => {
                    format!(
                        "wget: server returned error: {}\n",
                        answer.head.first().map_or("", String::as_str)
                    )
                }
                Err(Failure::Refused) => {
                    format!("wget: can't connect to remote host ({ip}): Connection refused\n")
                }
                Err(Failure::NotHttp) => "wget: error getting response\n".to_owned(),
                Err(_) => format!("wget: can't connect to remote host ({ip}): No route to host\n"),
            };
            tell(call, &mut said, &text);
            said.status = 1;
            return said;
        }
    };
    let bytes = answer.body;
    transfer::record(
        call.session,
        address,
        &if to == "-" { String::new() } else { call.path(&to) },
        Some(&bytes),
    );
    if to == "-" {
        said.out.extend_from_slice(&bytes);
        if !quiet {
            tell(call, &mut said, "writing to stdout\n");
        }
    } else {
        // Without -O busybox does not write over what is there.
        if options.value('O').is_none() && call.files().exists(&call.path(&to)) {
            tell(call, &mut said, &format!("wget: can't open '{to}': File exists\n"));
            said.status = 1;
            return said;
        }
        if let Err(error) = transfer::store(call, &to, &bytes) {
            tell(call, &mut said, &format!("wget: can't open '{to}': {}\n", error.errno_text()));
            said.status = 1;
            return said;
        }
        if !quiet {
            tell(call, &mut said, &format!("saving to {}\n", quoted(&to)));
        }
    }
    if !quiet {
        let shown: String = to.rsplit('/').next().unwrap_or_default().chars().take(20).collect();
        let bar = if to == "-" { "-" } else { shown.as_str() };
        tell(
            call,
            &mut said,
            &format!("\r{bar:<20} 100% |{}| {:>5}  0:00:00 ETA\n", "*".repeat(32), bytes.len()),
        );
        let end =
            if to == "-" { "written to stdout\n".to_owned() } else { format!("{} saved\n", quoted(&to)) };
        tell(call, &mut said, &end);
    }
    said
}
