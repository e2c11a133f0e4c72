import pytest

from pipeline.errors import InputError
from pipeline.protocols import ontology


def test_words_get_their_labels_and_the_rest_takes_no_part():
    words = ["sad", "excited", "calm", "frustrated", "sad"]
    assert ontology.labels("four-1", words) == {"excited": "happy", "sad": "sad"}
    common = {"calm": "neutral", "excited": "happy", "sad": "sad"}
    assert ontology.labels("common-1", words) == common


def test_a_word_that_is_not_in_the_table_is_not_dropped_in_silence():
    message = r"^four-1 does not know 'angryy', 'ire'; did you mean angry\?$"
    with pytest.raises(InputError, match=message):
        ontology.labels("four-1", ["sad", "ire", "angryy"])


@pytest.mark.parametrize("name", ontology.ONTOLOGIES)
def test_ontologies_know_the_same_words_and_keep_their_labels_own_word(name):
    table = ontology.ONTOLOGIES[name]
    assert set(table) == set(ontology.ONTOLOGIES["common-1"])
    for label in set(table.values()) - {None}:
        assert table[label] == label
