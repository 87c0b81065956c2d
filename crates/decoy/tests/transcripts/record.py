#!/usr/bin/env python3
"""Plays the visitor's lines of each transcript against the real daemon and writes its answers into the file.

Needs root and the Debian packages vsftpd, postfix, sasl2-bin, ssl-cert, nginx, inetutils-telnetd, openssh-server and sshpass. Everything it changes
(users, homes, web root, mail settings, host name) is changed inside mount and UTS namespaces of its own.
"""
import concurrent.futures, json, os, random, re, shutil, signal, socket, subprocess, sys, tempfile, time, traceback

import scanners, ssh_probes, tls_probes

HERE = os.path.dirname(os.path.abspath(__file__))
HOST = "web01.lindqvist.example"
DOMAIN = b"lindqvist.example"
WHEN = 1678785993  # 2023-03-14 09:26:33 UTC, the time of every prepared file
SSH = os.path.normpath(os.path.join(HERE, "../../../sensor/tests/transcripts/ssh.txt"))
QUIET = 0.25
PROMPT = re.compile(rb"(login: |assword: |[$#>] |[\xf0-\xff].)$")
TRANSFERS = (b"LIST", b"NLST", b"RETR", b"STOR", b"APPE", b"STOU")


def escape(data):
    out = []
    for byte in data:
        out.append({13: "\\r", 10: "\\n", 9: "\\t", 92: "\\\\"}.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}"))
    return "".join(out)


def unescape(text):
    table = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"\\": b"\\"}
    swap = lambda m: bytes([int(m[1], 16)]) if m[1] else table[m[2]]
    return re.sub(rb"\\(?:x([0-9a-f]{2})|([rnt\\]))", swap, text.encode("latin-1"))


def lines(mark, data):
    return [f"{mark}: {escape(line)}" for line in re.findall(rb"[^\n]*\n|[^\n]+", data)]


MASKS = {
    "ftp": [(rb"\(\d+,\d+,\d+,\d+,\d+,\d+\)", b"(<port>)"), (rb"\|\|\|\d+\|", b"|||<port>|"),
            (rb"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d", b"<date>"), (rb"Connected to \S+", b"Connected to <peer>"),
            (rb"(?<=drwxr-xr-x) +\d+(?= 0 )", b" <size>")],
    "smtp": [(rb"(?<=queued as )[0-9A-F]+", b"<queue-id>"), (HOST.encode(), b"<host>")],
    "http": [(rb"(?<=\nDate: )[^\r]+", b"<date>"), (rb"(?<=Location: http://)([^:/]+):\d+", rb"\1:<port>")],
    "telnet": [(HOST.encode(), b"<host>"), (b"web01", b"<name>"), (rb"(?<=Last login: )[^\r]+", b"<date>"),
               (rb"(?<=Linux <name> )[^\r]+", b"<kernel>"), (rb"(?<=Linux )\d\S+(?= \()", b"<kernel>"), (rb"pts/\d+", b"<tty>")],
}


def mask(protocol, data):
    for pattern, word in MASKS[protocol]:
        data = re.sub(pattern, word, data)
    return data


def read_quiet(sock, first=6.0, quiet=QUIET, enough=None):
    """All that comes until nothing came for `quiet` seconds or it ends with `enough`; whether the daemon closed."""
    data, wait = b"", first
    while True:
        sock.settimeout(wait)
        try:
            got = sock.recv(65536)
        except (TimeoutError, socket.timeout):
            return data, False
        except ConnectionResetError:
            return data, True
        if not got:
            return data, True
        data, wait = data + got, quiet
        if enough and enough.search(data):
            wait = QUIET


def connect(port):
    """A daemon that forks may refuse for a moment; one that refuses for long is gone."""
    until = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        except (ConnectionRefusedError, TimeoutError) as error:
            if time.monotonic() > until:
                raise Gone(f"port {port} has taken no connection for 20 seconds: {error}") from error
            time.sleep(0.2)


class Gone(Exception):
    """A daemon that no longer answers."""


