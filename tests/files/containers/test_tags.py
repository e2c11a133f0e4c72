"""Tags before and after the sound: how long they are, by their own words."""

import pytest

from pipeline.files.containers import tags
from tests.files.containers.made_up import ID3V1

SOUND = b"sound"


def ape(content, *, header):
    """Make an APE tag: header, if there is one, content and footer."""
    size = (len(content) + 32).to_bytes(4, "little")
    flags = (0x80000000 if header else 0).to_bytes(4, "little")
    footer = b"APETAGEX\xd0\7\0\0" + size + b"\1\0\0\0" + flags + bytes(8)
    return (footer if header else b"") + content + footer


def lyrics(content):
    """Make a Lyrics3 tag: the size of what stands before it, six digits, ends it."""
    return content + b"%06dLYRICS200" % len(content)


@pytest.mark.parametrize(
    ("tag", "size"),
    [
        (b"ID3\4\0\0\0\0\1\5", 10 + 128 + 5),  # seven bits a byte
        (b"ID3\4\0\x10\0\0\0\5", 10 + 5 + 10),  # with a footer
        (b"ID3\4\0\0\0\0\0\x80", 0),  # no such byte is in a size
        (b"ID3\4", 0),
        (ID3V1, 128),
        (ID3V1[:127], 0),
        (ape(b"xyz", header=True), 3 + 64),
        (SOUND, 0),
    ],
    ids="sizes footer byte cut id3v1 short ape none".split(),
)
def test_a_tag_before_the_sound(tag, size):
    assert tags.before(b"12" + tag, 2) == size


@pytest.mark.parametrize("header", [True, False])
def test_tags_after_the_sound_are_left_out_in_any_order(header):
    after = [ID3V1, ape(b"artist", header=header), lyrics(b"la la")]
    assert tags.end(SOUND + b"".join(after)) == tags.end(SOUND + b"".join(after[::-1])) == 5
    assert tags.end(SOUND) == 5 and tags.end(b"") == 0


def test_a_tag_that_says_it_is_longer_than_the_file_is_none():
    footer = ape(b"artist", header=False)[-32:]
    assert tags.end(footer) == 32
    assert tags.end(b"000099LYRICS200") == 15
