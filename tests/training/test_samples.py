import numpy as np
from tiny_model import VOCABULARY

from training.samples import ValidationStories


class Scripted(ValidationStories):
    """Generates "the dog ran the" for each sentence."""

    def __init__(self, human):
        rows = [[VOCABULARY.encode(text) for text in story] for story in human]
        stories = {
            "story_ids": np.arange(len(human)),
            "story_sentences": np.array(rows),
            "image_embeddings": np.zeros((len(human), 2, 3)),
        }
        self._stories, self._vocabulary = stories, VOCABULARY
        self._features = stories["image_embeddings"]

    def _generate(self, image_features):
        return [["the dog ran the"] * 2 for _ in image_features]


def test_empty_human_sentences_are_left_out_of_bleu_and_named_once(capsys):
    stories = Scripted([["the dog ran the", "the dog ran the"], ["", "the dog ran the"]])
    assert stories.bleu() == stories.bleu() == 100
    assert capsys.readouterr().err == (
        "warning: BLEU leaves out the empty sentences of 1 validation stories: 1\n"
    )


def test_without_any_human_sentence_there_is_no_bleu(capsys):
    assert Scripted([["", ""]]).bleu() is None
    assert "1 validation stories: 0" in capsys.readouterr().err