class Visit:
    """One connection; `domain` is what the other end calls the domain that the probes know."""

    def __init__(self, protocol, port, domain=DOMAIN):
        self.protocol, self.out, self.data, self.domain = protocol, [], None, domain
        self.sock = connect(port)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)  # telnetd sends its data mark as urgent

    def send(self, data):
        self.sock.sendall(data.replace(DOMAIN, self.domain))

    def say(self, data):
        self.out += lines("S", mask(self.protocol, data.replace(self.domain, DOMAIN)))

    def hear(self, **wait):
        if self.protocol == "telnet":
            wait = {"quiet": 4.5, "enough": PROMPT} | wait
        data, closed = read_quiet(self.sock, **wait)
        passive = re.search(rb"227 .*\((?:\d+,){4}(\d+),(\d+)\)", data) or re.search(rb"229 .*\|\|\|(\d+)\|", data)
        if passive:
            numbers = [int(n) for n in passive.groups()]
            port = numbers[0] * 256 + numbers[1] if len(numbers) == 2 else numbers[0]
            self.data = socket.create_connection(("127.0.0.1", port))
        self.say(data)
        if closed:
            self.out.append("X:")
        return closed

    def transfer(self, upload):
        """One data connection: the reply to the command, the data, the last reply."""
        begun, closed = read_quiet(self.sock, quiet=0.3 if upload is not None else 0.1)
        connection, self.data = self.data, None
        if begun.startswith(b"150"):
            if upload is not None:
                connection.sendall(upload)
                connection.shutdown(socket.SHUT_WR)
            else:
                self.out += lines("D", mask("ftp", read_quiet(connection, quiet=2)[0]))
        connection.close()
        if begun.count(b"\n") < 2 and begun.startswith(b"150"):
            begun += read_quiet(self.sock)[0]
        self.say(begun)


def play(kept, protocol, port, domain=DOMAIN):
    """What the daemon at `port` answers to the visitor's lines: the same lines with its own among them."""
    visit, upload, send, out, closed = None, None, b"", [], False
    quiet = [line.split()[2] for line in kept if line.startswith("@ quiet ")]
    patience = {"quiet": float(quiet[0])} if quiet else {}
    patience |= {"first": float(line.split()[2]) for line in kept if line.startswith("@ first ")}
    for line in kept:
        kind, text = line[:2], line[3:]
        if line == "@ again":
            out += visit.out if visit else []
            if visit:
                visit.sock.close()
            visit, upload, send, closed = None, None, b"", False
        if closed:
            continue
        if visit is None and kind in ("C:", "c:", "U:"):
            visit = Visit(protocol, port, domain)
            if protocol != "http":
                visit.hear()
        if visit:
            out, visit.out = out + visit.out + [line], []
        else:
            out.append(line)
        if kind in ("C:", "c:"):
            send += unescape(text)
        elif kind == "U:":
            upload = (upload or b"") + unescape(text)
        if kind == "C:":
            try:
                visit.send(send)
            except OSError:
                closed = True
                continue
            verb, send = send.split()[:1], b""
            if visit.data is not None and verb and verb[0].upper() in TRANSFERS:
                visit.transfer(upload)
                upload = None
            else:
                closed = visit.hear(**patience)
    if visit:
        out += visit.out
        visit.sock.close()
    return out


def visitors_lines(path):
    text = open(path, encoding="latin-1").read()
    return [line for line in text.split("\n") if line[:2] not in ("S:", "D:", "X:")]


def record(path, protocol, port):
    """Lines after a close have nobody to hear them and are left out."""
    out = play(visitors_lines(path), protocol, port)
    open(path, "w", encoding="latin-1").write("\n".join(out).rstrip("\n") + "\n")


# --- the daemons, each on a loopback port of its own -------------------------------------------------------------

def run(*command, **options):
    return subprocess.run(command, check=True, **options)


