# Runs inside the throw-away root: what every program says about itself, each record after a byte 1E, its fields parted by 1F.
import os, resource, subprocess, sys, tempfile

# Without arguments these would do something, or take the terminal.
NEVER_BARE = {
    "agetty", "getty", "halt", "init", "kexec", "login", "poweroff", "reboot", "runlevel", "sh", "shutdown", "sulogin",
    "telinit", "yes", "systemd", "sshd", "cron", "rsyslogd", "nginx", "vsftpd", "postfix", "inetutils-inetd", "dash", "bash",
}
ENV = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8",
       "USER": "root", "LOGNAME": "root", "SHELL": "/bin/bash"}
LONGEST = 24_000


def bounded():
    # A program that writes without end is ended.
    resource.setrlimit(resource.RLIMIT_FSIZE, (16 * LONGEST, 16 * LONGEST))


def ask(words):
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=out, stderr=err, timeout=4, cwd="/root",
                                  env=ENV, preexec_fn=bounded)
        except (subprocess.SubprocessError, OSError):
            return None
        said = []
        for stream in (out, err):
            stream.seek(0)
            said.append(stream.read(LONGEST + 1))
    if done.returncode < 0 or len(said[0]) + len(said[1]) > LONGEST:
        return None
    try:
        return said[0].decode(), said[1].decode(), done.returncode
    except UnicodeDecodeError:
        return None


def tell(name, args, said):
    out, err, status = said
    # What names the host is no fact about the program.
    if "web01" in out + err:
        return
    fields = [name, args, out, err, str(status)]
    if not any("\x1e" in field or "\x1f" in field for field in fields):
        sys.stdout.write("\x1e" + "\x1f".join(fields))


names = {}
for folder in ("/usr/sbin", "/usr/bin"):
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK) and os.path.isfile(path):
            names[name] = path
# No program knows these options: how it refuses them holds for every other option that it does not know.
UNKNOWN = ["-\u0040", "--nosuch-option"]
for name in sorted(names):
    if name not in NEVER_BARE:
        for option in UNKNOWN:
            said = ask([name, option])
            if said and said[2] != 0 and said[0] + said[1]:
                tell(name, option, said)
for name in sorted(names):
    for args in (["--help"], ["--version"], ["-h"], ["-V"], ["-v"], []):
        if args == ["-v"] and name in NEVER_BARE | {"cat", "cp"} | set(("apt", "apt-get", "unzip", "perl", "dpkg", "git")):
            continue
        if not args and name in NEVER_BARE:
            continue
        said = ask([name] + args)
        if said is None:
            continue
        text = (said[0] + said[1]).lower()
        if args in (["-V"], ["-v"]) and said == ask([name, "--version"]):
            tell(name, args[0], said)
            continue
        # Bare, only what is a refusal or a usage; `-h` and `-V` may be options with a meaning.
        is_usage = "usage" in text or "try '" in text or "missing" in text
        if args in (["--help"], ["--version"]) and text or is_usage and (said[2] != 0 or args):
            tell(name, " ".join(args), said)
applets = subprocess.run(["busybox", "--list"], capture_output=True).stdout.decode().split()
for name in applets:
    for args in (["--help"], []):
        if not args and name in NEVER_BARE | {"ash", "hush", "cttyhack", "top", "vi", "less", "more"}:
            continue
        said = ask(["busybox", name] + args)
        if said and ("Usage:" in said[0] + said[1] or said[2] != 0 and args == [] and said[1]):
            tell("busybox " + name, " ".join(args), said)
for name, words in (("busybox", ["busybox"]), ("bash-help", ["bash", "-c", "help"])):
    tell(name, "", ask(words))
# What bash tells of each of its own commands.
topics = subprocess.run(["bash", "-c", "compgen -A helptopic"], capture_output=True, env=ENV).stdout.decode().split("\n")
for topic in filter(None, topics):
    said = ask(["bash", "-c", 'help -- "$1"', "bash", topic])
    if said and said[2] == 0:
        tell("bash-help " + topic, "", said)
