//! The numbers of Telnet, their names, and what telnetd makes of each (RFC 854, 855 and those of the options).

pub(in crate::telnet) const IAC: u8 = 255;
pub(in crate::telnet) const DONT: u8 = 254;
pub(in crate::telnet) const DO: u8 = 253;
pub(in crate::telnet) const WONT: u8 = 252;
pub(in crate::telnet) const WILL: u8 = 251;
pub(super) const SB: u8 = 250;
pub(super) const SE: u8 = 240;

pub(in crate::telnet) const BINARY: u8 = 0;
pub(in crate::telnet) const ECHO: u8 = 1;
pub(in crate::telnet) const SGA: u8 = 3;
pub(in crate::telnet) const STATUS: u8 = 5;
pub(in crate::telnet) const TIMING_MARK: u8 = 6;
/// Asked for, it ends the session (RFC 727).
pub(in crate::telnet) const LOGOUT: u8 = 18;
pub(in crate::telnet) const TTYPE: u8 = 24;
pub(in crate::telnet) const NAWS: u8 = 31;
pub(in crate::telnet) const TSPEED: u8 = 32;
pub(in crate::telnet) const LFLOW: u8 = 33;
pub(in crate::telnet) const LINEMODE: u8 = 34;
pub(in crate::telnet) const XDISPLOC: u8 = 35;
pub(in crate::telnet) const OLD_ENVIRON: u8 = 36;
pub(in crate::telnet) const AUTHENTICATION: u8 = 37;
pub(in crate::telnet) const ENCRYPT: u8 = 38;
pub(in crate::telnet) const NEW_ENVIRON: u8 = 39;

/// What Debian's ncurses-base has under /lib/terminfo.
pub(super) const TERMINALS: [&str; 38] = [
    "ansi",
    "cons25",
    "cons25-debian",
    "cygwin",
    "dumb",
    "eterm",
    "eterm-color",
    "hurd",
    "linux",
    "mach",
    "mach-bold",
    "mach-color",
    "mach-gnu",
    "mach-gnu-color",
    "pcansi",
    "rxvt",
    "rxvt-basic",
    "rxvt-unicode",
    "rxvt-unicode-256color",
    "screen",
    "screen-256color",
    "screen-256color-bce",
    "screen-bce",
    "screen-s",
    "screen-w",
    "sun",
    "tmux",
    "tmux-256color",
    "vt100",
    "vt102",
    "vt220",
    "vt52",
    "wsvt25",
    "wsvt25m",
    "xterm",
    "xterm-256color",
    "xterm-color",
    "xterm-mono",
];

/// Options that telnetd likes the client to use.
pub(super) fn is_wanted(option: u8) -> bool {
    matches!(
        option,
        BINARY
            | SGA
            | TTYPE
            | NAWS
            | TSPEED
            | LFLOW
            | LINEMODE
            | XDISPLOC
            | OLD_ENVIRON
            | NEW_ENVIRON
            | TIMING_MARK
            | AUTHENTICATION
            | ENCRYPT
    )
}

/// Options that telnetd uses itself when asked.
pub(super) fn is_offered(option: u8) -> bool {
    matches!(option, BINARY | ECHO | SGA | STATUS | TIMING_MARK | LOGOUT)
}

pub(super) fn verb_name(verb: u8) -> &'static str {
    match verb {
        WILL => "WILL",
        WONT => "WONT",
        DO => "DO",
        _ => "DONT",
    }
}

pub(super) fn command_name(command: u8) -> &'static str {
    match command {
        236 => "EOF",
        237 => "SUSP",
        238 => "ABORT",
        239 => "EOR",
        240 => "SE",
        241 => "NOP",
        242 => "DM",
        243 => "BRK",
        244 => "IP",
        245 => "AO",
        246 => "AYT",
        247 => "EC",
        248 => "EL",
        249 => "GA",
        _ => "UNKNOWN",
    }
}
