//! `rustbucket image build | show`.

use std::{io::Write, path::PathBuf};

use clap::Subcommand;
use decoy::machine::image::{About, Policy};

use super::{ImageFileError, Order, build, load, write};

/// What can be done with images.
#[derive(Subcommand)]
pub enum Verb {
    /// Makes an image of a root file system.
    Build {
        /// A root folder, or a tar file of one as `docker export` makes it.
        #[arg(long, value_name = "DIR|TAR")]
        from: PathBuf,
        /// The image file to write.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
        /// Files of up to this many bytes are kept word for word; of larger ones the ends.
        #[arg(long, value_name = "BYTES", default_value_t = 64 * 1024)]
        contents: u64,
        /// Keeps only text word for word.
        #[arg(long)]
        only_text: bool,
        /// Keeps no content of what is under this path, or ends as `*END` says.
        #[arg(long, value_name = "PATH")]
        without: Vec<String>,
        /// Leaves this path out with everything in it; a last `*` stands for any rest of the name.
        #[arg(long, value_name = "PATH")]
        leave_out: Vec<String>,
        /// What the image says it is.
        #[arg(long, default_value = "")]
        label: String,
        /// Times from here on are shown as times after the machine's installation (seconds since 1970).
        #[arg(long, value_name = "SECONDS", default_value_t = 0)]
        installed: u32,
    },
    /// Says what an image has.
    Show {
        /// An image file, or `debian-12` for the one that is part of the program.
        file: PathBuf,
        /// Every path, as `ls -l` would show it: kind and mode, owner, group, size, time, what is kept of it.
        #[arg(long)]
        list: bool,
    },
}

/// Does it; what is to be said goes to `out`.
pub fn act(verb: &Verb, out: &mut impl Write) -> Result<(), ImageFileError> {
    let told = |source| ImageFileError::Write { path: "standard output".into(), source };
    match verb {
        Verb::Build { from, output, contents, only_text, without, leave_out, label, installed } => {
            let gathered = build(&Order {
                from: from.clone(),
                about: About { label: label.clone(), installed: *installed, kernel: String::new() },
                policy: Policy { most_bytes: *contents, only_text: *only_text, without: without.clone() },
                leave_out: leave_out.clone(),
            })?;
            write(output, &gathered.file)?;
            for path in &gathered.secrets {
                writeln!(out, "left out, holds a private key: {path}").map_err(told)?;
            }
            if gathered.skipped > 0 {
                writeln!(out, "{} names are not UTF-8 and were skipped", gathered.skipped).map_err(told)?;
            }
            summary(output, out)
        }
        Verb::Show { file, list: false } => summary(file, out),
        Verb::Show { file, list: true } => {
            let image = load(file)?;
            for line in image.lines() {
                match writeln!(out, "{line}") {
                    // Whoever reads has seen enough.
                    Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
                    other => other.map_err(told)?,
                }
            }
            Ok(())
        }
    }
}

fn summary(file: &std::path::Path, out: &mut impl Write) -> Result<(), ImageFileError> {
    let image = load(file)?;
    let (about, sizes) = (image.about(), image.sizes());
    let release = image.text("/etc/os-release").unwrap_or_default();
    let system = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or("unknown");
    writeln!(
        out,
        "label     {}\nsystem    {}\nkernel    {}\nnodes     {} ({} files of {} bytes)\n\
         contents  {} files whole, {} bytes kept\nfile      {} bytes\ndigest    {}",
        about.label,
        system.trim_matches('"'),
        if about.kernel.is_empty() { "none" } else { &about.kernel },
        sizes.nodes,
        sizes.files,
        sizes.claimed,
        sizes.whole,
        sizes.stored,
        sizes.packed,
        hex::encode(image.digest())
    )
    .map_err(|source| ImageFileError::Write { path: "standard output".into(), source })
}