# Programs whose empty call is a usage that counts as well done, or an error without the usual words.
for name in ("apt", "apt-get", "unzip", "perl", "dpkg", "git"):
    for args in ([], ["-v"]):
        said = ask([name] + args)
        if said:
            tell(name, " ".join(args), said)
# Other questions whose answer is a fact about the program.
OPENSSL = subprocess.run(["openssl", "list", "-1", "-commands"], capture_output=True).stdout.decode().split()
FACTS = [
    *(["openssl", command, "-help"] for command in OPENSSL),
    *(["openssl", "list", kind] for kind in ("-commands", "-digest-commands", "-cipher-commands", "-cipher-algorithms", "-digest-algorithms", "-public-key-algorithms", "-providers", "-engines", "-disabled")),
    ["openssl"], ["openssl", "help"], ["openssl", "version"], ["openssl", "version", "-v"], ["openssl", "version", "-a"], ["openssl", "version", "-b"],
    ["openssl", "version", "-d"], ["openssl", "version", "-p"], ["openssl", "version", "-o"], ["openssl", "version", "-f"], ["openssl", "version", "-e"], ["openssl", "version", "-m"],
    ["openssl", "dgst", "-list"], ["openssl", "enc", "-list"], ["openssl", "enc", "-ciphers"], ["openssl", "ciphers"], ["openssl", "ciphers", "-v"], ["openssl", "ciphers", "-s"],
    ["openssl", "ecparam", "-list_curves"], ["openssl", "engine"],
    ["kill", "-l"], ["kill", "-L"], ["killall", "-l"], ["fuser", "-l"], ["skill", "-l"], ["skill", "-L"], ["snice", "-l"], ["pkill", "-l"],
    *(["ps", "--help", kind] for kind in ("simple", "list", "output", "threads", "misc", "all", "s", "l", "o", "t", "m", "a")), ["ps", "L"],
    *(["ip", kind, "help"] for kind in ("address", "addr", "a", "link", "l", "route", "r", "rule", "neigh", "n", "tunnel", "netns", "maddr", "xfrm", "monitor", "tuntap")), ["ip", "help"], ["ip", "-V"], ["ip", "-h"],
    ["tc", "help"], ["tc", "-V"], ["bridge", "help"], ["ss", "-V"], ["iptables", "-h"], ["iptables", "-V"], ["nft", "-v"], ["nft", "-V"], ["sshd", "-V"], ["ssh", "-V"], ["nginx", "-v"], ["nginx", "-V"],
    ["nginx", "-h"], ["nginx", "-?"], ["perl", "-V:version"], ["python3", "-VV"], ["gcc", "-dumpversion"], ["gcc", "-dumpmachine"], ["gcc", "-v"], ["make", "-v"], ["dpkg", "--print-architecture"], ["dpkg", "--print-foreign-architectures"],
    ["dpkg-architecture", "-qDEB_HOST_ARCH"], ["locale", "-m"], ["locale", "-a"], ["iconv", "-l"], ["vmstat", "-V"], ["top", "-v"], ["getconf", "LONG_BIT"], ["getconf", "PAGE_SIZE"], ["getconf", "GNU_LIBC_VERSION"],
    ["ldd", "--version"], ["tput", "-V"], ["run-parts", "--list", "/etc/cron.daily"], ["visudo", "-c"], ["visudo", "-V"], ["lsattr", "-V"], ["update-rc.d"], ["postconf", "mail_version"], ["postconf", "-m"],
    ["vsftpd", "-v"], ["tmux", "-V"], ["screen", "-v"], ["busybox", "--list"], ["busybox", "--list-full"], ["ping", "-V"], ["useradd", "-D"], ["openssl", "speed", "-help"], ["ssh", "-Q", "cipher"], ["ssh", "-Q", "mac"],
    ["ssh", "-Q", "kex"], ["ssh", "-Q", "key"], ["ssh", "-Q", "help"], ["journalctl", "--version"], ["update-alternatives", "--get-selections"], ["nmap", "-V"], ["socat", "-V"], ["tcpdump", "--version"], ["file", "-v"],
]
for words in FACTS:
    said = ask(words)
    if said and said[0] + said[1]:
        tell(words[0], " ".join(words[1:]), said)
