import pytest

from data_reader.errors import InputError
from data_reader.files import write_json
from data_reader.layout import DataLayout
from generation.fact_recall import GeneratedStory, fact_recall, named_values, read_facts

WORDINGS = {
    "event": {"beach": ["beach"], "snow": ["snow day"]},
    "weather": {"sunny": ["sunny", "sunshine"], "rainy": ["rainy", "rain"]},
    "clothes": {"red": ["in red", "red shirt"], "blue": ["in blue", "blue shirt"]},
    "keepsake": {"red kite": ["red kite"], "blue kite": ["blue kite"]},
}


def test_wordings_are_whole_words():
    assert named_values("the train in the rain", WORDINGS["weather"]) == {"rainy"}
    assert named_values("the train .", WORDINGS["weather"]) == set()
    assert named_values("sunny rain", WORDINGS["weather"]) == {"sunny", "rainy"}


def story(album, text, **facts):
    return GeneratedStory(album, text, facts)


def test_recall_of_two_albums_by_hand():
    stories = [
        story("1", "a sunny beach in red .", event="beach", weather="sunny", clothes="red"),
        # Right weather, but a rival is named too; the keepsake is right.
        story(
            "2",
            "rain and sunshine , a snow day with a red kite .",
            event="snow",
            weather="rainy",
            clothes="blue",
            keepsake="red kite",
        ),
    ]
    recall = fact_recall(stories, WORDINGS)
    shares = {fact: (row["own"], row["other"], row["facts"]) for fact, row in recall.items()}
    assert shares == {
        "event": (100.0, 0.0, 2),
        "weather": (50.0, 0.0, 2),
        "clothes": (50.0, 0.0, 2),
        "keepsake": (100.0, 0.0, 1),
        "all": (60.0, 0.0, 5),
    }
    # Two albums drawn: both right, one of each, or both wrong.
    assert recall["weather"]["intervals"]["own"] == [0.0, 100.0]
    assert recall["event"]["intervals"]["difference"] == [100.0, 100.0]


def test_intervals_are_over_albums():
    def interval(albums, stories_of_each):
        stories = [
            story(str(album), "sunny" if album % 2 else "rain", weather="sunny")
            for album in range(albums)
            for _ in range(stories_of_each)
        ]
        low, high = fact_recall(stories, WORDINGS)["weather"]["intervals"]["own"]
        return high - low

    # Half of the albums are right: 2 * 1.96 * 100 * sqrt(1/4 / albums).
    assert interval(100, 1) == pytest.approx(19.6, abs=2)
    assert interval(100, 5) == pytest.approx(19.6, abs=2)
    assert interval(25, 1) == pytest.approx(39.2, abs=4.5)


def test_one_story_for_all_scores_the_same_on_both():
    text = "a sunny beach in red ."
    albums = [("1", "sunny"), ("1", "sunny"), ("2", "sunny"), ("3", "rainy")]
    stories = [story(album, text, event="beach", weather=w, clothes="red") for album, w in albums]
    for fact in fact_recall(stories, WORDINGS).values():
        assert fact["own"] == pytest.approx(fact["other"])


def test_others_are_the_stories_of_all_other_albums():
    stories = [
        story("1", "sunny", event="beach", weather="sunny", clothes="red"),
        story("1", "sunny", event="beach", weather="sunny", clothes="red"),
        story("2", "sunny", event="beach", weather="rainy", clothes="red"),
        story("3", "rain", event="beach", weather="sunny", clothes="red"),
    ]
    # Stories of album 1: one of the two others' is sunny; of 2: one of three is rainy; of 3: all
    # three are sunny.
    assert fact_recall(stories, WORDINGS)["weather"]["other"] == pytest.approx(
        100 * (1 / 2 + 1 / 2 + 1 / 3 + 1) / 4
    )


def test_a_single_album_is_refused():
    with pytest.raises(InputError, match="at least two"):
        fact_recall([story("1", "sunny", event="beach")], WORDINGS)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ([], "is broken: expected a dictionary"),
        ({"albums": {}}, "lacks wordings"),
        ({"albums": {"1": {"photos": []}}, "wordings": {}}, r"albums\.1\.photos is \[\], expected"),
        (
            {"albums": {"1": {"event": 3}}, "wordings": {}},
            r"albums\.1\.event is 3, expected a text",
        ),
        ({"albums": {}, "wordings": {"event": {"x": "x"}}}, r"wordings\.event\.x is 'x', expected"),
        ({"albums": {}, "wordings": {"event": {}}}, "wordings lacks weather"),
    ],
)
def test_facts_that_were_changed_are_refused(tmp_path, contents, message):
    layout = DataLayout(tmp_path)
    write_json(layout.facts, contents)
    with pytest.raises(InputError, match=rf"facts\.json.* {message}.*python -m dataset\.sample"):
        read_facts(layout)
