//! `top`: the processes, again and again until `q`.

use std::time::Duration;

use futures::{FutureExt as _, future::BoxFuture};

use super::{Call, Screen, keyboard::Key};
use crate::shell::commands::{Said, top_once};

/// How long one picture stands.
const PERIOD: Duration = Duration::from_secs(3);

pub(in crate::shell) fn top<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        let batch = call.args.iter().any(|arg| {
            arg.starts_with('-') && arg.contains('b') || arg.starts_with("-h") || arg.starts_with("-v")
        });
        let Some(mut screen) = Screen::of(call).filter(|_| !batch) else { return top_once(call) };
        screen.draw("\x1b[?1h\x1b=\x1b[?25l\x1b[H\x1b[2J");
        loop {
            let (columns, rows) = screen.size();
            let once = top_once(call);
            let text = String::from_utf8_lossy(&once.out).into_owned();
            let mut drawn = String::from("\x1b[H");
            for (number, line) in text.lines().take(rows - 1).enumerate() {
                let line: String = line.chars().take(columns).collect();
                // The heading of the table stands out.
                if number == 6 {
                    drawn += &format!("\x1b[7m{line:<columns$}\x1b[m\x1b[K\n");
                } else {
                    drawn += &format!("{line}\x1b[m\x1b[K\n");
                }
            }
            screen.draw(&(drawn + "\x1b[J"));
            match tokio::time::timeout(PERIOD, screen.keys.next()).await {
                Err(_) | Ok(Some(Key::Char(' ') | Key::Enter)) => {}
                Ok(None | Some(Key::Char('q') | Key::Ctrl('c'))) => break,
                Ok(Some(_)) => {}
            }
        }
        let rows = screen.size().1;
        screen.draw(&format!("\x1b[?1l\x1b>\x1b[{rows};1H\n\x1b[?25h\x1b[K"));
        Said::default()
    }
    .boxed()
}
