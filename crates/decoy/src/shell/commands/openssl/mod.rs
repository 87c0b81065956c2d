//! `openssl` (3.0): digests, encodings, random bytes, password hashes, keys and certificates.
//!
//! Lists and usages are recorded facts; what is computed here is what scripts use.

mod blocks;
mod certificates;
mod ciphers;
mod digests;
mod encoding;
mod keys;
pub(super) mod passwords;

use futures::{FutureExt as _, future::BoxFuture};
use rand::RngExt as _;

use super::{Call, Said, accounts::Lines, asking, connections, transfer, usage};
use passwords::Scheme;

/// OpenSSL's own commands that nobody computes here: they ask what every unknown program asks.
pub(super) fn openssl<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        let Some((command, args)) = call.args.split_first() else {
            return recorded(&[]).unwrap_or_default();
        };
        if let Some(said) = recorded(call.args) {
            return said;
        }
        if !is_command(command) {
            return Said::err(format!("Invalid command '{command}'; type \"help\" for a list.\n"), 1);
        }
        if args.iter().any(|arg| arg == "-help" || arg == "--help")
            && let Some(said) = recorded(&[command.clone(), "-help".to_owned()])
        {
            return said;
        }
        if command == "enc" && args.iter().any(|arg| is_sealing(arg)) {
            return Said::err("enc: AEAD ciphers not supported\nenc: Use -help for summary.\n", 1);
        }
        if let Some(said) = refused(command, args) {
            return said;
        }
        match command.as_str() {
            "dgst" => digests::dgst(call, None, args),
            "enc" if let Some(cipher) = given_cipher(args) => ciphers::enc(call, cipher, args).await,
            "base64" | "enc" => encoding::enc(call, command, args),
            "rand" => encoding::rand(call, args),
            "passwd" => password(call, args).await,
            "genrsa" => keys::genrsa(call, args),
            "prime" => keys::prime(args),
            "x509" => certificates::x509(call, args),
            "s_client" => connect(call, args).await,
            "version" => recorded(&["version".to_owned()]).unwrap_or_default(),
            name if let Some(cipher) = ciphers::Cipher::named(name) => ciphers::enc(call, cipher, args).await,
            name if encoding::is_cipher(name) => encoding::enc(call, name, args),
            name if digests::is_known(name) => digests::dgst(call, Some(name), args),
            _ => unknown(call, command, args).await,
        }
    }
    .boxed()
}

/// Whether an option names a cipher that also signs, of which `enc` takes none.
fn is_sealing(arg: &str) -> bool {
    let name = arg.trim_start_matches('-').to_ascii_lowercase();
    name.starts_with("aes-") && (name.ends_with("-gcm") || name.ends_with("-ccm") || name.ends_with("-ocb"))
}

/// The cipher among the options of `enc`.
fn given_cipher(args: &[String]) -> Option<ciphers::Cipher> {
    args.iter().rev().find_map(|arg| ciphers::Cipher::named(arg.strip_prefix('-')?))
}

/// What the real program says to exactly these arguments.
fn recorded(args: &[String]) -> Option<Said> {
    usage::exactly("openssl", &args.join(" "))
}

/// Whether OpenSSL has a command of this name: they stand in its help.
fn is_command(name: &str) -> bool {
    let help = recorded(&[]).unwrap_or_default();
    let text = [help.out, help.err].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines()
        .filter(|line| !line.contains('('))
        .any(|line| line.split_whitespace().any(|word| word == name))
        || digests::is_known(name)
        || ciphers::Cipher::named(name).is_some()
}

/// An option that a command does not know; its help lists those that it does.
fn refused(command: &str, args: &[String]) -> Option<Said> {
    let help = recorded(&[command.to_owned(), "-help".to_owned()])?;
    let help = [help.out, help.err].concat();
    let help = String::from_utf8_lossy(&help).into_owned();
    let known: Vec<(&str, bool)> = help
        .lines()
        .filter_map(|line| {
            let mut words = line.strip_prefix(" -")?.split_whitespace();
            let name = words.next()?;
            // A value stands one blank behind its option, the text further away.
            let rest = line.get(2 + name.len()..)?;
            let valued = rest.starts_with(' ') && !rest.starts_with("  ") && rest.trim().len() > 1;
            Some((name, valued))
        })
        .collect();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let Some(name) = arg.strip_prefix('-').filter(|name| !name.is_empty()) else { break };
        let name = name.strip_prefix('-').unwrap_or(name);
        if name.is_empty() {
            break;
        }
        let (bare, given) = name.split_once('=').map_or((name, None), |(name, value)| (name, Some(value)));
        let complaint = match known.iter().find(|(known, _)| *known == bare) {
            Some((_, true)) if given.is_none() => match args.next() {
                Some(_) => continue,
                None => format!("{command}: Option {arg} needs a value\n"),
            },
            Some(_) => continue,
            None if takes_ciphers(command) || command == "dgst" || digests::is_known(command) => {
                match digests::is_known(bare) || encoding::is_cipher(bare) {
                    true => continue,
                    false => return Some(no_algorithm(command, bare)),
                }
            }
            // Some commands take a digest or a cipher as an option.
            None if known.iter().any(|(known, _)| *known == "*" || known.is_empty()) => continue,
            None => format!("{command}: Unknown option: {arg}\n"),
        };
        return Some(Said::err(format!("{complaint}{command}: Use -help for summary.\n"), 1));
    }
    None
}

