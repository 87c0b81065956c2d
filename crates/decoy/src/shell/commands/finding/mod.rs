//! `find` (findutils 4.9): the walk, and the commands that it has run.

mod batches;
mod descent;
mod expression;
mod mounts;
mod parse;
mod patterns;
mod primaries;
mod printed;
mod steps;
mod visit;
mod walk;

use futures::{FutureExt as _, future::BoxFuture};
use rand::RngExt as _;

use self::steps::{END, NEXT, RUN};
pub(in crate::shell) use self::walk::Search;
use super::{Call, Said, usage};
pub(super) use steps::register;

/// Searches of one session that wait for a command: one may start another.
const MOST_SEARCHES: usize = 64;

/// A pattern of names, for whoever else takes one.
pub(super) fn glob(pattern: &str) -> Option<regex::Regex> {
    patterns::glob(pattern, false)
}

/// Reads the words, or says what is wrong with them.
fn begun(call: &Call<'_>) -> Result<Search, Said> {
    let mut warned = String::new();
    let plan = match parse::plan(call, &mut warned) {
        Ok(plan) => plan,
        Err(parse::Refusal::Help(text)) => return Err(Said::out(text)),
        Err(parse::Refusal::About(asked)) => return Err(usage::exactly("find", asked).unwrap_or_default()),
        Err(parse::Refusal::Wrong(text)) => return Err(Said::err(warned + &text, 1)),
    };
    Ok(Search::new(call, plan, warned))
}

/// A search that runs no command.
pub(super) fn find<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        match begun(call) {
            Ok(mut search) => {
                let _ = search.resume(call.session, None).await;
                search.said()
            }
            Err(said) => said,
        }
    }
    .boxed()
}

/// The words of the shell for a search that runs commands: it goes on after each one.
pub(super) fn with_commands(call: &Call<'_>) -> Option<Vec<String>> {
    if !call.args.iter().any(|arg| matches!(arg.as_str(), "-exec" | "-execdir" | "-ok" | "-okdir")) {
        return None;
    }
    let search = begun(call).ok()?;
    let id = rand::rng().random::<u32>();
    let mut searches = call.session.searches.lock();
    if searches.len() >= MOST_SEARCHES {
        searches.remove(0);
    }
    searches.push((id, search));
    drop(searches);
    // `&& :` so that a command that fails ends no script.
    let script = format!("while {NEXT} {id} $?; do {RUN} {id} && :; done; {END} {id}");
    Some(vec!["eval".to_owned(), script])
}
