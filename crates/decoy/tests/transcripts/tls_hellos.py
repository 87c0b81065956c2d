"""What a client of TLS says first, byte by byte, and what a server answers in words; JARM and JA4S after their published
descriptions."""
import hashlib, struct

ALERTS = {0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 22: "record_overflow", 40: "handshake_failure", 42: "bad_certificate",
          47: "illegal_parameter", 50: "decode_error", 51: "decrypt_error", 70: "protocol_version", 71: "insufficient_security", 80: "internal_error",
          86: "inappropriate_fallback", 100: "no_renegotiation", 109: "missing_extension", 110: "unsupported_extension", 112: "unrecognized_name",
          120: "no_application_protocol"}
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
GROUPS = {"x25519": 29, "secp256r1": 23, "x448": 30, "secp521r1": 25, "secp384r1": 24, "ffdhe2048": 256, "ffdhe3072": 257, "ffdhe4096": 258, "ffdhe6144": 259,
          "ffdhe8192": 260, "secp256k1": 22, "secp224r1": 21, "secp192r1": 19, "sect571r1": 14, "brainpoolP256r1": 26, "brainpoolP384r1": 27,
          "x25519mlkem768": 0x11ec, "x25519kyber768": 0x6399, "grease": 0x2a2a}
SIGNATURES = [0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0809, 0x080a, 0x080b, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0303, 0x0301, 0x0201]
# A point of X25519 that anybody may use: the base point times two is not needed, any 32 bytes are a point.
X25519 = bytes(range(1, 33))
P256 = bytes.fromhex("046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")
MODERN = [0x1302, 0x1303, 0x1301, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc02b, 0xc02f, 0xc024, 0xc028, 0xc023, 0xc027, 0xc00a, 0xc014, 0xc009, 0xc013,
          0x009d, 0x009c, 0x003d, 0x003c, 0x0035, 0x002f, 0x00ff]


def u8(data):
    return bytes([len(data)]) + data


def u16(data):
    return struct.pack(">H", len(data)) + data


def words(numbers):
    return b"".join(struct.pack(">H", number) for number in numbers)


def extension(number, data=b""):
    return struct.pack(">H", number) + u16(data)


def sni(name):
    return extension(0, u16(b"\x00" + u16(name)))


def alpn(*names):
    return extension(16, u16(b"".join(map(u8, names))))


def groups(*numbers):
    return extension(10, u16(words(numbers)))


def signatures(*numbers):
    return extension(13, u16(words(numbers)))


def shares(*pairs):
    return extension(51, u16(b"".join(struct.pack(">H", group) + u16(key) for group, key in pairs)))


def versions(*numbers):
    return extension(43, u8(words(numbers)))


POINTS, TICKET, ETM, EMS, RENEGOTIATION, PSK_MODES = (extension(11, b"\x01\x00"), extension(35), extension(22), extension(23), extension(0xff01, b"\x00"),
                                                     extension(45, b"\x01\x01"))
STATUS, SCT = extension(5, b"\x01\x00\x00\x00\x00"), extension(18)


def hello_body(ciphers=MODERN, extensions=(), version=0x0303, session=bytes(range(32)), compression=b"\x00"):
    body = struct.pack(">H", version) + bytes(range(64, 96)) + u8(session) + u16(words(ciphers)) + u8(compression)
    return body + (u16(b"".join(extensions)) if extensions is not None else b"")


def handshake(kind, body):
    return bytes([kind]) + struct.pack(">I", len(body))[1:] + body


def record(kind, data, version=0x0301):
    return bytes([kind]) + struct.pack(">H", version) + u16(data)


def hello(*args, record_version=0x0301, **fields):
    return record(22, handshake(1, hello_body(*args, **fields)), record_version)


def twelve(ciphers, *more, group=(29, 23, 30, 25, 24), **fields):
    """A client of TLS 1.2 and nothing newer."""
    return hello(ciphers, [POINTS, groups(*group), TICKET, ETM, EMS, signatures(*SIGNATURES), *more], **fields)


def thirteen(ciphers=(0x1302, 0x1303, 0x1301), *more, group=(29, 23, 30, 25, 24, 256, 257), share=((29, X25519),), offered=(0x0304,), **fields):
    """A client of TLS 1.3."""
    return hello(ciphers, [groups(*group), signatures(*SIGNATURES), versions(*offered), PSK_MODES, shares(*share), *more], **fields)


# --- answers in words ----------------------------------------------------------------------------------------------

def records(data):
    """(Kind, version, payload) of each; what is none as it is."""
    while data:
        length = struct.unpack(">H", data[3:5])[0] if len(data) >= 5 else 0
        if len(data) < 5 or not 20 <= data[0] <= 24 or len(data) < 5 + length:
            yield None, 0, data
            return
        yield data[0], struct.unpack(">H", data[1:3])[0], data[5:5 + length]
        data = data[5 + length:]