fn takes_ciphers(command: &str) -> bool {
    matches!(command, "enc" | "base64") || encoding::is_cipher(command)
}

fn no_algorithm(command: &str, name: &str) -> Said {
    let what = if takes_ciphers(command) { "Unknown cipher" } else { "Unknown option or message digest" };
    let text = format!("{command}: {what}: {name}\n{command}: Use -help for summary.\n");
    Said::err(
        text + &queue(&[&format!(
            "error:0308010C:digital envelope routines:inner_evp_generic_fetch:unsupported:../crypto/evp/evp_fetch.c:386:Global default library context, Algorithm ({name} : 0), Properties (<null>)"
        )]),
        1,
    )
}

/// Lines of the error queue: each begins with the thread's number.
fn queue(lines: &[&str]) -> String {
    let thread = format!(
        "40{:02X}{:06X}7F0000",
        rand::rng().random_range(0..8) * 16 + 7,
        rand::rng().random_range(0..0x0100_0000)
    );
    lines.iter().map(|line| format!("{thread}:{line}\n")).collect()
}

/// A file that cannot be opened, in the words of most commands.
fn cannot_open(path: &str, why: &str) -> Said {
    let (number, word) =
        if why == "No such file or directory" { (2, "no such file") } else { (13, "system lib") };
    let code = if number == 2 { "10000080" } else { "10080002" };
    Said::err(
        format!("Can't open \"{path}\" for reading, {why}\n")
            + &queue(&[
                &format!(
                    "error:{:08X}:system library:BIO_new_file:{why}:../crypto/bio/bss_file.c:67:calling fopen({path}, rb)",
                    0x8000_0000_u32 + number
                ),
                &format!("error:{code}:BIO routines:BIO_new_file:{word}:../crypto/bio/bss_file.c:75:"),
            ]),
        1,
    )
}

/// The value behind an option.
fn value<'a>(args: &'a [String], name: &str) -> Option<&'a str> {
    args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1)).map(String::as_str)
}

fn has(args: &[String], name: &str) -> bool {
    args.iter().any(|arg| arg == name)
}

/// What a command reads: `-in FILE`, or its input.
fn input(call: &Call<'_>, args: &[String]) -> Result<Vec<u8>, Said> {
    match value(args, "-in") {
        Some(file) => call
            .files()
            .read(&call.path(file))
            .map(|bytes| bytes.to_vec())
            .map_err(|error| cannot_open(file, error.errno_text())),
        None => Ok(call.stdin.unwrap_or_default().to_vec()),
    }
}

/// What a command writes: to `-out FILE`, or to its output.
fn output(call: &Call<'_>, args: &[String], bytes: Vec<u8>, mode: u32) -> Said {
    let Some(file) = value(args, "-out") else { return Said::out(bytes) };
    match call.files().write(&call.path(file), &bytes, &call.session.who(), mode) {
        Ok(()) => Said::nothing(0),
        Err(error) => {
            let mut said = cannot_open(file, error.errno_text());
            said.err = String::from_utf8_lossy(&said.err).replacen("for reading", "for writing", 1).into();
            said
        }
    }
}

