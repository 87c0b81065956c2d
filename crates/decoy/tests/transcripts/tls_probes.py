"""What a client of TLS can ask of a server, each probe by its name and as text: first messages byte by byte (`tls_hellos.py`), then whole
conversations with OpenSSL's own client. `run(ports)` gives every answer of a site (`https`) and of a mail server (`smtp`), masked (`MASKS`)."""
import concurrent.futures, re, socket, ssl, struct, subprocess, time

from tls_hellos import (EMS, ETM, GROUPS, JARM_CIPHERS, JARM_HELLOS, MODERN, P256, POINTS, PSK_MODES, RENEGOTIATION, SCT, SIGNATURES, STATUS, TICKET, X25519,
                        alpn, extension, groups, handshake, hello, hello_body, ja4s, jarm, jarm_hello, jarm_part, record, shares, show, signatures, sni,
                        thirteen, twelve, u8, u16, versions, words)

HOST = b"web01.lindqvist.example"
# Each mask hides what differs between any two hosts or visits, and nothing else.
MASKS = [
    (r"(?<=Date: )[^\r\\]+", "<date>"), (r"(?<=queued as )[0-9A-F]+", "<queue-id>"),
    (r"(?<=Location: https://)([^:/]+):\d+", r"\1:<port>"),  # where they listen here
    (r"\b[0-9A-F]{16}:error", "<thread>:error"), (r"(?m)^(depth=|verify |Connecting to).*\n", ""),
]
QUIET = 0.3


def mask(text):
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text)
    return text


def read(sock, first=6.0, quiet=QUIET, enough=None):
    """All that comes until nothing did for `quiet` seconds or `enough` says so; how it ended, if it did."""
    data, wait = b"", first
    while not (enough and enough(data)):
        sock.settimeout(wait)
        try:
            got = sock.recv(65536)
        except TimeoutError:
            return data, ""
        except ConnectionResetError:
            return data, "\nreset"
        if not got:
            return data, "\nclosed"
        data, wait = data + got, quiet
    return data, ""


