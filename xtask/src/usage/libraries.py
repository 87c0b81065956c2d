"""Prints what each program and library of a root is linked with: `PATH[*] NAME NEEDED...`, the star where ld.so starts it."""

import os
import struct
import sys


def linked(path):
    """Own name, needed names, and whether the kernel starts the file with ld.so; None when it is no ELF file for it."""
    data = open(path, "rb").read()
    if data[:6] != b"\x7fELF\x02\x01":
        return None
    first = struct.unpack_from("<Q", data, 32)[0]
    size, count = struct.unpack_from("<HH", data, 54)
    loads, dynamic, starts = [], None, False
    for number in range(count):
        kind, _, offset, address, _, length, _, _ = struct.unpack_from("<IIQQQQQQ", data, first + number * size)
        if kind == 1:
            loads.append((address, offset, length))
        elif kind == 2:
            dynamic = (offset, length)
        elif kind == 3:
            starts = True
    if dynamic is None:
        return None
    entries = [struct.unpack_from("<qQ", data, dynamic[0] + at) for at in range(0, dynamic[1], 16)]
    table = next(value for tag, value in entries if tag == 5)
    place = next(offset + table - address for address, offset, length in loads if address <= table < address + length)

    def text(at):
        return data[place + at : data.index(b"\0", place + at)].decode()

    own = [text(value) for tag, value in entries if tag == 14]
    return own[0] if own else None, [text(value) for tag, value in entries if tag == 1], starts


root = sys.argv[1]
rows = []
for top in ("usr/bin", "usr/sbin", "usr/lib", "usr/lib64"):
    for folder, _, names in os.walk(os.path.join(root, top)):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.islink(path) or not os.path.isfile(path) or "/lib/modules/" in path:
                continue
            try:
                found = linked(path)
            except (StopIteration, ValueError, struct.error):
                continue
            # Plug-ins have no name of their own, and nobody needs them.
            if found is None or found[0] is None and not found[2]:
                continue
            own, needed, starts = found
            rows.append(" ".join(["/" + os.path.relpath(path, root) + "*" * starts, own or "-", *needed]))
print("\n".join(sorted(rows)))
