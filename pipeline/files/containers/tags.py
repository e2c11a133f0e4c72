"""Tags that players write before and after the sound: ID3, APE, Lyrics3."""

ID3V1, APE, LYRICS = 128, 32, 15  # bytes of a tag, of a tag's header or footer, of a tag's end


def before(data: bytes, position: int) -> int:
    """Bytes of the tag that begins at a position, 0 if none does."""
    head = data[position : position + APE]
    if head[:3] == b"ID3" and len(head) >= 10 and max(head[6:10]) < 128:
        size = int.from_bytes(bytes(head[6:10]), "big")
        size = sum((size >> 8 * i & 127) << 7 * i for i in range(4))  # 7 bits a byte
        return 10 + size + (10 if head[5] & 0x10 else 0)
    if head[:8] == b"APETAGEX" and len(head) == APE:
        return APE + int.from_bytes(head[12:16], "little")
    if head[:3] == b"TAG" and len(data) - position >= ID3V1:
        return ID3V1
    return 0


def end(data: bytes) -> int:
    """Where the tags at the end of the data begin."""
    stop = len(data)
    while True:
        if data[:stop][-ID3V1:][:3] == b"TAG" and stop >= ID3V1:
            stop -= ID3V1
        elif data[stop - APE : stop - APE + 8] == b"APETAGEX" and stop >= APE:
            footer = data[stop - APE : stop]
            has_header = footer[23] & 0x80
            size = int.from_bytes(footer[12:16], "little") + (APE if has_header else 0)
            if size > stop:
                return stop
            stop -= size
        elif data[stop - 9 : stop] == b"LYRICS200" and data[stop - LYRICS : stop - 9].isdigit():
            size = int(data[stop - LYRICS : stop - 9]) + LYRICS
            if size > stop:
                return stop
            stop -= size
        else:
            return stop