def free_port():
    """Below the ports that the system gives to connections: none of ours takes it before the daemon does."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    os.chmod(path, mode)


def cover(path, folder):
    """Lays a private copy of a file or folder over the real one, in this mount namespace only."""
    copy = os.path.join(folder, path.strip("/").replace("/", "_"))
    if os.path.isdir(path):
        shutil.copytree(path, copy, symlinks=True)
        for root, folders, files in os.walk(path):
            for name in folders + files + ["."]:
                source = os.path.join(root, name)
                status = os.lstat(source)
                os.chown(os.path.join(copy, os.path.relpath(source, path)), status.st_uid, status.st_gid, follow_symlinks=False)
    else:
        shutil.copy2(path, copy)
    run("mount", "--bind", copy, path)


def add(path, line):
    """Adds an account in place of whoever holds its number."""
    kept = [old for old in open(path).read().splitlines() if ":1000:" not in old and not old.startswith("deploy:")]
    with open(path, "r+") as file:
        file.truncate()
        file.write("\n".join(kept + [line]) + "\n")


def prepare(folder):
    os.chmod(folder, 0o755)
    for path in ("/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/postfix", "/etc/aliases", "/home", "/var/www/html",
                 "/var/spool/postfix", "/var/lib/postfix", "/var/mail", "/var/log", "/etc/hosts", "/etc/hostname"):
        cover(path, folder)
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    os.makedirs("/run/lock")
    write("/run/utmp", b"", 0o664)
    os.makedirs("/var/run/vsftpd/empty", exist_ok=True)
    run("hostname", "web01")
    write("/run/motd.dynamic", run("uname", "-snrvm", capture_output=True).stdout)
    write("/etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 {HOST} web01\n")
    # In place: these files are mount points here, so the tools that rename a new one over them cannot be used.
    secret = run("openssl", "passwd", "-6", "Summer2024", capture_output=True).stdout.decode().strip()
    add("/etc/passwd", "deploy:x:1000:1000:Deploy:/home/deploy:/bin/bash")
    add("/etc/shadow", f"deploy:{secret}:19430:0:99999:7:::")
    add("/etc/group", "deploy:x:1000:")
    web = "/var/www/html"
    write(web + "/style.css", "body { margin: 0 }\n")
    write(web + "/img/logo.png", bytes(range(256)) * 4)
    write(web + "/docs/index.html", "<h1>docs</h1>\n")
    write(web + "/a b.txt", "spaced\n")
    age(web)


def prepare_home():
    """The same home for every transcript."""
    home = "/home/deploy"
    shutil.rmtree(home, ignore_errors=True)
    write(home + "/notes.txt", "first\nsecond\n\n")
    write(home + "/backup/site.tar", bytes(2048))
    age(home)
    for root, folders, files in os.walk(home):
        for name in files + ["."]:
            os.chown(os.path.join(root, name), 1000, 1000)


def age(base):
    for root, folders, files in os.walk(base, topdown=False):
        for name in files + folders + ["."]:
            os.utime(os.path.join(root, name), (WHEN, WHEN))


def start_ftp(folder):
    port = free_port()
    write(folder + "/vsftpd.conf", f"""listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