def connect(kind, port):
    """A connection on which TLS may begin."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=10)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if kind == "smtp":
        for line in (b"", b"EHLO probe.example\r\n", b"STARTTLS\r\n"):
            sock.sendall(line)
            said, _ = read(sock, enough=lambda data: re.search(rb"(?m)^\d{3} .*\r\n", data))
        if not said.startswith(b"220"):
            raise OSError(f"no STARTTLS: {said!r}")
    return sock


def ask(kind, port, *pieces, pause=0.05, end=False):
    """The raw answer to raw bytes."""
    with connect(kind, port) as sock:
        for number, piece in enumerate(pieces):
            if number:
                time.sleep(pause)
            try:
                sock.sendall(piece)
            except OSError:
                break
        if end:
            sock.shutdown(socket.SHUT_WR)
        data, ended = read(sock, first=2.0, quiet=QUIET)
    return data, ended


# --- first messages -------------------------------------------------------------------------------------------------

def clients():
    """ClientHellos as well-known clients put them together."""
    grease, host = 0x3a3a, sni(HOST)
    return {
        "chrome": hello([grease, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035],
                        [extension(grease), host, EMS, RENEGOTIATION, groups(grease, 29, 23, 24), POINTS, TICKET, alpn(b"h2", b"http/1.1"), STATUS,
                         signatures(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601), SCT, shares((grease, b"\0"), (29, X25519)), PSK_MODES,
                         versions(grease, 0x0304, 0x0303), extension(27, b"\x02\x00\x02"), extension(grease + 0x1010, b"\0")]),
        "firefox": hello([0x1301, 0x1303, 0x1302, 0xc02b, 0xc02f, 0xcca9, 0xcca8, 0xc02c, 0xc030, 0xc00a, 0xc009, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035],
                         [host, EMS, RENEGOTIATION, groups(29, 23, 24, 25, 256, 257), POINTS, TICKET, alpn(b"h2", b"http/1.1"), STATUS,
                          extension(34, u16(words([0x0403, 0x0503, 0x0603, 0x0203]))), shares((29, X25519), (23, P256)), versions(0x0304, 0x0303),
                          signatures(0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201), PSK_MODES,
                          extension(28, b"\x40\x01")]),
        "curl with OpenSSL 3": thirteen([0x1302, 0x1303, 0x1301, *MODERN[3:]], host, POINTS, TICKET, ETM, EMS, alpn(b"http/1.1"), offered=(0x0304, 0x0303)),
        "Go": hello([0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc009, 0xc013, 0xc00a, 0xc014, 0x1301, 0x1302, 0x1303],
                    [host, STATUS, groups(29, 23, 24, 25), POINTS, signatures(0x0804, 0x0403, 0x0807, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0503, 0x0603),
                     RENEGOTIATION, EMS, SCT, versions(0x0304, 0x0303), shares((29, X25519))]),
        "zgrab": hello([0xc02f, 0xc02b, 0xc011, 0xc007, 0xc013, 0xc009, 0xc014, 0xc00a, 0x0005, 0x002f, 0x0035, 0xc012, 0x000a],
                       [STATUS, groups(23, 24, 25), POINTS, signatures(0x0401, 0x0403, 0x0201, 0x0203), RENEGOTIATION, SCT]),
        "python 3.7": twelve(MODERN[3:], host, RENEGOTIATION), "Java 8": hello([0xc023, 0xc027, 0x003c, 0xc025, 0xc029, 0x0067, 0x0040, 0xc009, 0xc013, 0x002f,
                                                                           0xc02b, 0xc02f, 0x009c, 0x00ff], [groups(23, 24, 25), POINTS,
                                                                           signatures(0x0603, 0x0601, 0x0503, 0x0501, 0x0403, 0x0401, 0x0203, 0x0201), EMS]),
        "masscan": hello([0x009d, 0x009c, 0x003d, 0x003c, 0x0035, 0x002f, 0x000a, 0x0005, 0x0004, 0x00ff], [TICKET, extension(15, b"\x01")], version=0x0302),
        "TLS 1.0 only": hello([0xc014, 0xc013, 0x0039, 0x0033, 0x0035, 0x002f, 0x000a, 0x00ff], [groups(23, 24), POINTS, TICKET], version=0x0301),
    }


def alone():
    """One of everything that can be offered, and nothing beside it."""
    probes = {}
    old = [0x0001, 0x0002, 0x0009, 0x0015, 0x0018, 0x001a, 0x001b, 0x0034, 0x003a, 0x006c, 0x006d, 0x0046, 0x0089, 0x00a6, 0x00a7, 0x00ae, 0x00a8, 0xc015, 0xc016,
           0xc017, 0xc018, 0xc019, 0xccaa, 0xccac, 0xc050, 0xc051, 0xc052, 0xc053, 0xc060, 0xc061, 0xc05c, 0xc05d, 0xc077, 0x0096, 0xc101, 0x0032, 0x5600, 0x00ff]
    for cipher in sorted({cipher for cipher in JARM_CIPHERS + old if cipher >> 8 != 0x13}):
        probes[f"cipher {cipher:04x} of TLS 1.2"] = twelve([cipher])
    for cipher in (0x0005, 0x000a, 0x002f, 0x0033, 0x0034, 0x0035, 0x0039, 0xc013, 0xc014, 0xc018):
        for version in (0x0300, 0x0301, 0x0302):
            probes[f"cipher {cipher:04x} of {version:04x}"] = hello([cipher], [POINTS, groups(29, 23)], version=version)
    for cipher in range(0x1301, 0x1308):
        probes[f"cipher {cipher:04x} of TLS 1.3"] = thirteen([cipher])
    for name, group in GROUPS.items():
        key = {29: X25519, 23: P256}.get(group, bytes([4]) + bytes(range(64)))
        probes[f"group {name} of TLS 1.2"] = twelve([0xc02f, 0xc030], group=[group])
        probes[f"group {name} of TLS 1.3, asked for"] = thirteen(group=[group], share=())
        probes[f"group {name} of TLS 1.3, its key bad or good"] = thirteen(group=[group], share=[(group, key)])
    for scheme in [*SIGNATURES, 0x0203, 0x0101, 0x0402, 0x0904]:
        probes[f"signature {scheme:04x} of TLS 1.2"] = hello([0xc02f], [POINTS, groups(29), signatures(scheme)])
        probes[f"signature {scheme:04x} of TLS 1.3"] = hello([0x1301], [groups(29), signatures(scheme), versions(0x0304), PSK_MODES, shares((29, X25519))])
    for version in (0x0002, 0x0200, 0x0300, 0x0301, 0x0302, 0x0303, 0x0304, 0x0305, 0x0400, 0x7f1c, 0xfeff):
        probes[f"version {version:04x}"] = hello(version=version, extensions=[POINTS, groups(29, 23), signatures(*SIGNATURES)])
        probes[f"version {version:04x} in the extension"] = thirteen([*MODERN], offered=(version,))
        probes[f"version {version:04x} of the record"] = hello(record_version=version, extensions=[POINTS, groups(29, 23), signatures(*SIGNATURES)])
    return probes


def odd():
    """What no honest client sends, or few do."""
    many = [POINTS, groups(29, 23), TICKET, EMS, signatures(*SIGNATURES)]
    plain = handshake(1, hello_body(extensions=many))
    whole, long = record(22, plain), b"x" * 300
    psk = extension(41, u16(u16(b"t" * 32) + bytes(4)) + u16(u8(bytes(32))))
    return {
        "no extensions": hello(extensions=None), "an empty list of extensions": hello(extensions=[]), "no ciphers": hello([], many), "an odd list of ciphers":
        record(22, handshake(1, b"\x03\x03" + bytes(32) + b"\x00" + u16(b"\xc0\x2f\x00") + b"\x01\x00")),
        "signalling values alone": hello([0x00ff], many), "fallback": hello([*MODERN, 0x5600], many), "fallback from 1.1": hello([*MODERN, 0x5600], many, version=0x0302),
        "compression": hello(extensions=many, compression=b"\x01\x00"), "compression alone": hello(extensions=many, compression=b"\x01"),
        "no compression at all": hello(extensions=many, compression=b""), "compression in 1.3": thirteen(compression=b"\x01\x00"),
        "a session of 33 bytes": hello(extensions=many, session=bytes(33)), "a session unknown": hello(extensions=many[:2], session=bytes(range(32))),
        "no session": hello(extensions=many, session=b""), "no session in 1.3": thirteen(session=b""),
        "a ticket of nobody": hello(extensions=[*many[:2], extension(35, long), signatures(*SIGNATURES)]), "a ticket of a byte": hello(extensions=[*many[:2], extension(35, b"t")]),
        "renegotiation begun": hello(extensions=[*many, extension(0xff01, b"\x0cxxxxxxxxxxxx")]), "renegotiation info": hello(extensions=[*many, RENEGOTIATION]),
        "the same extension twice": hello(extensions=[*many, EMS]), "an extension cut off": record(22, handshake(1, hello_body(extensions=many)[:-3])),
        "an extension too long": hello(extensions=[*many, b"\x00\x17\x00\x09x"]), "unknown extensions": hello(extensions=[*many, extension(0x9999, long), extension(0x7777)]),
        "next protocol": hello(extensions=[*many, extension(13172)]), "heartbeat": hello(extensions=[*many, extension(15, b"\x01")]),
        "status asked for": hello(extensions=[*many, STATUS]), "timestamps asked for": hello(extensions=[*many, SCT]), "status bad": hello(extensions=[*many, extension(5, b"\x01\x00")]),
        **{f"fragments of {size}": hello(extensions=[*many, extension(1, bytes([size]))]) for size in (0, 1, 2, 4, 5)}, "fragments in 1.3":
        thirteen((0x1301,), extension(1, b"\x01")), "record size limit": hello(extensions=[*many, extension(28, b"\x02\x00")]),
        "encrypt then mac": hello([0xc027], [*many, ETM]), "no extended secret": hello(extensions=many[:3]), "points of another form": hello(extensions=[extension(11, b"\x01\x01"), *many[1:]]),
        "points of none": hello(extensions=[extension(11, b"\x00"), *many[1:]]), "no points": hello(extensions=many[1:]), "no groups": hello(extensions=[POINTS, *many[2:]]),
        "no groups in 1.3": hello([0x1301], [signatures(*SIGNATURES), versions(0x0304), PSK_MODES, shares((29, X25519))]),
        "no signatures in 1.3": hello([0x1301], [groups(29), versions(0x0304), PSK_MODES, shares((29, X25519))]), "no share in 1.3":
        hello([0x1301], [groups(29), signatures(*SIGNATURES), versions(0x0304)]), "a share not among the groups": thirteen(group=(23,)),
        "two shares": thirteen(share=((23, P256), (29, X25519))), "the same share twice": thirteen(share=((29, X25519), (29, X25519))), "a share of zeros": thirteen(share=((29, bytes(32)),)),
        "a share too short": thirteen(share=((29, b"xx"),)), "a session to take up": thirteen((0x1301,), psk), "a session not at the end": thirteen((0x1301,), psk, EMS),
        "early data": thirteen((0x1301,), extension(42), psk), "early data alone": thirteen((0x1301,), extension(42)), "a cookie": thirteen((0x1301,), extension(44, u16(b"c" * 16))),
        "after the handshake": thirteen((0x1301,), extension(49)), "no modes": hello([0x1301], [groups(29), signatures(*SIGNATURES), versions(0x0304), shares((29, X25519)), psk]),
        "compressed certificates": thirteen((0x1301,), extension(27, b"\x04\x00\x01\x00\x02")), "no cipher of 1.3": thirteen([0xc02f], offered=(0x0304,)),
        "an empty list of versions": hello([0x1301], [groups(29), signatures(*SIGNATURES), extension(43, b"\x00"), shares((29, X25519))]),
        "a version odd": hello([0x1301], [groups(29), signatures(*SIGNATURES), extension(43, b"\x03\x03\x04\x03"), shares((29, X25519))]),
        "name": hello(extensions=[sni(HOST), *many]), "name unknown": hello(extensions=[sni(b"nobody.example"), *many]), "name unknown in 1.3": thirteen((0x1301,), sni(b"nobody.example")),
        "name of an address": hello(extensions=[sni(b"127.0.0.1"), *many]), "name empty": hello(extensions=[sni(b""), *many]), "name with a NUL": hello(extensions=[sni(b"a\0b"), *many]),
        "name with blanks and bytes": hello(extensions=[sni(b"a b\xff/../"), *many]), "name of 300 bytes": hello(extensions=[sni(long), *many]), "name of two kinds":
        hello(extensions=[extension(0, u16(b"\x01" + u16(b"x") + b"\x00" + u16(HOST))), *many]), "name cut off": hello(extensions=[extension(0, b"\x00\x09\x00"), *many]),
        "name with a dot at its end": hello(extensions=[sni(HOST + b"."), *many]), "names, no list": hello(extensions=[extension(0), *many]),
        **{f"protocol {b' '.join(names).decode()}": hello(extensions=[*many, alpn(*names)]) for names in
           ([b"h2"], [b"http/1.1"], [b"http/1.0"], [b"http/0.9"], [b"h2", b"http/1.0", b"http/1.1"], [b"h3"], [b"HTTP/1.1"], [b"smtp"], [b"acme-tls/1"])},
        "protocol h2 in 1.3": thirteen((0x1301,), alpn(b"h2")), "protocol http/1.1 in 1.3": thirteen((0x1301,), alpn(b"http/1.1")), "protocols of none": hello(extensions=[*many, extension(16, b"\0\0")]),
        "protocols broken": hello(extensions=[*many, extension(16, b"\0\x03\x09h2")]), "protocol empty": hello(extensions=[*many, extension(16, b"\0\x01\0")]),
        "in one record each byte": [record(22, bytes([byte])) for byte in plain], "in two records": [record(22, plain[:20]), record(22, plain[20:])],
        "in two pieces": [whole[:3], whole[3:40], whole[40:]], "cut off": [whole[:60]], "and junk": [whole + b"junk junk junk"], "twice": [whole + whole],
        "after an empty record": [record(22, b"") + whole], "after a warning": [record(21, b"\x01\x00") + whole], "after an alert": [record(21, b"\x02\x28") + whole],
        "and change cipher spec": [whole + record(20, b"\x01")], "and data": [whole + record(23, b"GET / HTTP/1.0\r\n\r\n")], "and an alert": [whole + record(21, b"\x02\x28", 0x0303)],
        "and finished": [whole + record(22, handshake(20, bytes(12)), 0x0303)], "and a key exchange of zeros": [whole + record(22, handshake(16, u8(bytes(32))), 0x0303)],
        "and a bad key exchange": [twelve([0x009c]) + record(22, handshake(16, u16(bytes(256))), 0x0303) + record(20, b"\x01", 0x0303) + record(22, bytes(40), 0x0303)],
        "change cipher spec first": [record(20, b"\x01")], "data first": [record(23, b"hello")], "heartbeat first": [record(24, b"\x01\x40\x00")], "finished first":
        [record(22, handshake(20, bytes(12)))], "another message first": [record(22, handshake(11, bytes(6)))], "a hello of the server": [record(22, handshake(2, bytes(40)))],
        "a message of 16 MB": [record(22, b"\x01\xff\xff\xff" + bytes(100))], "a message of 20 KB": [record(22, b"\x01\x00\x50\x00" + bytes(16000))], "a record of 64 KB":
        [b"\x16\x03\x01\xff\xff" + bytes(2000)], "a record of 17 KB": [b"\x16\x03\x01\x44\x00" + bytes(17408)], "a hello of no bytes": [record(22, handshake(1, b""))],
        "a record of a bad version": [b"\x16\x09\x09" + whole[3:]], "zeros": [b"\x16" + bytes(60)], "ones": [b"\x16" + b"\xff" * 60], "text after the first byte": [b"\x16GET / HTTP/1.0\r\n\r\n"],
        "SSL 2": [b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + bytes.fromhex("010080020080030080040080050080060040070 0c0".replace(" ", "")) + bytes(16)],
        "TLS in a hello of SSL 2": [b"\x80\x2b\x01\x03\x03\x00\x12\x00\x00\x00\x10" + bytes.fromhex("00c02f00c03000009c00009d00002f0000ff") + bytes(range(16))],
        "SSL 2 of junk": [b"\x80\x20" + b"\x41" * 32], "a high byte and junk": [b"\xfe\xff" + b"\x41" * 60],
        "cut off and closed": ("end", whole[:60]), "one byte and closed": ("end", b"\x16"), "a hello and closed": ("end", whole), "nothing and closed": ("end", b""),
    }


def plain_text():
    """What speaks no TLS at all, on the site's port."""
    host = b"Host: web01.lindqvist.example\r\n"
    return {name: [text] for name, text in {
        "HTTP": b"GET / HTTP/1.1\r\n" + host + b"\r\n", "HTTP 1.0": b"GET / HTTP/1.0\r\n\r\n", "HTTP 0.9": b"GET /\r\n", "HTTP HEAD": b"HEAD / HTTP/1.1\r\n" + host + b"\r\n",
        "HTTP POST": b"POST /x HTTP/1.1\r\n" + host + b"Content-Length: 3\r\n\r\nabc", "HTTP OPTIONS": b"OPTIONS * HTTP/1.1\r\n" + host + b"\r\n", "HTTP without a host":
        b"GET / HTTP/1.1\r\n\r\n", "HTTP of a bad method": b"get / HTTP/1.1\r\n" + host + b"\r\n", "HTTP junk": b"\x01\x02\x03\r\n\r\n", "HTTP 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "SSH": b"SSH-2.0-OpenSSH_9.2\r\n", "SMTP": b"EHLO x\r\n", "RDP": bytes.fromhex("0300002f2ae00000000000436f6f6b69653a206d737473686173683d6e6d61700d0a0100080003000000"),
        "SOCKS": b"\x05\x01\x00", "JSON": b'{"id": 1, "method": "mining.subscribe"}\n', "lines": b"\r\n\r\n", "a query of a key": b"GET /?a=%16 HTTP/1.1\r\n" + host + b"Connection: close\r\n\r\n",
    }.items()}


