"""What a client of SSH can ask of a server, each probe by its name and as text: raw bytes before the keys, OpenSSH's own
clients after them. `run(port, folder)` gives every answer, masked (`MASKS`)."""
import os, re, socket, struct, subprocess, tempfile

USER, PASSWORD = "deploy", "Summer2024"
OFFER = b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10\r\n"
KEX = ("sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com,curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,"
       "ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,"
       "diffie-hellman-group18-sha512,diffie-hellman-group14-sha256").split(",")
CIPHERS = "chacha20-poly1305@openssh.com aes128-ctr aes192-ctr aes256-ctr aes128-gcm@openssh.com aes256-gcm@openssh.com".split()
MACS = ("umac-64-etm umac-128-etm hmac-sha2-256-etm hmac-sha2-512-etm hmac-sha1-etm umac-64 umac-128".split())
MACS = [name + "@openssh.com" for name in MACS] + ["hmac-sha2-256", "hmac-sha2-512", "hmac-sha1"]
KEYS = "rsa-sha2-512 rsa-sha2-256 ecdsa-sha2-nistp256 ssh-ed25519".split()
# Each mask hides what differs between any two hosts or visits, and nothing else.
MASKS = [
    (r"SHA256:[A-Za-z0-9+/]{43}", "<fingerprint>"),  # host keys are a host's own
    (r"port \d+", "port <port>"),  # where the daemons listen here
    (r"\[127\.0\.0\.1\]:\d+", "[127.0.0.1]:<port>"),
    (r"\b[A-Z][a-z]{2} [ \d]\d [ \d:]{5}\b", "<date>"),  # files that a probe has just made
    (r"/tmp/ssh-probes-\w+", "<folder>"),  # the client's own folder
    (r"Transferred: sent .*|Bytes per second: .*", "<traffic>"),  # lengths of padding and of cookies
]


def text(data):
    return "".join(chr(byte) if 32 <= byte < 127 else "\\" + {13: "r", 10: "n\n"}.get(byte, f"x{byte:02x}") for byte in data)


def name_list(names):
    data = ",".join(names).encode()
    return struct.pack(">I", len(data)) + data


def packet(payload, padding=None):
    if padding is None:
        padding = 8 - (len(payload) + 5) % 8
        padding += 8 if padding < 4 else 0
    return struct.pack(">IB", len(payload) + padding + 1, padding) + payload + bytes(padding)


def kexinit(kex=("curve25519-sha256",), keys=KEYS, ciphers=CIPHERS, macs=MACS, compression=("none",), follows=0, languages=(), tail=b""):
    lists = [kex, keys, ciphers, ciphers, macs, macs, compression, compression, languages, languages]
    return packet(b"\x14" + bytes(16) + b"".join(map(name_list, lists)) + bytes([follows]) + bytes(4) + tail)


def show_packets(data):
    """Unencrypted packets in words; what is none of them as it is."""
    out = []
    while data:
        if data.startswith((b"SSH-", b"Invalid", b"Protocol", b"Exceeded", b"Not allowed")) and b"\n" in data:
            line, data = data.split(b"\n", 1)
            out.append(text(line + b"\n").rstrip("\n"))
            continue
        if len(data) < 6:
            return out + [text(data)]
        length, padding = struct.unpack(">IB", data[:5])
        payload, rest = data[5:4 + length - padding], data[4 + length:]
        if length > 40000 or not payload or len(payload) + padding + 1 != length:
            return out + [text(data)]
        kind = payload[0]
        if kind == 20:
            at, lists = 17, []
            for _ in range(10):
                size = struct.unpack(">I", payload[at:at + 4])[0]
                lists.append(payload[at + 4:at + 4 + size].decode())
                at += 4 + size
            out.append("KEXINIT " + " | ".join(lists) + " " + payload[at:].hex())
        elif kind == 1:
            reason, size = struct.unpack(">II", payload[1:9])
            out.append(f"DISCONNECT {reason} {text(payload[9:9 + size])} {payload[9 + size:].hex()}")
        elif kind in (2, 3, 4, 7, 21):
            out.append(f"{kind} {text(payload[1:])}")
        else:
            # Keys and signatures are new each time; their sizes vary by a byte or two.
            out.append(f"MESSAGE {kind}")
        data = rest
    return out