def server_hello(body):
    """The parts of a ServerHello: version, whether it is a retry, session, cipher, compression, extensions."""
    version, random, size = struct.unpack(">H", body[:2])[0], body[2:34], body[34]
    session, rest = body[35:35 + size], body[35 + size:]
    cipher, compression, rest = struct.unpack(">H", rest[:2])[0], rest[2], rest[5:]
    found = []
    while rest:
        number, length = struct.unpack(">HH", rest[:4])
        found.append((number, rest[4:4 + length]))
        rest = rest[4 + length:]
    return version, random, session, cipher, compression, found


def show_hello(body):
    version, random, session, cipher, compression, found = server_hello(body)
    kind = "retry" if random == RETRY else "hello"
    kind += {b"DOWNGRD\x01": " downgraded from 1.3", b"DOWNGRD\x00": " downgraded from 1.2"}.get(random[24:], "")
    session = "echoed" if session == bytes(range(32)) else str(len(session))
    out = [f"{kind} {version:04x} session {session} cipher {cipher:04x} compression {compression}"]
    for number, data in found:
        # A key is new each time; its group is not.
        shown = f"group {data[:2].hex()} key {len(data) - 4}" if number == 51 and len(data) > 4 else data.hex()
        out.append(f"  extension {number} {shown}".rstrip())
    return out


def show_handshake(kind, body):
    if kind == 2:
        return show_hello(body)
    if kind == 4:
        return [f"ticket for {struct.unpack('>I', body[:4])[0]} s, {len(body) - 6} bytes"]
    if kind == 11:
        return [f"certificates, {len(body)} bytes"]
    if kind == 12 and body[:1] == b"\x03":
        group, size = struct.unpack(">HB", body[1:4])
        rest = body[4 + size:]
        # Before TLS 1.2 only the length stands before a signature.
        old = len(rest) >= 2 and struct.unpack(">H", rest[:2])[0] == len(rest) - 2
        signed = "of old" if old else rest[:4].hex() or "not"
        return [f"key exchange group {group} key {size} signed {signed} in {len(body)} bytes"]
    if kind == 12:
        prime = body[2:2 + struct.unpack(">H", body[:2])[0]]
        return [f"key exchange prime {len(prime) * 8} bits {hashlib.sha256(prime).hexdigest()[:16]}"]
    return [{0: "hello request", 14: "hello done", 13: "certificate request", 22: "status"}.get(kind, f"handshake {kind}") + f", {len(body)} bytes"]


def show(data):
    """What a server sent, line by line."""
    out, waiting = [], b""
    for kind, version, payload in records(data):
        if kind is None:
            out.append("raw " + "".join(chr(byte) if 32 <= byte < 127 or byte == 10 else f"\\x{byte:02x}" for byte in payload))
        elif kind == 21 and len(payload) == 2:
            out.append(f"alert {version:04x} level {payload[0]} {ALERTS.get(payload[1], payload[1])}")
        elif kind == 22:
            waiting += payload
            out.append(f"record {version:04x}")
            while len(waiting) >= 4 and len(waiting) >= 4 + struct.unpack(">I", b"\0" + waiting[1:4])[0]:
                size = struct.unpack(">I", b"\0" + waiting[1:4])[0]
                out += show_handshake(waiting[0], waiting[4:4 + size])
                waiting = waiting[4 + size:]
            if waiting and waiting[0] not in (2, 4, 11, 12, 13, 14, 22):
                out[-1], waiting = f"record {version:04x} sealed {len(payload)} bytes", b""
        else:
            out.append(f"{({20: 'change cipher spec', 23: 'sealed'}).get(kind, kind)} {version:04x} {len(payload)} bytes")
    return "\n".join(out)


def first_hello(data):
    """The parts of the first ServerHello, or None."""
    for kind, version, payload in records(data):
        if kind == 22 and payload[:1] == b"\x02":
            return server_hello(payload[4:4 + struct.unpack(">I", b"\0" + payload[1:4])[0]])
        if kind != 22:
            return None
    return None