# --- whole conversations ---------------------------------------------------------------------------------------------

class Talk:
    """A connection with OpenSSL's client on it; `seen` are the server's records as they crossed the line."""

    def __init__(self, kind, port, newest="TLSv1_3", ciphers=None, names=(), session=None, context=None, host=None):
        self.sock, self.seen, self.ended, self.rest = connect(kind, port), [], "", b""
        self.context = context or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if context is None:
            self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE
            self.context.set_ciphers(ciphers or "DEFAULT:@SECLEVEL=0")
            self.context.minimum_version = ssl.TLSVersion.TLSv1
            self.context.maximum_version = ssl.TLSVersion[newest]
            if names:
                self.context.set_alpn_protocols(names)
        self.into, self.out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = self.context.wrap_bio(self.into, self.out, server_hostname=host, session=session)
        self.step(self.tls.do_handshake)

    def step(self, call, first=6.0):
        """Does what needs the other side, until it is done, or nobody says more."""
        while True:
            try:
                result = call()
                self.push()
                return result
            except ssl.SSLWantReadError:
                self.push()
                if not self.pull(first):
                    return None

    def push(self):
        waiting = self.out.read()
        if waiting:
            self.sock.sendall(waiting)

    def pull(self, first):
        data, self.ended = read(self.sock, first, enough=len)
        self.rest += data
        while len(self.rest) >= 5 and len(self.rest) >= 5 + struct.unpack(">H", self.rest[3:5])[0]:
            size = 5 + struct.unpack(">H", self.rest[3:5])[0]
            self.seen.append(f"{self.rest[0]} {size - 5}")
            self.rest = self.rest[size:]
        self.into.write(data)
        if self.ended and not data:
            self.into.write_eof()
        return bool(data)

    def hear(self, first=6.0):
        """All that is said, until silence or the end; what ended it."""
        data, quiet = b"", first
        while True:
            try:
                got = self.tls.read(65536)
                if not got:
                    return data, "\nclose_notify" + self.close()
                data, quiet = data + got, QUIET
            except ssl.SSLWantReadError:
                self.push()
                if not self.pull(quiet) and not self.ended:
                    return data, ""
            except ssl.SSLError as error:
                return data, f"\n{error.reason}" + self.close()

    def close(self):
        """How the connection itself ended."""
        return self.ended or read(self.sock, 2.0)[1]

    def say(self, data):
        self.tls.write(data)
        self.push()

    def describe(self):
        cipher = self.tls.cipher() or ("none", "none", 0)
        return f"{self.tls.version()} {cipher[0]} protocol {self.tls.selected_alpn_protocol()} reused {self.tls.session_reused}"