anonymous_enable=NO
local_enable=YES
write_enable=YES
local_umask=022
dirmessage_enable=YES
use_localtime=YES
xferlog_enable=YES
secure_chroot_dir=/var/run/vsftpd/empty
pam_service_name=vsftpd
ssl_enable=NO
""", 0o600)
    return port, subprocess.Popen(["/usr/sbin/vsftpd", folder + "/vsftpd.conf"])


def start_http(folder, listen=""):
    """`listen` is what the site says beside its own port."""
    port = free_port()
    text = open("/etc/nginx/nginx.conf").read().replace("/run/nginx.pid", folder + "/nginx.pid")
    site = open("/etc/nginx/sites-available/default").read()
    site = re.sub(r"listen 80 default_server", f"listen 127.0.0.1:{port} default_server", site)
    site = re.sub(r"\n\s*listen \[::\]:80[^\n]*", "", site).replace("server_name _;", listen + "server_name _;", 1)
    write(folder + "/site.conf", site)
    text = text.replace("/etc/nginx/sites-enabled/*", folder + "/site.conf")
    text = text.replace("include /etc/nginx/modules-enabled/*.conf;", "daemon off;").replace("worker_processes auto", "worker_processes 1")
    write(folder + "/nginx.conf", text)
    return port, subprocess.Popen(["/usr/sbin/nginx", "-c", folder + "/nginx.conf"])


def make_certificate(path):
    """As make-ssl-cert(8) makes one, for the name that the machine has here."""
    if not os.path.exists(path + ".pem"):
        # What the script does; it writes to /etc/ssl only.
        with open("/usr/share/ssl-cert/ssleay.cnf") as file:
            write(path + ".cnf", file.read().replace("@HostName@", HOST).replace("@SubjectAltName@", "DNS:" + HOST))
        run("openssl", "req", "-config", path + ".cnf", "-new", "-x509", "-days", "3650", "-nodes", "-sha256", "-out", path + ".pem", "-keyout", path + ".key",
            stderr=subprocess.DEVNULL)


def start_smtp(folder):
    port = free_port()
    text = re.sub(r"(?m)^(myhostname|mydestination|mynetworks|inet_interfaces|default_transport|relay_transport|inet_protocols) .*\n", "",
                  open("/etc/postfix/main.cf").read())
    # Loopback must look like the Internet: it is not in mynetworks, so relaying needs a login as it would there.
    text += f"""myhostname = {HOST}
mydestination = $myhostname, lindqvist.example, localhost
mynetworks = 192.0.2.0/24
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
default_transport = discard
relay_transport = discard
smtpd_sasl_auth_enable = yes
smtpd_sasl_path = smtpd
cyrus_sasl_config_path = /etc/postfix/sasl
smtpd_client_connection_rate_limit = 0
"""
    write("/etc/postfix/main.cf", text)
    master = open("/etc/postfix/master.cf").read()
    master = re.sub(r"(?m)^(?:smtp|127\.0\.0\.1:\d+)( +)inet +n +- +[yn]", rf"127.0.0.1:{port}\1inet n - n", master)
    write("/etc/postfix/master.cf", re.sub(r"(?m)^(\S+ +\S+ +\S+ +\S+ +)y", r"\1n", master))
    write("/etc/postfix/sasl/smtpd.conf", "pwcheck_method: auxprop\nauxprop_plugin: sasldb\n"
          f"sasldb_path: {folder}/sasldb2\nmech_list: PLAIN LOGIN\n")
    run("saslpasswd2", "-p", "-c", "-f", folder + "/sasldb2", "-u", HOST, "deploy", input=b"Summer2024")
    os.chmod(folder + "/sasldb2", 0o644)
    run("newaliases")
    make_certificate(folder + "/snakeoil")
    write("/etc/postfix/main.cf", re.sub(r"(?m)^smtpd_tls_(cert|key)_file.*\n", "", open("/etc/postfix/main.cf").read())
          + f"smtpd_tls_cert_file = {folder}/snakeoil.pem\nsmtpd_tls_key_file = {folder}/snakeoil.key\n")
    return port, subprocess.Popen(["/usr/lib/postfix/sbin/master", "-d", "-c", "/etc/postfix"])


def heed_signals():
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGCHLD, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)


def start_telnet(folder):
    """inetd, in short: one telnetd for each connection."""
    listener = socket.create_server(("127.0.0.1", 0))
    child = os.fork()
    if child:
        port = listener.getsockname()[1]
        listener.close()
        return port, child
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        sock, _ = listener.accept()
        # What a shell in the background ignores, login(1) would ignore too; inetd's children ignore nothing.
        subprocess.Popen(["/usr/sbin/telnetd"], stdin=sock.fileno(), stdout=sock.fileno(), stderr=sock.fileno(), preexec_fn=heed_signals)
        sock.close()


def start_ssh(folder):
    """Debian's own settings; keys and port of our own."""
    port = free_port()
    os.makedirs("/run/sshd", exist_ok=True)
    text = f"Port {port}\nListenAddress 127.0.0.1\nPidFile {folder}/sshd.pid\n"
    for kind in ("rsa", "ecdsa", "ed25519"):
        run("ssh-keygen", "-q", "-t", kind, "-N", "", "-f", f"{folder}/key_{kind}")
        text += f"HostKey {folder}/key_{kind}\n"
    text += "KbdInteractiveAuthentication no\nUsePAM yes\nX11Forwarding yes\nPrintMotd no\nAcceptEnv LANG LC_*\nSubsystem sftp /usr/lib/openssh/sftp-server\n"
    write(folder + "/sshd_config", text, 0o600)
    return port, subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", folder + "/sshd_config"], stderr=subprocess.DEVNULL)