/// `openssl passwd`.
async fn password(call: &Call<'_>, args: &[String]) -> Said {
    let scheme =
        match args.iter().find(|arg| matches!(arg.as_str(), "-1" | "-5" | "-6" | "-apr1" | "-aixmd5")) {
            Some(arg) if arg == "-5" => Scheme::Sha256,
            Some(arg) if arg == "-6" => Scheme::Sha512,
            Some(arg) if arg == "-apr1" => Scheme::Apache,
            _ => Scheme::Md5,
        };
    let mut given: Vec<String> = Vec::new();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "-salt" | "-in" | "-rand" | "-writerand" | "-provider" => {
                rest.next();
            }
            option if option.starts_with('-') && given.is_empty() => {}
            word => given.push(word.to_owned()),
        }
    }
    let mut said = Said::default();
    if has(args, "-stdin") || has(args, "-in") {
        let text = match input(call, args) {
            Ok(text) => text,
            Err(said) => return said,
        };
        given = String::from_utf8_lossy(&text).lines().take(1000).map(str::to_owned).collect();
    } else if given.is_empty() {
        let text = String::from_utf8_lossy(call.stdin.unwrap_or_default()).into_owned();
        let mut lines = Lines::of(call, &text);
        let Some(first) = lines.answer("Password: ", &mut said).await else {
            said.status = 1;
            return said;
        };
        let Some(second) = lines.answer("Verifying - Password: ", &mut said).await else {
            said.status = 1;
            return said;
        };
        if first != second {
            said.err.extend_from_slice(b"Verify failure\n");
            said.status = 1;
            return said;
        }
        given.push(first);
    }
    let length = if matches!(scheme, Scheme::Md5 | Scheme::Apache) { 8 } else { 16 };
    for word in given.iter().take(1000) {
        let mut random = vec![0; length];
        rand::rng().fill(&mut random[..]);
        let salt = value(args, "-salt").map_or_else(|| passwords::salt(&random), str::to_owned);
        let hash = passwords::hash(scheme, word.as_bytes(), &salt);
        let line = if has(args, "-table") { format!("{word}\t{hash}\n") } else { format!("{hash}\n") };
        said.out.extend(line.bytes());
    }
    said
}

/// `openssl s_client`: nothing leaves the bucket; a host that there is not is not there, and another does not answer.
async fn connect(call: &Call<'_>, args: &[String]) -> Said {
    let target = value(args, "-connect").or(value(args, "-host")).unwrap_or("localhost:4433");
    let target = target.strip_prefix("tcp:").unwrap_or(target);
    let (host, port) = target.rsplit_once(':').unwrap_or((target, value(args, "-port").unwrap_or("4433")));
    let url = transfer::Url::cut(&format!("https://{host}:{port}/"));
    transfer::record(call.session, &format!("https://{host}:{port}/"), "", None);
    let is_own = connections::is_own(call.session, call.identity(), host);
    if !is_own && url.resolved().is_none() {
        transfer::wait(call.session, std::time::Duration::from_millis(30)).await;
        return Said::err(
            queue(&[
                "error:10080002:BIO routines:BIO_lookup_ex:system lib:../crypto/bio/bio_addr.c:746:Name or service not known",
            ]) + "connect:errno=2\n",
            1,
        );
    }
    let (number, why) = if is_own { (111, "Connection refused") } else { (110, "Connection timed out") };
    let pause = if is_own { 1 } else { 20_000 };
    transfer::wait(call.session, std::time::Duration::from_millis(pause)).await;
    Said::err(
        queue(&[
            &format!(
                "error:{:08X}:system library:BIO_connect:{why}:../crypto/bio/bio_sock2.c:117:calling connect()",
                0x8000_0000_u32 + number
            ),
            "error:10000067:BIO routines:BIO_connect:connect error:../crypto/bio/bio_sock2.c:119:",
        ]) + &format!("connect:errno={number}\n"),
        1,
    )
}

/// A command that nobody computes: a file that is not there is told in the store's words, the rest is asked.
async fn unknown(call: &Call<'_>, command: &str, args: &[String]) -> Said {
    if let Some(file) = value(args, "-in").filter(|file| !call.files().exists(&call.path(file))) {
        return match command {
            "pkcs12" | "pkcs7" | "asn1parse" | "pkcs8" | "crl" | "cms" | "smime" => {
                cannot_open(file, "No such file or directory")
            }
            "req" => cannot_load(file, "certificate request", false),
            _ => cannot_load(file, "private key", false),
        };
    }
    if command == "verify"
        && let Some(file) = args.iter().rev().find(|arg| !arg.starts_with('-'))
        && !call.files().exists(&call.path(file))
    {
        return cannot_load(file, "certificate file", true);
    }
    let asked = asking::Asked {
        name: "openssl",
        args: call.args,
        cwd: call.cwd,
        vars: call.vars,
        stdin: call.stdin,
        to_terminal: call.to_terminal,
    };
    asking::ask(call.session, &asked).await
}

/// What the store says of a file that is not there.
fn cannot_load(file: &str, what: &str, unable: bool) -> Said {
    let end = if unable { format!("Unable to load {what}\n") } else { String::new() };
    Said::err(
        format!("Could not open file or uri for loading {what} from {file}\n")
            + &queue(&[
                "error:16000069:STORE routines:ossl_store_get0_loader_int:unregistered scheme:../crypto/store/store_register.c:237:scheme=file",
                &format!(
                    "error:80000002:system library:file_open:No such file or directory:../providers/implementations/storemgmt/file_store.c:268:calling stat({file})"
                ),
            ])
            + &end,
        1,
    )
}