def text(data):
    return "".join(chr(byte) if 32 <= byte < 127 or byte == 10 else f"\\x{byte:02x}" if byte != 13 else "" for byte in data)


def talk(kind, port, *said, **options):
    """One conversation: what was agreed, what was answered to each piece, and the records that it came in."""
    finish = options.pop("finish", None)
    try:
        talk = Talk(kind, port, **options)
    except ssl.SSLError as error:
        return f"handshake: {error.reason}"
    out = [talk.describe()]
    begun = len(talk.seen)
    for piece in said:
        talk.say(piece)
        answer, ended = talk.hear()
        out.append(text(answer) + ended)
        if ended:
            break
    else:
        if finish:
            out.append(finish(talk))
    if not any("queued as" in answer for answer in out):  # the length of a queue id is the file system's
        out.append("records " + ", ".join(talk.seen[begun:]))
    talk.sock.close()
    return "\n".join(out)


def notify(talk):
    """The client closes in order."""
    talk.step(lambda: talk.tls.unwrap(), first=2.0)
    return "after close_notify" + talk.close()


def half(talk):
    """The client closes its half of the connection and says nothing."""
    talk.sock.shutdown(socket.SHUT_WR)
    data, ended = talk.hear(2.0)
    return "after FIN " + text(data) + ended