def start_tls(folder):
    """nginx on a port of TLS, and Postfix, which speaks it after STARTTLS."""
    make_certificate(folder + "/snakeoil")
    https = free_port()
    _, nginx = start_http(folder, f"listen 127.0.0.1:{https} ssl;\n\tssl_certificate {folder}/snakeoil.pem;\n\tssl_certificate_key {folder}/snakeoil.key;\n\t")
    smtp, postfix = start_smtp(folder)
    return {"https": https, "smtp": smtp}, [nginx, postfix]


STARTS = {"ftp": start_ftp, "smtp": start_smtp, "http": start_http, "telnet": start_telnet, "tls": start_tls, "ssh": start_ssh}


def start(protocol, folder):
    """Starts a daemon and waits until it listens."""
    port, started = STARTS[protocol](folder)
    for each in [port] if isinstance(port, int) else port.values():
        try:
            connect(each).close()
        except Gone as error:
            raise Gone(f"the daemon of {protocol} did not start: {error}; {state(started)}") from error
    return port, started


def state(started):
    """Whether a daemon still runs, in words."""
    for process in [started] if not isinstance(started, list) else started:
        if isinstance(process, int):
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended:
                return f"process {process} ended with {status}"
        elif process.poll() is not None:
            return f"{process.args[0]} ended with {process.returncode}"
    return "it still runs"


def stop(started):
    for process in [started] if not isinstance(started, list) else started:
        pid = process if isinstance(process, int) else process.pid
        try:
            os.kill(pid, signal.SIGTERM)
            os.waitpid(pid, 0) if isinstance(process, int) else process.wait()
        except (ProcessLookupError, ChildProcessError):
            pass  # it has ended by itself, and been waited for


def transcripts(protocol):
    folder = os.path.join(HERE, protocol)
    return sorted(os.path.join(folder, name) for name in os.listdir(folder))


def record_all(folder, wanted):
    for protocol in ("ftp", "smtp", "http", "telnet"):
        paths = [path for path in transcripts(protocol) if not wanted or path in wanted]
        if not paths:
            continue
        port, started = start(protocol, folder)
        try:
            for path in paths:
                prepare_home()
                record(path, protocol, port)
                print(os.path.relpath(path, HERE), flush=True)
        finally:
            stop(started)
    if not wanted or SSH in wanted:
        port, started = start("ssh", folder)
        try:
            prepare_home()
            record_ssh(port)
            print(os.path.relpath(SSH, HERE), flush=True)
        finally:
            stop(started)


def record_ssh(port):
    """The raw probes: what was sent and what sshd said, for the bucket's own tests."""
    out = ["# What sshd answers before the keys; recorded by record.py.", "@ daemon openssh-server 9.2p1"]
    answers = ssh_probes.run(port, only=lambda name: name in ssh_probes.raw_probes())
    for name, pieces in ssh_probes.raw_probes().items():
        out += [f"@ probe {name}"] + [f"C: {escape(piece)}" for piece in pieces]
        out += [f"S: {line}" for line in answers[name].split("\n")]
    os.makedirs(os.path.dirname(SSH), exist_ok=True)
    open(SSH, "w", encoding="latin-1").write("\n".join(out) + "\n")


# --- the real daemons and a bucket, side by side ------------------------------------------------------------------

