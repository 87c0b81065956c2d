//! `crontab`.

use futures::{FutureExt as _, future::BoxFuture};

use super::{Call, Said};
use crate::machine::Owner;

/// Debian's cron 3.0pl1: tables are files in the spool.
pub(super) fn crontab<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        let options = call.options("u");
        let user = options.value('u').map_or_else(|| call.session.user_name(), str::to_owned);
        let Some(account) = super::users::named(call, &user) else {
            return Said::err(format!("crontab:  user `{user}' unknown\n"), 1);
        };
        let path = format!("/var/spool/cron/crontabs/{user}");
        let owner = Owner { uid: account.uid, gid: 105 };
        if options.has('l') {
            return call.files().read(&path).map_or_else(
                |_| Said::err(format!("no crontab for {user}\n"), 1),
                |text| Said::out(text.to_vec()),
            );
        }
        if options.has('r') {
            return call
                .files()
                .remove(&path)
                .map_or_else(|_| Said::err(format!("no crontab for {user}\n"), 1), |()| Said::nothing(0));
        }
        if options.has('e') {
            return Said::err(
                if call.files().exists(&path) {
                    String::new()
                } else {
                    format!("no crontab for {user} - using an empty one\n")
                },
                0,
            );
        }
        let text = match options.operands.first().map(String::as_str) {
            Some("-") | None => match call.stdin {
                Some(bytes) => bytes.to_vec(),
                None => {
                    let Some((_, input)) = call.session.channels.lock().clone() else {
                        return Said::nothing(0);
                    };
                    let mut text = Vec::new();
                    while let Some(bytes) = input.read().await {
                        text.extend_from_slice(&bytes);
                        if text.len() > 65_536 {
                            break;
                        }
                    }
                    text
                }
            },
            Some(file) => match call.files().read(&call.path(file)) {
                Ok(bytes) => bytes.to_vec(),
                Err(error) => return Said::err(format!("{file}: {}\n", error.errno_text()), 1),
            },
        };
        match call.files().write(&path, &text, &owner, 0o600) {
            Ok(()) => Said::nothing(0),
            Err(error) => Said::err(format!("crontab: {}\n", error.errno_text()), 1),
        }
    }
    .boxed()
}