def junk(bytes_):
    def send(talk):
        talk.sock.sendall(bytes_)
        data, ended = talk.hear(2.0)
        return "after junk " + text(data) + ended
    return send


def again(kind, port, newest, times=2, cut=0, **options):
    """Sessions taken up by ticket."""
    request = b"GET / HTTP/1.0\r\n\r\n" if kind == "https" else b"QUIT\r\n"
    first = Talk(kind, port, newest=newest, **options)
    first.say(request)
    first.hear()
    out = [first.describe(), f"ticket {first.tls.session.has_ticket} for {first.tls.session.ticket_lifetime_hint} s, {len(first.tls.session.id)} bytes of id"]
    for _ in range(times):
        next_ = Talk(kind, port, session=first.tls.session, context=first.context)
        handshake_ = list(next_.seen)
        next_.say(request)
        next_.hear()
        out += [next_.describe(), "records " + ", ".join(handshake_), f"ticket for {next_.tls.session.ticket_lifetime_hint} s"]
    return "\n".join(out)


def s_client(kind, port, typed, *flags):
    """What OpenSSL's own program prints."""
    starttls = ["-starttls", "smtp"] if kind == "smtp" else []
    process = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *starttls, *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    for line in typed:
        time.sleep(0.7)
        try:
            process.stdin.write(line)
            process.stdin.flush()
        except BrokenPipeError:
            break
    time.sleep(0.7)
    said = process.communicate(timeout=20)[0].decode("latin-1")
    wanted = re.compile(r"^(RENEG|.*error:|New, |Reused, |Server Temp Key|Peer sign|ALPN|No ALPN|.*lifetime hint|Secure Reneg|.*Extended master|Compression|HTTP/|\d{3} |Shared|.*Max Early|CONNECTED|closed)")
    return "\n".join(line for line in said.split("\n") if wanted.match(line))