def ja4s(data):
    """JA4S of an answer: transport, version, count of extensions, ALPN; cipher; digest of the extensions in order."""
    found = first_hello(data)
    if found is None:
        return "none"
    version, _, _, cipher, _, extensions = found
    kinds = [number for number, _ in extensions]
    for number, value in extensions:
        version = struct.unpack(">H", value)[0] if number == 43 else version
    name = {0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10", 0x0300: "s3"}[version]
    chosen = next((value[3:].decode() for number, value in extensions if number == 16), "")
    chosen = chosen[0] + chosen[-1] if chosen else "00"
    digest = hashlib.sha256(",".join(f"{kind:04x}" for kind in kinds).encode()).hexdigest()[:12]
    return f"t{name}{len(kinds):02}{chosen}_{cipher:04x}_{digest}"


# --- JARM ----------------------------------------------------------------------------------------------------------

JARM_CIPHERS = [int(text, 16) for text in (
    "0016 0033 0067 c09e c0a2 009e 0039 006b c09f c0a3 009f 0045 00be 0088 00c4 009a c008 c009 c023 c0ac c0ae c02b c00a c024 c0ad c0af c02c c072 c073 cca9 "
    "1302 1301 cc14 c007 c012 c013 c027 c02f c014 c028 c030 c060 c061 c076 c077 cca8 1305 1304 1303 cc13 c011 000a 002f 003c c09c c0a0 009c 0035 003d c09d "
    "c0a1 009d 0041 00ba 0084 00c0 0007 0004 0005").split()]
RARE = [b"http/0.9", b"http/1.0", b"spdy/1", b"spdy/2", b"spdy/3", b"h2c", b"hq"]
USUAL = [b"http/0.9", b"http/1.0", b"http/1.1", b"spdy/1", b"spdy/2", b"spdy/3", b"h2", b"h2c", b"hq"]
# Version, ciphers, their order, GREASE, ALPN, the newest version offered in the extension, the order of both lists.
JARM_HELLOS = [
    (0x0303, "all", "forward", False, USUAL, 2, "reverse"), (0x0303, "all", "reverse", False, USUAL, 2, "forward"),
    (0x0303, "all", "top", False, USUAL, 0, "forward"), (0x0303, "all", "bottom", False, RARE, 0, "forward"),
    (0x0303, "all", "middle", True, RARE, 0, "reverse"), (0x0302, "all", "forward", False, USUAL, 0, "forward"),
    (0x0304, "all", "forward", False, USUAL, 3, "reverse"), (0x0304, "all", "reverse", False, USUAL, 3, "forward"),
    (0x0304, "old", "forward", False, USUAL, 3, "forward"), (0x0304, "all", "middle", True, USUAL, 3, "reverse"),
]


def in_order(items, order):
    half, odd = len(items) // 2, len(items) % 2
    if order == "reverse":
        return items[::-1]
    if order == "bottom":
        return items[half + odd:]
    if order == "top":
        return items[half:half + odd] + in_order(items[::-1], "bottom")
    if order == "middle":
        out = [items[half]] if odd else []
        for step in range(1, half + 1):
            out += [items[half + step], items[half - step]] if odd else [items[half - 1 + step], items[half - step]]
        return out
    return items


def jarm_hello(version, ciphers, order, grease, names, newest, lists, host):
    offered = [cipher for cipher in JARM_CIPHERS if ciphers == "all" or cipher >> 8 != 0x13]
    offered = in_order(offered, order)
    extensions = [extension(0x0a0a)] if grease else []
    extensions += [sni(host), EMS, extension(1, b"\x01"), RENEGOTIATION, groups(29, 23, 24, 25), POINTS, TICKET, alpn(*in_order(names, lists)),
                   signatures(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601, 0x0201),
                   shares(*([(0x0a0a, b"\x00")] if grease else []), (29, X25519)), PSK_MODES]
    if version == 0x0304 or newest == 2:
        numbers = in_order([0x0301, 0x0302, 0x0303] + ([0x0304] if newest == 3 else []), lists)
        extensions.append(versions(*([0x0a0a] if grease else []), *numbers))
    return hello(([0x0a0a] if grease else []) + offered, extensions, version=min(version, 0x0303), record_version=version if version < 0x0304 else 0x0301)


def jarm_part(data):
    """`cipher|version|alpn|extensions` of an answer."""
    found = first_hello(data)
    if found is None:
        return "|||"
    version, _, _, cipher, _, extensions = found
    chosen = next((value[3:].decode() for number, value in extensions if number == 16), "")
    return f"{cipher:04x}|{version:04x}|{chosen}|" + "-".join(f"{number:04x}" for number, _ in extensions)


def jarm(parts):
    """The hash of ten answers."""
    if all(part == "|||" for part in parts):
        return "0" * 62
    out, rest, known = "", "", sorted(JARM_CIPHERS, key=lambda cipher: (cipher >> 8 == 0x13, cipher))
    for part in parts:
        cipher, version, chosen, extensions = part.split("|")
        out += f"{known.index(int(cipher, 16)) + 1:02x}" if cipher else "00"
        out += "abcdef"[int(version[3])] if version else "0"
        rest += chosen + extensions
    return out + hashlib.sha256(rest.encode()).hexdigest()[:32]