def answers_of(lines):
    """(What was sent, what was answered) for each of the visitor's lines."""
    pairs, visit = [], 0
    for line in lines:
        if line.startswith(("C:", "@ again")):
            visit += line == "@ again"
            pairs.append((f"{visit} {line}", []))
        elif line[:2] in ("S:", "D:", "X:"):
            if not pairs:
                pairs.append(("greeting", []))
            pairs[-1][1].append(line)
    return [pair for pair in pairs if not pair[0].endswith("@ again")]


def numbered(pairs):
    """Each line with how often it was sent before: one side may have closed where the other heard more."""
    seen = {}
    for key, value in pairs:
        seen[key] = seen.get(key, 0) + 1
        yield (key, seen[key]), value


def both(ask, real, ours):
    """Asks both sides at the same time: most of it is waiting."""
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        return list(threads.map(ask, (real, ours)))


def side_by_side(path, protocol, real, ours):
    """(What was sent, the real answer, ours) for each line of a transcript; a side is its port and its domain."""
    lines, name = visitors_lines(path), os.path.basename(path)
    real, mine = both(lambda side: numbered(answers_of(play(lines, protocol, *side))), real, ours)
    mine = dict(mine)
    return [(f"{name} {key[0]}", "\n".join(value), "\n".join(mine.get(key, ["nothing"]))) for key, value in real]


def prepare_ours(ports):
    """The same home and the same pages on the bucket, whose files nobody can put there but a visitor."""
    web = "/var/www/html"
    logo = "".join(f"\\x{byte:02x}" for byte in range(256))
    script = f"""rm -rf /home/deploy/* /home/deploy/.[a-z]* {web}/*.html {web}/[a-hj-z]* ; mkdir -p /home/deploy/backup {web}/img {web}/docs
printf 'first\\nsecond\\n\\n' > /home/deploy/notes.txt; head -c 2048 /dev/zero > /home/deploy/backup/site.tar; chown -R deploy:deploy /home/deploy; chmod 755 /home/deploy
printf 'body {{ margin: 0 }}\\n' > {web}/style.css; printf '<h1>docs</h1>\\n' > {web}/docs/index.html; printf 'spaced\\n' > '{web}/a b.txt'
printf '{logo}' > /tmp/logo; cat /tmp/logo /tmp/logo /tmp/logo /tmp/logo > {web}/img/logo.png; rm /tmp/logo
touch -d @{WHEN} /home/deploy/notes.txt /home/deploy/backup/site.tar /home/deploy/backup /home/deploy {web}/style.css {web}/docs/index.html {web}/docs "{web}/a b.txt" {web}/img/logo.png {web}/img
"""
    with open(web + "/index.nginx-debian.html", "rb") as file:
        page = file.read().decode()
    script += f"cat > {web}/index.nginx-debian.html <<'END'\n{page}END\ntouch -d @{WHEN} {web}/index.nginx-debian.html {web}\n"
    clients = ssh_probes.Clients(ports["ssh"], "/tmp")
    said = clients.ssh(command=(script + "ls -A /home/deploy",), user="root", password=ssh_probes.PASSWORD)
    if "notes.txt" not in said:
        sys.exit(f"the bucket cannot be prepared: {said}")


def tally(what, pairs):
    """How many of (name, the real answer, ours) are equal, and the others."""
    different = [{"probe": name, "real": wanted, "ours": got} for name, wanted, got in pairs if wanted != got]
    equal = len(pairs) - len(different)
    print(f"{what}: {equal} of {len(pairs)} equal", flush=True)
    return {"equal": equal, "total": len(pairs), "different": different}


def compare(folder, ours, report, protocols):
    """Plays every probe against the real daemon and against the bucket. What fails with one protocol is said in its place."""
    result, reports = {}, []
    said = ssh_probes.Clients(ours["ssh"], "/tmp").ssh(command=("hostname", "-f"), user="root").split("\\n")[0]
    ours["domain"] = said.split(".", 1)[1].encode()
    names = [(HOST, "<host>"), ("web01", "<name>")], [(said, "<host>"), (said.split(".")[0], "<name>")]
    for protocol in protocols or STARTS:
        try:
            result[protocol] = compare_one(folder, protocol, ours, names, reports)
        except Exception as error:
            traceback.print_exc()
            result[protocol] = {"equal": 0, "total": 1, "different": [], "failed": str(error) or type(error).__name__}
            print(f"{protocol}: not played: {error}", flush=True)
    result["scanners"] = tally("scanners", reports)
    with open(report, "w") as file:
        json.dump(result, file, indent=1)


