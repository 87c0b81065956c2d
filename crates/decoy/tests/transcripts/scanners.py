"""What public scanners print about a port: `nmap -sV -sC` for every protocol, `ssh-audit` for SSH. Each report is masked
(`MASKS`) and compared as a whole: a scanner that prints one line more about ours has told us apart."""
import os, re, shutil, subprocess

# Each mask hides what differs between any two hosts, ports or runs, and nothing else.
MASKS = [
    (r"(?m)^(Starting Nmap|Nmap done|Service detection performed|Host is up|Nmap scan report).*\n", ""),  # when, how fast, where
    (r"(?m)^\d+/tcp +", "<port>/tcp "),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:<port>"),
    (r"(?m)^(\|_?\s+\d+) [0-9a-f]{32}", r"\1 <fingerprint>"),  # host keys are a host's own
    (r"SHA256:[A-Za-z0-9+/]{43}", "<fingerprint>"),
    (r"MD5:([0-9a-f]{2}:){15}[0-9a-f]{2}", "<fingerprint>"),
    (r"(?m)^(\|[\s_]+)(MD5|SHA-1): .*", r"\1\2: <fingerprint>"),
    (r"\d+ connections were created in \d+\.\d+ seconds, or \d+\.\d+ conns/sec", "<rate>"),  # how fast the machine was
    (r"(?m)^(\|.*Not valid (before|after):) .*", r"\1 <date>"),
    (r"(?m)^(\|_?\s*ssl-date:) .*", r"\1 <date>"),  # the clock's skew
    (r"SF-Port\d+-TCP:V=\S+?%I=\d+%D=\d+/\d+%Time=\w+", "SF-Port<port>-TCP:<date>"),
]


# Every script about TLS but one, which offers suites in an order that is another each time and prints what was taken: the
# groups are compared in `tls_probes.py`.
TLS_SCRIPTS = "(ssl-* or sslv2* or tls-*) and not ssl-dh-params"


def mask(report, names):
    """`names` are the host's own: its full name and its short one."""
    # nmap folds what it does not recognise at a fixed width, wherever that is.
    report = report.replace("\nSF:", "")
    for pattern, word in MASKS:
        report = re.sub(pattern, word, report)
    for name, word in names:
        report = report.replace(name, word)
    # nmap prints what its scripts say in the order in which they end.
    head, blocks, tail = [], [], []
    for line in report.strip().split("\n"):
        if re.match(r"\|[ _]\S", line):
            blocks.append([line[2:]])
        elif line.startswith("|") and blocks:
            blocks[-1].append(line[2:])
        else:
            (tail if blocks else head).append(line)
    return "\n".join(head + [line for block in sorted(blocks) for line in block] + tail)


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    return done.stdout.decode("latin-1")


def look(protocol, port, tls):
    """The reports about one port by the scanner's name; none where a scanner is not installed. Of TLS: what every script
    about it says."""
    reports = {}
    if tls and shutil.which("nmap"):
        reports["nmap's TLS scripts"] = run("nmap", "-sV", "--script", TLS_SCRIPTS, "-Pn", "-n", "-p", str(port), "127.0.0.1")
    if (not tls or protocol == "https") and shutil.which("nmap"):
        reports["nmap"] = run("nmap", "-sV", "-sC", "-Pn", "-n", "-p", str(port), "127.0.0.1")
    audit = os.environ.get("SSH_AUDIT") or shutil.which("ssh-audit")
    if protocol == "ssh" and audit:
        reports["ssh-audit"] = run(audit, "--no-colors", "-p", str(port), "127.0.0.1")
    return reports


def compare(protocol, real, ours, tls=False):
    """(Name, the real one's report, ours) of every scanner; a side is its port and the names of its host."""
    said = [{name: mask(report, names) for name, report in look(protocol, port, tls).items()} for port, names in (real, ours)]
    return [(f"{name} on {protocol}", report, said[1][name]) for name, report in said[0].items()]