def conversations(kind):
    """Of a site, pages; of a mail server, letters."""
    probes = {}
    host = b"Host: web01.lindqvist.example\r\n"
    if kind == "https":
        get = lambda path, *more: b"GET " + path + b" HTTP/1.1\r\n" + host + b"".join(more) + b"\r\n"
        said = {
            "a page": [get(b"/")], "a page and close": [get(b"/", b"Connection: close\r\n")], "three pages": [get(b"/style.css"), get(b"/docs/"), get(b"/none")],
            "pages in one piece": [get(b"/style.css") + get(b"/none") + get(b"/docs/", b"Connection: close\r\n")], "HTTP 1.0": [b"GET / HTTP/1.0\r\n\r\n"],
            "HTTP 0.9": [b"GET /style.css\r\n"], "a head": [b"HEAD / HTTP/1.1\r\n" + host + b"\r\n"], "a folder": [get(b"/docs")], "a bad request": [b"get\r\n\r\n"],
            "no host": [b"GET / HTTP/1.1\r\n\r\n"], "a long line": [b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + host + b"\r\n"], "a large header": [get(b"/", b"X: " + b"y" * 9000 + b"\r\n")],
            "a post": [b"POST / HTTP/1.1\r\n" + host + b"Content-Length: 3\r\n\r\nabc"], "a range": [get(b"/style.css", b"Range: bytes=2-5\r\n")], "a picture": [get(b"/img/logo.png")],
            "expect": [b"PUT /x HTTP/1.1\r\n" + host + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"], "slowly": [b"GET /style.css HTT", b"P/1.1\r\n" + host + b"\r\n"],
            "a preface of HTTP 2": [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], "TLS in TLS": [hello(extensions=[groups(29)])], "gzip": [get(b"/", b"Accept-Encoding: gzip\r\n")],
            "another host": [b"GET / HTTP/1.1\r\nHost: nobody.example\r\n\r\n"], "an absolute address": [b"GET http://web01.lindqvist.example/style.css HTTP/1.1\r\n" + host + b"\r\n"],
        }
        ask_ = get(b"/style.css")
    else:
        said = {
            "ehlo": [b"EHLO probe.example\r\n"], "helo and quit": [b"HELO probe.example\r\n", b"QUIT\r\n"], "at once": [b"EHLO probe.example\r\nMAIL FROM:<a@example.org>\r\nQUIT\r\n"],
            "relaying": [b"EHLO probe.example\r\n", b"MAIL FROM:<a@example.org>\r\n", b"RCPT TO:<b@example.net>\r\n", b"QUIT\r\n"], "STARTTLS again": [b"EHLO x\r\n", b"STARTTLS\r\n", b"QUIT\r\n"],
            "HTTP": [b"GET / HTTP/1.0\r\n\r\n"], "a login": [b"EHLO probe.example\r\n", b"AUTH PLAIN AGRlcGxveQB3cm9uZw==\r\n"], "TLS in TLS": [hello(extensions=[groups(29)])],
            "a letter": [b"EHLO probe.example\r\n", b"MAIL FROM:<a@example.org>\r\n", b"RCPT TO:<root@web01.lindqvist.example>\r\n", b"DATA\r\n", b"Subject: x\r\n\r\nhello\r\n.\r\n", b"QUIT\r\n"],
            "junk": [b"\x01\x02\x03\r\n", b"\r\n"], "nothing said before": [b"MAIL FROM:<a@example.org>\r\n"],
        }
        ask_ = b"EHLO probe.example\r\n"
    for name, pieces in said.items():
        probes[f"talk: {name}"] = lambda port, pieces=pieces: talk(kind, port, *pieces)
    for newest in ("TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3"):
        probes[f"talk in {newest}"] = lambda port, newest=newest: talk(kind, port, ask_, newest=newest)
        probes[f"closed in order, {newest}"] = lambda port, newest=newest: talk(kind, port, ask_, newest=newest, finish=notify)
        probes[f"closed without a word, {newest}"] = lambda port, newest=newest: talk(kind, port, ask_, newest=newest, finish=half)
        for what, sent in {"text": b"GET / HTTP/1.0\r\n\r\n", "a record of zeros": record(23, bytes(40), 0x0303), "an empty record": record(23, b"", 0x0303), "an alert": record(21, b"\x02\x28", 0x0303),
                           "change cipher spec": record(20, b"\x01", 0x0303), "a hello": hello(), "a record too long": b"\x17\x03\x03\xff\xff" + bytes(200)}.items():
            probes[f"then {what}, {newest}"] = lambda port, newest=newest, sent=sent: talk(kind, port, ask_, newest=newest, finish=junk(sent))
    for newest in ("TLSv1_2", "TLSv1_3"):
        probes[f"a session again, {newest}"] = lambda port, newest=newest: again(kind, port, newest)
        probes[f"a session again with a name, {newest}"] = lambda port, newest=newest: again(kind, port, newest, host="nobody.example")
    probes["a session again, CBC"] = lambda port: again(kind, port, "TLSv1_2", ciphers="ECDHE-RSA-AES128-SHA256:@SECLEVEL=0")
    for ciphers in ("AES128-GCM-SHA256", "ECDHE-RSA-AES256-SHA384", "AES256-CCM8", "DHE-RSA-AES128-GCM-SHA256", "ECDHE-ARIA128-GCM-SHA256", "CAMELLIA256-SHA256", "ADH-AES128-SHA256",
                    "AECDH-AES256-SHA", "ECDHE-RSA-CHACHA20-POLY1305:AES128-SHA"):
        probes[f"talk with {ciphers}"] = lambda port, ciphers=ciphers: talk(kind, port, ask_, newest="TLSv1_2", ciphers=ciphers + ":@SECLEVEL=0")
    probes["talk with h2 and http/1.1"] = lambda port: talk(kind, port, ask_, names=["h2", "http/1.1"])
    probes["s_client"] = lambda port: s_client(kind, port, [b"x\r\n"], "-alpn", "http/1.1", "-status")
    probes["s_client renegotiates"] = lambda port: s_client(kind, port, [b"R\n", ask_], "-tls1_2", "-crlf")
    probes["s_client changes its keys"] = lambda port: s_client(kind, port, [b"K\n", ask_], "-tls1_3", "-crlf")
    return probes


def probe_of(kind, sent):
    def probe(port):
        end = isinstance(sent, tuple)
        pieces = sent if isinstance(sent, list) else [sent[1]] if end else [sent]
        data, ended = ask(kind, port, *pieces, pause=0.0 if len(pieces) > 9 else 0.05, end=end)
        return show(data) + ended
    return probe


def probes_of(kind):
    """Every probe of one kind of server by its name."""
    probes = {name: probe_of(kind, sent) for name, sent in (alone() | odd()).items()}
    for name, sent in clients().items():
        probes[f"client {name}"] = probe_of(kind, sent)
        probes[f"JA4S to {name}"] = lambda port, sent=sent: ja4s(ask(kind, port, sent)[0])
    if kind == "https":
        probes |= {f"plain {name}": probe_of(kind, sent) for name, sent in plain_text().items()}

    def whole(port):
        parts = [jarm_part(ask(kind, port, jarm_hello(*fields, HOST))[0]) for fields in JARM_HELLOS]
        return jarm(parts) + "\n" + "\n".join(parts)

    for number, fields in enumerate(JARM_HELLOS):
        probes[f"JARM {number + 1}"] = probe_of(kind, jarm_hello(*fields, HOST))
    probes["JARM"] = whole
    return probes | conversations(kind)


def run(ports, only=lambda name: True):
    """Every probe's masked answer."""
    def of(kind):
        answers = {}
        for name, probe in probes_of(kind).items():
            name = f"{kind} {name}"
            if only(name):
                try:
                    answers[name] = mask(probe(ports[kind]))
                except (OSError, ssl.SSLError, subprocess.TimeoutExpired) as error:
                    answers[name] = f"{type(error).__name__}: {error}"
        return answers

    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        site, mail = threads.map(of, ("https", "smtp"))
    return site | mail


if __name__ == "__main__":
    import json, sys
    for name_, answer in run(json.loads(sys.argv[1]), lambda name: sys.argv[2] in name).items():
        print(f"== {name_}\n{answer}")
