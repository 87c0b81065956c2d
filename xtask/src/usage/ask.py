# Runs inside the throw-away root: what every program says about itself, each record after a byte 1E, its fields parted by 1F.
import os, subprocess, sys

# Without arguments these would do something, or take the terminal.
NEVER_BARE = {
    "agetty", "getty", "halt", "init", "kexec", "login", "poweroff", "reboot", "runlevel", "sh", "shutdown", "sulogin",
    "telinit", "yes", "systemd", "sshd", "cron", "rsyslogd", "nginx", "vsftpd", "postfix", "inetutils-inetd", "dash", "bash",
}
ENV = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8",
       "USER": "root", "LOGNAME": "root", "SHELL": "/bin/bash"}
LONGEST = 24_000


def ask(words):
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=4, cwd="/root", env=ENV)
    except (subprocess.TimeoutExpired, OSError):
        return None
    if done.returncode < 0 or len(done.stdout) + len(done.stderr) > LONGEST:
        return None
    try:
        return done.stdout.decode(), done.stderr.decode(), done.returncode
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
for name in sorted(names):
    for args in (["--help"], ["--version"], ["-h"], ["-V"], []):
        if not args and name in NEVER_BARE:
            continue
        said = ask([name] + args)
        if said is None:
            continue
        text = (said[0] + said[1]).lower()
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
# Programs whose empty call is a usage that counts as well done, or an error without the usual words.
for name in ("apt", "apt-get", "unzip", "perl", "dpkg", "git"):
    for args in ([], ["-v"]):
        said = ask([name] + args)
        if said:
            tell(name, " ".join(args), said)