def raw(port, *sends, quiet=0.3):
    """Sends each piece after what came before it; every answer, and whether the server closed."""
    out = []
    with socket.create_connection(("127.0.0.1", port)) as sock:
        for piece in (None,) + sends:
            if piece is not None:
                try:
                    sock.sendall(piece)
                except OSError:
                    out.append("closed")
                    break
            data, wait, closed = b"", 3.0 if piece is None else max(quiet, 0.3), False
            while True:
                sock.settimeout(wait)
                try:
                    got = sock.recv(65536)
                except (TimeoutError, socket.timeout):
                    break
                except ConnectionResetError:
                    closed = True
                    break
                if not got:
                    closed = True
                    break
                data, wait = data + got, quiet
            out += show_packets(data)
            if closed:
                out.append("closed")
                break
    return "\n".join(out)


def raw_probes():
    """The pieces that a client sends, by name."""
    probes = {}
    for line in (b"SSH-2.0-x\r\n", b"SSH-2.0-x\n", b"SSH-2.0-\r\n", b"SSH-2.0\r\n", b"SSH-2.0- \r\n", b"SSH-2.0-x comment more\r\n", b"SSH-1.99-x\r\n",
                 b"SSH-1.5-x\r\n", b"SSH-1.0-x\r\n", b"SSH-3.0-x\r\n", b"SSH-2.1-x\r\n", b"SSH-2.9999-x\r\n", b"SSH-02.0-x\r\n", b"SSH-2.00-x\r\n",
                 b"SSH-1337-OpenSSH_9.0\r\n", b"SSH-9999-Invalid\r\n", b"SSH-2-x\r\n", b"SSH-2.-x\r\n", b"SSH-.0-x\r\n", b"SSH--2.0-x\r\n", b"SSH-2.0x\r\n",
                 b"ssh-2.0-x\r\n", b" SSH-2.0-x\r\n", b"SSH_2.0-x\r\n", b"SSH-2.0-" + b"G" * 200 + b"\r\n", b"SSH-2.0-" + b"G" * 244 + b"\r\n",
                 b"SSH-2.0-" + b"G" * 246 + b"\r\n", b"SSH-2.0-" + b"G" * 260 + b"\r\n", b"SSH-2.0-" + b"G" * 1000 + b"\r\n", b"SSH-2.0-" + b"G" * 9000 + b"\r\n",
                 b"SSH-2.0-\x00\r\n", b"SSH-2.0-x\x00y\r\n", b"SSH-2.0-\xff\xfe\r\n", b"SSH-2.0-x\ry\r\n", b"\r\n", b"\n", b"\r\r\r\r\r\r\r\r", b"\n" * 8,
                 b"SSH-2.0-OpenSSH\n\n\n\n\n\n\n\n\n\n", b"SSH-2.0-x\r\nSSH-2.0-x\r\n", b"SSH-2.0-x\r\n" * 10, b"\x00" * 4, b"\x00" * 300, b"\xff" * 100, b"QUIT\r\n", b"HELP\r\n",
                 b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n", b"EHLO x\r\n", b"USER root\r\n", b"LOGIN root toor\r\n", b"SSH-3.0-HACKNET\r\n", b"SSH-1.5-0p5\x01\x02\r\n",
                 b"{\"a\":1}\r\n", b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n", b"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00", b"OPTIONS * RTSP/1.0\r\n\r\n",
                 b"hello\r\nSSH-2.0-x\r\n", b"\r\nSSH-2.0-x\r\n", b"a\r\n" * 20, b"a" * 255, b"a" * 256 + b"\r\n", b"a" * 9000, b"SSH-2.0-Nmap-SSH2-Hostkey\r\n", b"SSH-1.5-Nmap-SSH1-Hostkey\r\n",
                 b"SSH-1.5-NmapNSE_1.0\n", b"MGLNDD_127.0.0.1_22\n", b"SSH-2.0-Go\r\n", b"SSH-2.0-PuTTY_Release_0.70\r\n", b"SSH-2.0-OpenSSH_3.0\r\n", b"SSH-2.0-Probe-x\r\n", b"SSH-2.0-scanner\r\n"):
        shown = text(line).replace("\n", "")
        probes["identification " + (shown if len(shown) < 60 else f"{shown[:50]} of {len(line)}")] = [line]
    offers = {
        "curve25519": kexinit(), "strict": kexinit(("curve25519-sha256", "kex-strict-c-v00@openssh.com")), "ext-info": kexinit(("curve25519-sha256", "ext-info-c")),
        "no kex": kexinit(("x",)), "no kex at all": kexinit(()), "sha1": kexinit(("diffie-hellman-group14-sha1", "diffie-hellman-group1-sha1")), "no key": kexinit(keys=("x",)), "ssh-rsa": kexinit(keys=("ssh-rsa",)),
        "ssh-dss": kexinit(keys=("ssh-dss",)), "no cipher": kexinit(ciphers=("x",)), "cbc": kexinit(ciphers=("aes128-cbc", "3des-cbc")), "none cipher": kexinit(ciphers=("none",)), "no mac": kexinit(ciphers=("aes128-ctr",), macs=("x",)),
        "md5": kexinit(ciphers=("aes128-ctr",), macs=("hmac-md5",)), "no mac needed": kexinit(ciphers=("aes128-gcm@openssh.com",), macs=("x",)), "no compression": kexinit(compression=("x",)), "zlib": kexinit(compression=("zlib",)),
        "late zlib": kexinit(compression=("zlib@openssh.com",)), "languages": kexinit(languages=("en",)), "tail": kexinit(tail=b"tail"), "long list": kexinit(kex=["x" * 60] * 300 + ["curve25519-sha256"]),
        "many": kexinit(kex=KEX), "short": packet(b"\x14" + bytes(16)), "no cookie": packet(b"\x14"), "bad list": packet(b"\x14" + bytes(16) + b"\x00\x00\xff\xff"), "NUL in a list": kexinit(kex=("curve\0",)), "cert": kexinit(keys=("ssh-ed25519-cert-v01@openssh.com",)),
    }
    for name, offer in offers.items():
        probes["offer " + name] = [OFFER, offer]
    probes["offer together with the line"] = [OFFER + kexinit()]
    strict = kexinit(("curve25519-sha256", "kex-strict-c-v00@openssh.com"))
    init = lambda data, kind=30: packet(bytes([kind]) + struct.pack(">I", len(data)) + data)
    base = b"\x09" + bytes(31)
    for kex, size in (("curve25519-sha256", 32), ("curve25519-sha256@libssh.org", 32)):
        for name, data in (("good", base), ("zero", bytes(32)), ("short", base[:31]), ("long", base + b"x"), ("empty", b"")):
            probes[f"init {kex} {name}"] = [OFFER, kexinit((kex,)), init(data)]
    for kex in ("ecdh-sha2-nistp256", "sntrup761x25519-sha512@openssh.com"):
        for name, data in (("zero", bytes(65)), ("short", b"\x04abc"), ("empty", b""), ("zeros", bytes(1190))):
            probes[f"init {kex} {name}"] = [OFFER, kexinit((kex,)), init(data)]
    for name, data in (("zero", b"\x00"), ("one", b"\x01"), ("empty", b""), ("negative", b"\xff" * 256), ("two", b"\x02")):
        probes[f"init group14 {name}"] = [OFFER, kexinit(("diffie-hellman-group14-sha256",)), init(data)]
    for name, sizes in (("common", (2048, 3072, 8192)), ("small", (512, 512, 512)), ("upside down", (8192, 3072, 2048)), ("huge", (16384, 16384, 16384)), ("exact", (4096, 4096, 4096))):
        probes[f"group exchange {name}"] = [OFFER, kexinit(("diffie-hellman-group-exchange-sha256",)), packet(b"\x22" + struct.pack(">III", *sizes))]
    for name, data in (("DISCONNECT", packet(b"\x01" + struct.pack(">II", 11, 3) + b"bye" + bytes(4))), ("IGNORE", packet(b"\x02" + struct.pack(">I", 1) + b"x")), ("UNIMPLEMENTED", packet(b"\x03" + bytes(4))),
                       ("DEBUG", packet(b"\x04\x01" + struct.pack(">I", 1) + b"x" + bytes(4))), ("SERVICE_REQUEST", packet(b"\x05" + struct.pack(">I", 12) + b"ssh-userauth")), ("EXT_INFO", packet(b"\x07" + bytes(4))), ("NEWKEYS", packet(b"\x15")),
                       ("KEXINIT", kexinit()), ("USERAUTH_REQUEST", packet(b"\x32" + bytes(12))), ("CHANNEL_OPEN", packet(b"\x5a" + bytes(16))), ("number 0", packet(b"\x00")), ("number 9", packet(b"\x09")), ("number 192", packet(b"\xc0")), ("number 255", packet(b"\xff"))):
        probes[f"message {name} first"] = [OFFER, data]
        probes[f"message {name} after the offer"] = [OFFER, kexinit(), data]
        probes[f"message {name} in a strict exchange"] = [OFFER, strict, data]
    for name, data in (("length 0", bytes(16)), ("length 1", struct.pack(">I", 1) + bytes(12)), ("length 5", struct.pack(">I", 5) + bytes(12)), ("length 13", struct.pack(">I", 13) + bytes(20)), ("length 35001", struct.pack(">I", 35001) + bytes(16)),
                       ("length 262144", struct.pack(">I", 262144) + bytes(16)), ("length 262145", struct.pack(">I", 262145) + bytes(16)), ("length 0xffffffff", b"\xff" * 16), ("text", b"\x00\x00\x00\x04\x0ahelp"), ("newlines", b"\n" * 16),
                       ("padding 0", packet(b"\x02" + bytes(10), 0)), ("padding 3", packet(b"\x02" + bytes(7), 3)), ("padding too long", struct.pack(">IB", 12, 200) + bytes(11)), ("no payload", struct.pack(">IB", 12, 11) + bytes(11))):
        probes[f"packet {name}"] = [OFFER, data]
    return probes