def compare_one(folder, protocol, ours, names, reports):
    port, started = start(protocol, folder)
    try:
        if protocol == "ssh":
            sides = (port, prepare_home), (ours["ssh"], lambda: prepare_ours(ours))
            every = lambda name: True
            real, mine = both(lambda side: ssh_probes.run(*side, every), *sides)
            for _ in range(2):
                again = {name for name in real if real[name] != mine[name]}
                if again:
                    more = both(lambda side: ssh_probes.run(*side, again.__contains__), *sides)
                    real, mine = real | more[0], mine | more[1]
            pairs = [(name, real[name], mine[name]) for name in real]
        elif protocol == "tls":
            prepare_ours(ours)
            real, mine = both(tls_probes.run, port, {"https": ours["https"], "smtp": ours["smtp"]})
            for _ in range(2):
                again = {name for name in real if real[name] != mine[name]}
                if again:
                    more = both(lambda side: tls_probes.run(side, again.__contains__), port, ours)
                    real, mine = real | more[0], mine | more[1]
            pairs = [(name, real[name], mine[name]) for name in real]
        else:
            pairs = []
            for path in transcripts(protocol):
                best = None
                # A machine with much to do answers late, ours and theirs alike: what differs is asked again.
                for _ in range(3):
                    prepare_home()
                    prepare_ours(ours)
                    found = side_by_side(path, protocol, (port, DOMAIN), (ours[protocol], ours["domain"]))
                    differing = sum(real != mine for _, real, mine in found)
                    if best is None or differing < best[0]:
                        best = differing, found
                    if not differing:
                        break
                pairs += best[1]
        for name in ["https", "smtp"] if protocol == "tls" else [protocol]:
            of = port[name] if protocol == "tls" else port
            reports += scanners.compare(name, (of, names[0]), (ours[name], names[1]), tls=protocol == "tls")
        return tally(protocol, pairs)
    except (OSError, Gone) as error:
        raise Gone(f"{error or type(error).__name__}; the real daemon: {state(started)}") from error
    finally:
        stop(started)


def hold(folder, path):
    """Starts every daemon, says in a file where they listen, and keeps them until nobody holds the standard input."""
    prepare_home()
    started = {name: start(name, folder) for name in STARTS if name != "tls"}
    with open(path + ".new", "w") as file:
        json.dump({name: port for name, (port, _) in started.items()}, file)
    os.rename(path + ".new", path)
    sys.stdin.read()
    for _, process in started.values():
        stop(process)


def main():
    """record.py [FILE…] | record.py --against PORTS.json REPORT.json [PROTOCOL…] | record.py --hold PORTS.json"""
    if os.environ.get("RECORD_INSIDE") != "1":
        os.environ["RECORD_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--uts", "--propagation", "private", sys.executable, *sys.argv])
    with tempfile.TemporaryDirectory(prefix="record-") as folder:
        prepare(folder)
        if sys.argv[1:2] == ["--against"]:
            with open(sys.argv[2]) as file:
                compare(folder, json.load(file), os.path.abspath(sys.argv[3]), sys.argv[4:])
        elif sys.argv[1:2] == ["--hold"]:
            hold(folder, os.path.abspath(sys.argv[2]))
        else:
            record_all(folder, [os.path.abspath(path) for path in sys.argv[1:]])
        for path in reversed([line.split()[1] for line in open("/proc/mounts") if folder in line]):
            subprocess.run(["umount", "-l", path], check=False)
        time.sleep(0.2)
        run("sh", "-c", "cd /; umount -l /home /var/log 2>/dev/null; true")


if __name__ == "__main__":
    main()
