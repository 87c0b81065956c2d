//! What Debian's archive has for visitors: facts about packages that the image lacks, made by `images/catalogue.sh`.

use std::sync::LazyLock;

/// The table, with zstd.
const TABLE: &[u8] = include_bytes!("../../../../images/catalogue.tsv.zst");

/// One package of the archive.
pub(super) struct Offer {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    pub(super) architecture: &'static str,
    /// Size of the archive in bytes.
    pub(super) size: u64,
    /// Installed size in KiB.
    pub(super) installed: u64,
    /// Where it lies below the archive's address.
    pub(super) path: &'static str,
    pub(super) section: &'static str,
    pub(super) description: &'static str,
}

static TEXT: LazyLock<String> = LazyLock::new(|| {
    // The data is our own: if it were damaged, there would be no packages.
    zstd::decode_all(TABLE).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
});

/// What is installed with a package, itself among it; `None` if the archive has no such package.
pub(super) fn bundle(name: &str) -> Option<Vec<&'static str>> {
    let row = TEXT.lines().find(|line| {
        line.strip_prefix("W\t")
            .and_then(|rest| rest.strip_prefix(name))
            .is_some_and(|rest| rest.starts_with('\t'))
    });
    match row {
        Some(row) => Some(row.rsplit('\t').next()?.split(' ').collect()),
        // What comes with others can be had alone.
        None => offer(name).map(|offer| vec![offer.name]),
    }
}

/// One package.
pub(super) fn offer(name: &str) -> Option<Offer> {
    all().find(|offer| offer.name == name)
}

/// All of them.
pub(super) fn all() -> impl Iterator<Item = Offer> {
    TEXT.lines().filter_map(|line| {
        let mut fields = line.strip_prefix("P\t")?.split('\t');
        Some(Offer {
            name: fields.next()?,
            version: fields.next()?,
            architecture: fields.next()?,
            size: fields.next()?.parse().ok()?,
            installed: fields.next()?.parse().ok()?,
            path: fields.next()?,
            section: fields.next()?,
            description: fields.next()?,
        })
    })
}

/// Programs that do not have the name of their package.
pub(super) fn programs(name: &str) -> Vec<&str> {
    match name {
        "python3-pip" => vec!["pip", "pip3"],
        "netcat-traditional" => vec!["nc.traditional"],
        "proxychains4" => vec!["proxychains4", "proxychains"],
        "p7zip-full" => vec!["7z", "7za"],
        "p7zip" => vec!["7zr", "p7zip"],
        "docker.io" => vec!["docker", "dockerd"],
        "golang-go" => vec!["go", "gofmt"],
        "wireguard-tools" => vec!["wg", "wg-quick"],
        "python-is-python3" => vec!["python"],
        "pkg-config" | "pkgconf-bin" => vec!["pkg-config", "pkgconf"],
        "redis-tools" => vec!["redis-cli", "redis-benchmark"],
        "redis-server" => vec!["redis-server"],
        "gcc-12" => vec!["gcc-12", "x86_64-linux-gnu-gcc-12"],
        "gcc" => vec!["gcc", "x86_64-linux-gnu-gcc"],
        "g++" => vec!["g++", "c++"],
        "binutils" => vec![
            "ar", "as", "ld", "nm", "objcopy", "objdump", "ranlib", "readelf", "size", "strings", "strip",
        ],
        "apache2-bin" => vec!["apache2"],
        "apache2-utils" => vec!["ab", "htpasswd"],
        "mariadb-client-core" | "mariadb-client-core-10.11" => vec!["mysql", "mariadb"],
        "mariadb-server-core" | "mariadb-server-core-10.11" => vec!["mysqld", "mariadbd"],
        "php8.2-cli" => vec!["php", "php8.2"],
        "nodejs" => vec!["node", "nodejs"],
        "sysstat" => vec!["iostat", "mpstat", "pidstat", "sar"],
        "telnet" => vec![],
        "msr-tools" => vec!["rdmsr", "wrmsr"],
        "aria2" => vec!["aria2c"],
        "unrar-free" => vec!["unrar-free", "unrar"],
        "screenfetch" => vec!["screenfetch"],
        // Libraries and data have no program.
        name if name.starts_with("lib")
            || name.ends_with("-dev")
            || name.ends_with("-data")
            || name.ends_with("-common") =>
        {
            vec![]
        }
        name => vec![name],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        assert!(all().count() > 200, "{}", all().count());
        let nmap = bundle("nmap").unwrap();
        assert!(nmap.contains(&"nmap") && nmap.contains(&"nmap-common"), "{nmap:?}");
        for name in nmap {
            assert!(offer(name).is_some(), "{name}");
        }
        assert!(bundle("no-such-package").is_none());
    }
}