class Clients:
    """OpenSSH's own programs as the visitor."""

    def __init__(self, port, folder):
        self.port, self.folder = port, folder

    def options(self, *more):
        common = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "GlobalKnownHostsFile=/dev/null", "PubkeyAuthentication=no", "ConnectTimeout=20", "IdentityFile=/dev/null", "IdentityAgent=none")
        keys = {option.split("=")[0] for option in more}
        return [part for option in [o for o in common if o.split("=")[0] not in keys] + list(more) for part in ("-o", option)]

    def run(self, *command, password=PASSWORD, given=b""):
        command = ["sshpass", "-p", password, *command] if password else list(command)
        done = subprocess.run(command, input=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=90, cwd=self.folder)
        errors = done.stderr.decode("latin-1").replace("\r", "")
        wanted = re.compile(r"^debug1: (kex: |Remote protocol|kex_input_ext_info|Authentications that|compat|rekey|Server host key|Authenticated|Enabling compression|Sending env|Remote: |expecting SSH2_MSG)|^(?!debug|OpenSSH_|Warning: Permanently|Authenticated to|Transferred|Bytes per|Executing|sftp> )", re.M)
        errors = "\n".join(line for line in errors.split("\n") if line and wanted.match(line))
        return f"{text(done.stdout)}\n{errors}\nstatus {done.returncode}"

    def ssh(self, *more, command=("echo", "in"), user=USER, password=PASSWORD, given=b"", flags=()):
        return self.run("ssh", "-v", *flags, *self.options(*more), "-p", str(self.port), f"{user}@127.0.0.1", *command, password=password, given=given)

    def sftp(self, script, *flags):
        path = os.path.join(self.folder, "batch")
        with open(path, "w") as file:
            file.write(script)
        # A batch forbids passwords by itself.
        return self.run("sftp", *flags, *self.options("BatchMode=no"), "-P", str(self.port), "-b", path, f"{USER}@127.0.0.1")

    def scp(self, *flags, source, target):
        return self.run("scp", *flags, *self.options(), "-P", str(self.port), source, target)


