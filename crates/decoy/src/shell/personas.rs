//! Shells of other people in the login shell: what `su` and `sudo -i` start on a terminal, and what `exit` goes back to.

use super::{
    Shell,
    engine::Engine,
    environment,
    session::{Inner, Session},
};
use crate::machine::Owner;

/// Most shells in shells.
const DEEPEST: usize = 64;

/// One shell that belongs to somebody else than the one around it.
pub(super) struct Persona {
    /// How many shells are in each other when it is the innermost.
    depth: usize,
    /// What it calls itself: `bash`, `-bash`, `-sh`.
    name: String,
    /// Who had the terminal before.
    back: Owner,
}

impl Persona {
    fn is_login(&self) -> bool {
        self.name.starts_with('-')
    }
}

/// Whose shell it is to be.
pub(super) struct Wanted<'a> {
    pub(super) name: &'a str,
    pub(super) owner: Owner,
    pub(super) home: &'a str,
    pub(super) shell: &'a str,
    /// In their home, with nothing of what was set before.
    pub(super) login: bool,
}

/// What a shell is told about whom it belongs to.
#[derive(Default)]
pub(super) struct Settings {
    variables: Vec<(&'static str, String)>,
    cwd: Option<String>,
}

impl Settings {
    fn of(wanted: &Wanted<'_>) -> Self {
        let owned = |text: &str| text.to_owned();
        let mut variables = vec![
            ("HOME", owned(wanted.home)),
            ("SHELL", owned(wanted.shell)),
            ("USER", owned(wanted.name)),
            ("LOGNAME", owned(wanted.name)),
        ];
        if wanted.login {
            variables.push(("PATH", owned(environment::path_of(wanted.owner.uid))));
        }
        Self { variables, cwd: wanted.login.then(|| owned(wanted.home)) }
    }
}

impl Session {
    /// Somebody else has the shell from now on. On a terminal that is a shell in the shell.
    pub(super) fn enter(&self, wanted: &Wanted<'_>) {
        let base = wanted.shell.rsplit('/').next().unwrap_or_default();
        let mut inner = self.inner.lock();
        if self.launch.is_interactive() && inner.len() < DEEPEST {
            let kind = if matches!(base, "sh" | "dash") { Inner::Dash } else { Inner::Bash };
            inner.push((kind, 0));
            let base = if kind == Inner::Dash { base } else { "bash" };
            let name = format!("{}{base}", if wanted.login { "-" } else { "" });
            self.personas.lock().push(Persona { depth: inner.len(), name, back: self.who() });
            *self.settings.lock() = Some(Settings::of(wanted));
        }
        drop(inner);
        self.become_user(wanted.owner.uid, wanted.owner.gid);
    }

    /// The innermost shell has ended: what it says, if it was somebody else's. `depth` shells are left.
    pub(super) fn leave(&self, depth: usize) -> Option<&'static str> {
        let mut personas = self.personas.lock();
        personas.last().filter(|persona| persona.depth > depth)?;
        let persona = personas.pop()?;
        drop(personas);
        let Owner { uid, gid } = persona.back;
        self.become_user(uid, gid);
        let (name, home) = (self.user_name(), self.home_of(uid));
        let shell = if uid == self.launch.account.uid { &self.launch.account.shell } else { "/bin/bash" };
        let before = Wanted { name: &name, owner: persona.back, home: &home, shell, login: false };
        *self.settings.lock() = Some(Settings::of(&before));
        Some(if persona.is_login() { "logout\n" } else { "exit\n" })
    }

    /// What the innermost shell calls itself, if it is somebody else's.
    pub(super) fn persona_name(&self, depth: usize) -> Option<String> {
        self.personas
            .lock()
            .last()
            .filter(|persona| persona.depth == depth)
            .map(|persona| persona.name.clone())
    }

    /// `SHLVL` of the innermost of `depth` shells in the login shell: a login begins to count anew.
    fn level(&self, depth: usize) -> usize {
        let personas = self.personas.lock();
        match personas.iter().rev().find(|persona| persona.is_login()) {
            Some(persona) => 1 + depth.saturating_sub(persona.depth),
            None => 1 + depth,
        }
    }

    /// Where somebody is at home.
    pub(super) fn home_of(&self, uid: u32) -> String {
        if let Some(user) = self.identity().account_by_uid(uid) {
            return user.home.clone();
        }
        let passwd = self.files().read("/etc/passwd").unwrap_or_default();
        let text = String::from_utf8_lossy(&passwd).into_owned();
        let mut rows = text.lines().map(|row| row.split(':').collect::<Vec<_>>());
        let row = rows.find(|row| row.get(2).is_some_and(|id| id.parse() == Ok(uid)));
        row.and_then(|row| row.get(5).map(|home| (*home).to_owned())).unwrap_or_else(|| "/".to_owned())
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

impl Shell {
    /// A shell in the shell goes where it likes; the one that it leaves its place to is where it was. `depth` shells were in
    /// each other before, in `cwd`.
    pub(super) async fn settle(&mut self, depth: usize, cwd: String) {
        let now = self.session.inner.lock().len();
        self.outer.extend(std::iter::repeat_n(cwd, now.saturating_sub(depth)));
        let mut to = None;
        for _ in now..depth {
            to = self.outer.pop();
        }
        let Settings { mut variables, cwd } = self.session.settings.lock().take().unwrap_or_default();
        // An interpreter that comes later counts by itself.
        if now != depth && (self.engine.is_some() || !variables.is_empty()) {
            variables.push(("SHLVL", self.session.level(now).to_string()));
        }
        let to = to.or(cwd).filter(|to| *to != self.cwd && self.session.files().is_dir(to));
        if variables.is_empty() && (to.is_none() || self.engine.is_none()) {
            self.cwd = to.unwrap_or_else(|| std::mem::take(&mut self.cwd));
            return;
        }
        let mut script: String =
            variables.iter().map(|(name, value)| format!("export {name}={}; ", quoted(value))).collect();
        if let Some(to) = &to {
            script += &format!("cd -- {}", quoted(to));
        }
        let engine = match &mut self.engine {
            Some(engine) => engine,
            none => none.insert(Box::new(Engine::new(&self.session, &self.cwd))),
        };
        engine.capture(&script).await;
        if let Some(to) = to {
            self.cwd = to;
        }
    }
}
