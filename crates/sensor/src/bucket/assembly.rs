//! The parts of a bucket made from its settings, and put together.

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicUsize},
    time::SystemTime,
};

use decoy::{
    Clock, Machine,
    machine::{Bounds as MachineBounds, Identity, LoginPolicy},
};
use wire::Protocol;

use super::{Bucket, StartError};
use crate::{
    admission::Admission,
    artifacts::Artifacts,
    birth::Birth,
    config::Config,
    event_log::EventLog,
    handler::Bounds,
    oracle::{
        Mind,
        facts::{self, Facts},
    },
    registration::{self, RegistrationError},
    session::Sensor,
    spent,
    ssh::{self, host_keys},
    tls,
};

pub(super) fn assemble(
    config: &Config,
    birth: &Birth,
    log: &EventLog,
    sensor: Sensor,
    open: Arc<AtomicUsize>,
) -> Result<Bucket, StartError> {
    let limits = &config.limits;
    let image = Arc::clone(&config.persona.image);
    let mut identity = Identity::draw_on(
        &image,
        &birth.secret,
        SystemTime::now(),
        config.persona.hostname.clone(),
        config.persona.users.clone(),
    );
    identity.programs.clone_from(&config.persona.programs);
    identity.directories.clone_from(&config.persona.directories);
    identity.site_verbs.clone_from(&config.persona.site_verbs);
    identity.piped_mail.clone_from(&config.persona.piped_mail);
    let state = &config.general.state_directory;
    let subject = tls::Subject { name: identity.full_name(), since: identity.installed };
    let (tls, certificate) = tls::snakeoil(state, &subject)?;
    identity.certificate = certificate;
    let mut port_tls = Vec::new();
    for entry in &config.listeners {
        if let Some(settings) = &entry.tls {
            port_tls.push((entry.name.clone(), tls::of_port(state, &entry.name, settings, &subject)?));
        }
    }
    identity.host_keys = host_keys::shown(&host_keys::load(state)?);
    let policy = LoginPolicy {
        always: config.logins.always.clone(),
        fewest_tries: config.logins.fewest_tries,
        most_tries: config.logins.most_tries,
        secret: birth.secret.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes)),
    };
    let memory = usize::try_from(limits.memory).unwrap_or(usize::MAX);
    let machine_bounds =
        MachineBounds { memory: memory - memory / 4, uploads: memory / 4, ..MachineBounds::default() };
    let machine = Machine::with_image(image, identity, policy, Clock::new(SystemTime::now), machine_bounds);

    let mind = mind(config, &machine, &state.join("chat"))?;
    let artifacts = Arc::new(Artifacts::open(&state.join("artifacts"), config.general.artifacts_max_bytes)?);
    let bounds =
        Bounds { idle: limits.idle_timeout, session: limits.session_timeout, bytes: limits.session_bytes };
    let ssh_listeners = config.listeners.iter().filter(|entry| entry.protocol == Protocol::Ssh);
    let mut daemons = Vec::new();
    for entry in ssh_listeners {
        let keys = host_keys::load(state)?;
        let banner = entry.banner.clone().unwrap_or_else(|| ssh::BANNER.to_owned());
        // Far more than sshd's 100, so that a burst of visitors is not turned away for coming together.
        let startups = (limits.connections.connections / 4).max(100);
        let daemon = ssh::Daemon::new(keys, banner, bounds, Arc::clone(&artifacts), startups);
        daemons.push((entry.name.clone(), daemon));
    }
    Ok(Bucket {
        log: log.clone(),
        sensor,
        machine,
        mind,
        artifacts,
        admission: Admission::new(limits.connections, open),
        tls,
        port_tls,
        bounds,
        dialogue_limits: decoy::Limits {
            line_bytes: usize::try_from(limits.line_bytes).unwrap_or(usize::MAX),
            upload_bytes: usize::try_from(limits.upload_bytes).unwrap_or(usize::MAX),
        },
        daemons,
    })
}

/// Models, what they said before, and what they may cost.
fn mind(config: &Config, machine: &Arc<Machine>, folder: &Path) -> Result<Arc<Mind>, StartError> {
    let facts = Facts::open(folder, facts::Bounds::default())?;
    let assembled = chat::assembly::assemble(&config.chat);
    for warning in assembled.warnings {
        tracing::warn!("{warning}");
    }
    for purse in &assembled.day {
        let name = if purse.unit() == chat::Unit::Usd { "spent" } else { "spent-tokens" };
        let path = folder.join(name);
        spent::keep(purse, &path).map_err(|source| StartError::Spent { path, source })?;
    }
    let allowances = config.chat.allowances();
    let purses = move |source: std::net::IpAddr| {
        let network = decoy::machine::network_key(source).to_string();
        allowances.of(&decoy::machine::source_key(source).to_string(), &network)
    };
    let (templates, tokens) =
        (config.templates.clone(), (config.chat.chat.prompt_tokens, config.chat.chat.answer_tokens));
    Ok(Mind::new(assembled.service, machine, facts, templates, tokens, Box::new(purses)))
}

pub(super) fn registration_settings(
    config: &crate::config::Registration,
    management_port: u16,
) -> Result<Option<registration::Settings>, RegistrationError> {
    let Some(url) = &config.url else {
        return Ok(None);
    };
    let mut settings = registration::Settings::new(url.as_str(), config.ca.as_deref(), management_port)?;
    settings.registration_key = config.key.as_ref().map(|key| key.reveal().to_owned());
    settings.ip_address = config.ip_address.map(|address| address.to_string());
    Ok(Some(settings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_banner_is_that_of_the_installed_daemon() {
        let identity = Identity::draw(b"banner", SystemTime::UNIX_EPOCH, None, None);
        assert_eq!(ssh::BANNER, format!("SSH-2.0-OpenSSH_{}", identity.openssh));
    }
}