def client_probes():
    probes = {}
    for kex in KEX:
        probes[f"kex {kex}"] = lambda c, kex=kex: c.ssh(f"KexAlgorithms={kex}")
    for cipher in CIPHERS:
        probes[f"cipher {cipher}"] = lambda c, cipher=cipher: c.ssh(f"Ciphers={cipher}")
    for mac in MACS:
        probes[f"mac {mac}"] = lambda c, mac=mac: c.ssh(f"MACs={mac}", "Ciphers=aes128-ctr", command=("head", "-c", "100000", "/dev/zero", "|", "wc", "-c"))
    for key in KEYS:
        probes[f"host key {key}"] = lambda c, key=key: c.ssh(f"HostKeyAlgorithms={key}")
    for name, option in (("cbc", "Ciphers=aes128-cbc"), ("3des", "Ciphers=3des-cbc"), ("md5", "MACs=hmac-md5"), ("group1", "KexAlgorithms=diffie-hellman-group1-sha1"), ("group14-sha1", "KexAlgorithms=diffie-hellman-group14-sha1"),
                         ("gex-sha1", "KexAlgorithms=diffie-hellman-group-exchange-sha1"), ("ssh-rsa", "HostKeyAlgorithms=ssh-rsa"), ("p384 key", "HostKeyAlgorithms=ecdsa-sha2-nistp384")):
        probes[f"refused {name}"] = lambda c, option=option: c.ssh(option, "Ciphers=aes128-ctr" if "MACs" in option else "Compression=no")
    probes["compression"] = lambda c: c.ssh("Compression=yes", command=("head", "-c", "100000", "/dev/zero", "|", "wc", "-c"))
    probes["rekey"] = lambda c: c.ssh("RekeyLimit=16K", command=("head", "-c", "200000", "/dev/zero", "|", "wc", "-c"))
    probes["default"] = lambda c: c.ssh()
    for name, user, password in (("wrong", USER, "wrong"), ("unknown", "nobodyhere", "x"), ("root wrong", "root", "wrong"), ("empty", USER, "")):
        probes[f"password {name}"] = lambda c, user=user, password=password: c.ssh("NumberOfPasswordPrompts=1", user=user, password=password or "\n")
    probes["method keyboard-interactive"] = lambda c: c.ssh("PreferredAuthentications=keyboard-interactive")
    probes["method none"] = lambda c: c.ssh("PreferredAuthentications=none", password=None)
    probes["method hostbased"] = lambda c: c.ssh("PreferredAuthentications=hostbased", password=None)
    probes["method gssapi"] = lambda c: c.ssh("PreferredAuthentications=gssapi-with-mic", password=None)

    def keys(c, count):
        for number in range(count):
            path = os.path.join(c.folder, f"key{number}")
            if not os.path.exists(path):
                subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
        return c.run("ssh", "-v", *c.options("PubkeyAuthentication=yes", "IdentitiesOnly=yes", "PreferredAuthentications=publickey,password", "NumberOfPasswordPrompts=1"),
                     *[part for number in range(count) for part in ("-i", os.path.join(c.folder, f"key{number}"))], "-p", str(c.port), f"{USER}@127.0.0.1", "echo in")
    for count in (1, 4, 5, 6, 7):
        probes[f"public keys {count}"] = lambda c, count=count: keys(c, count)
    for name, command in (("true", "true"), ("status", "exit 7"), ("stderr", "echo e >&2"), ("stdin", "cat"), ("kill", "kill -9 $$"), ("term", "kill -TERM $$"), ("large", "head -c 300000 /dev/zero | wc -c"), ("env", "echo $LANG $SSH_TTY $TERM"), ("connection", "echo $SSH_CONNECTION | cut -d' ' -f1,3"),
                          ("no such", "nosuchcmd"), ("tty", "tty"), ("empty", "''")):
        probes[f"exec {name}"] = lambda c, command=command: c.ssh(command=(command,), given=b"given\n")
    probes["exec with a terminal"] = lambda c: c.ssh(command=("tty >/dev/null && stty size && echo $TERM",), flags=("-tt",))
    probes["env refused"] = lambda c: c.ssh("SetEnv=FOO=bar", command=("echo", "[$FOO]"))
    probes["env LANG"] = lambda c: c.ssh("SetEnv=LC_X=bar", command=("echo", "[$LC_X]"))
    probes["subsystem unknown"] = lambda c: c.ssh(command=("nothing",), flags=("-s",))
    probes["forward to a closed port"] = lambda c: c.run("ssh", "-v", *c.options(), "-p", str(c.port), "-W", "127.0.0.1:1", f"{USER}@127.0.0.1")
    probes["reverse forward"] = lambda c: c.ssh("ExitOnForwardFailure=yes", flags=("-R", "127.0.0.1:0:127.0.0.1:9"))
    probes["agent forward"] = lambda c: c.ssh("ForwardAgent=no", command=("echo", "[$SSH_AUTH_SOCK]"))
    probes["no command -N with X11"] = lambda c: c.ssh("ForwardX11=no", command=("echo", "[$DISPLAY]"))
    scripts = {
        "pwd": "pwd", "ls": "ls", "ls -l": "ls -l", "ls -la": "ls -la backup", "ls nothing": "ls nothing", "ls -1": "ls -1 notes.txt", "cd": "cd backup\npwd", "cd nothing": "cd nothing", "cd file": "cd notes.txt", "cd ..": "cd ..\npwd", "get": "get notes.txt got\n!cat got",
        "get nothing": "get nothing", "get folder": "get backup", "get -r": "get -r backup copy\n!ls copy", "put": "!echo hi > up\nput up\nls -l up\nget up got2\n!cat got2", "put -p": "!echo hi > up3\nput -p up3", "put into folder": "!echo hi > up\nput up backup/\nls backup", "put nowhere": "!echo hi > up\nput up nothing/x",
        "put refused": "!echo hi > up\nput up /etc/up", "append": "!echo hi > up5\nput up5\n!echo more >> up5\nput -a up5\nget up5 got5\n!cat got5", "mkdir": "mkdir d\nls -l d\nrmdir d", "mkdir twice": "-mkdir d2\n-mkdir d2\nrmdir d2", "mkdir nowhere": "mkdir nothing/d", "mkdir refused": "mkdir /etc/d", "rmdir nothing": "rmdir nothing",
        "rmdir full": "rmdir backup", "rmdir file": "rmdir notes.txt", "rm": "!echo x > r\nput r\nrm r\nls r", "rm nothing": "rm nothing", "rm folder": "rm backup", "rename": "!echo x > n\nput n\nrename n m\nls m\nrm m", "rename nothing": "rename nothing x", "rename over": "!echo x > n2\nput n2\nput n2 n3\nrename n2 n3\nls n*3\nrm n3",
        "chmod": "chmod 600 notes.txt\nls -l notes.txt\nchmod 644 notes.txt", "chmod nothing": "chmod 600 nothing", "chmod refused": "chmod 600 /etc/passwd", "chown": "chown 0 notes.txt", "chgrp": "chgrp 1000 notes.txt", "ln": "ln notes.txt hard\nls -l hard\nrm hard", "ln -s": "ln -s notes.txt soft\nls -l soft\nget soft got6\n!cat got6\nrm soft",
        "symlink loop": "ln -s loop loop\n-get loop\nrm loop", "df": "-df nothing", "get /etc/shadow": "get /etc/shadow", "get device": "get /dev/null gotnull\n!wc -c < gotnull", "ls /": "ls -d /etc", "ls glob": "ls *.txt", "cd root": "cd /root", "version": "version", "ls file as folder": "ls notes.txt/x", "cp": "cp notes.txt copied\nls copied\nrm copied",
    }
    for name, script in scripts.items():
        probes[f"sftp {name}"] = lambda c, script=script: c.sftp(script + "\n")

    def scp(c, way, *flags, source="notes.txt", local="here", read=()):
        mine = os.path.join(c.folder, local)
        remote = f"{USER}@127.0.0.1:{source}"
        if way == "up":
            with open(mine, "w") as file:
                file.write("carried\n")
            said = c.scp(*flags, source=mine, target=remote)
        else:
            said = c.scp(*flags, source=remote, target=mine)
        if way == "down" and os.path.isfile(mine):
            with open(mine) as file:
                said += "\n" + file.read()
            os.remove(mine)
        for command in read:
            said += "\n" + c.ssh(command=(command,))
        return said
    for old in ((), ("-O",)):
        name = "scp -O" if old else "scp"
        probes[f"{name} down"] = lambda c, old=old: scp(c, "down", *old)
        probes[f"{name} down nothing"] = lambda c, old=old: scp(c, "down", *old, source="nothing")
        probes[f"{name} down folder"] = lambda c, old=old: scp(c, "down", *old, source="backup")
        probes[f"{name} down refused"] = lambda c, old=old: scp(c, "down", *old, source="/etc/shadow")
        probes[f"{name} down -p"] = lambda c, old=old: scp(c, "down", "-p", *old)
        probes[f"{name} down -r"] = lambda c, old=old: scp(c, "down", "-r", *old, source="backup", local=f"tree{len(old)}")
        probes[f"{name} up"] = lambda c, old=old: scp(c, "up", *old, source="carried", read=("cat carried; rm carried",))
        probes[f"{name} up -p"] = lambda c, old=old: scp(c, "up", "-p", *old, source="carried", read=("cat carried; rm carried",))
        probes[f"{name} up folder"] = lambda c, old=old: scp(c, "up", *old, source="backup/", read=("ls backup; rm backup/here",))
        probes[f"{name} up nowhere"] = lambda c, old=old: scp(c, "up", *old, source="nothing/x")
        probes[f"{name} up refused"] = lambda c, old=old: scp(c, "up", *old, source="/etc/x")
        probes[f"{name} up -r"] = lambda c, old=old: scp(c, "up", "-r", *old, source="carried", read=("cat carried; rm -r carried",))
    return probes


def mask(answer):
    for pattern, word in MASKS:
        answer = re.sub(pattern, word, answer)
    return answer


def run(port, reset=lambda: None, only=lambda name: True):
    """Every probe's masked answer; `reset` makes the visitor's home new."""
    answers = {}
    for name, probe in raw_probes().items():
        if only(name):
            answers[name] = mask(raw(port, *probe, quiet=1.5 if name.startswith("group exchange") else 0.3))
    with tempfile.TemporaryDirectory(prefix="ssh-probes-") as folder:
        clients = Clients(port, folder)
        reset()
        for name, probe in client_probes().items():
            if only(name):
                try:
                    answers[name] = mask(probe(clients))
                except (subprocess.TimeoutExpired, OSError) as error:
                    answers[name] = type(error).__name__
    return answers
