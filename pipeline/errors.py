"""The one error a user can mend."""


class InputError(Exception):
    """What the user gave cannot be used; the message is the one line they will read.

    It says where (file, key, clip), what was found, what was wanted and how to mend it:
    ``raw_data/emodb: found 533 clips, EMO-DB has 535; copy the corpus again``.
    """
