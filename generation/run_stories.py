"""The stories that a run has generated, paired with human stories for each protocol."""

from tqdm import tqdm

from data_reader.errors import InputError
from data_reader.sis_datareader import read_stories, why_unusable
from generation.diversity import diversity
from generation.metrics import METRICS, VIST_ALBUM, VIST_SEQUENCE
from generation.protocols import prepare, score, with_all_references, with_one_reference
from generation.scored_files import in_stories, read_lines
from generation.story_files import read_run


class RunStories:
    """The stories that a run has generated for a split, and the human stories by protocol.

    The story of an album, or of a sequence of photos, is the first one in the stories file.  Human
    stories are uncut and include those that the reader dropped because a photo is missing.

    Raises:
        FileNotFoundError: the stories were not generated, or the annotations are missing.
        InputError: the stories file does not record which photos a story has.
    """

    def __init__(self, run, split, decoding, layout):
        stories = read_run(run, split, decoding, layout)
        self.generated = [story.story for story in stories]
        self.albums = [story.album for story in stories]
        self.sequences = [story.photos for story in stories]
        self.cut = in_stories(read_lines(run.references(split)), len(self.sequences[0]))
        if len(self.cut) != len(stories):
            raise InputError(
                f"{run.path} has {len(stories)} {split} stories, but {run.references(split).name} "
                f"holds {len(self.cut)}; generate them again with: python -m generation "
                f"--run {run.path} --split {split}"
            )
        self.by_album, self.by_sequence = {}, {}
        human = read_stories(layout.annotations(split))
        for story in human:
            if not why_unusable(story, human.photos_per_story):
                text = " ".join(story.texts)
                self.by_album.setdefault(story.album_id, []).append(text)
                self.by_sequence.setdefault(story.photo_ids, []).append(text)

    def scored(self, metrics=METRICS):
        """`{protocol: Scored}`, with a progress bar."""
        of_protocols = self._texts()
        with tqdm(of_protocols.items(), "scoring", unit="protocol", disable=None) as bar:
            prepare({protocol: [texts] for protocol, texts in of_protocols.items()}, metrics)
            return {protocol: score(protocol, texts, metrics) for protocol, texts in bar}

    def _texts(self):
        """`{protocol: Texts}`, the texts grouped by album."""
        sentences, cut_sentences = _sentences(self.generated), _sentences(self.cut)
        of_sentences = [
            album for album, story in zip(self.albums, self.generated, strict=True) for _ in story
        ]
        stories, cut_stories = _stories(self.generated), _stories(self.cut)
        albums, sequences = first_of_each(self.albums), first_of_each(self.sequences)
        return {
            "original-2018-sentence": with_one_reference(sentences, cut_sentences, of_sentences),
            "original-2018-story": with_one_reference(
                stories, cut_stories, self.albums, self.generated
            ),
            VIST_ALBUM: with_all_references(
                {album: stories[place] for album, place in albums.items()},
                self.by_album,
                list(albums),
                self._generated_at(albums.values()),
            ),
            VIST_SEQUENCE: with_all_references(
                {sequence: stories[place] for sequence, place in sequences.items()},
                self.by_sequence,
                [self.albums[place] for place in sequences.values()],
                self._generated_at(sequences.values()),
            ),
        }

    def _generated_at(self, places):
        return [self.generated[place] for place in places]

    def diversity(self):
        """The diversity of one story per sequence of photos, generated and human."""
        places = first_of_each(self.sequences).values()
        return {
            "generated": diversity(self._generated_at(places)),
            "human": diversity([self.cut[place] for place in places]),
        }


def first_of_each(names):
    """`{name: the place where it occurs first}`."""
    first = {}
    for place, name in enumerate(names):
        first.setdefault(name, place)
    return first


def _sentences(stories):
    return [sentence for story in stories for sentence in story]


def _stories(of_sentences):
    return [" ".join(story) for story in of_sentences]
