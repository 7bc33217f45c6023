import gzip
import os
import subprocess
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest

from models import word_embeddings
from models.word_embeddings import load_word_embeddings

SPECIAL = ("<NULL>", "<START>", "<END>", "<UNK>")
WORDS = (*SPECIAL, "dog", "cat", "[male]", "zebra")
TEXT = "the 9 9\ncat 3 -4.5\nmale 0.5 0.25\ndog 1 2e-1\n"


def write(folder, contents=TEXT, name="glove.txt"):
    path = folder / name
    path.write_bytes(contents.encode() if isinstance(contents, str) else contents)
    return path


def load(path, words=WORDS, dimension=2, **kwargs):
    return load_word_embeddings(path, words, dimension, **kwargs)


def caches(folder):
    return sorted(folder.glob("*.npz"))


def test_found_words_have_the_files_vectors(tmp_path):
    embeddings = load(write(tmp_path))
    assert embeddings.matrix.shape == (8, 2)
    assert embeddings.matrix.dtype == np.float32
    assert embeddings.found.dtype == bool
    assert embeddings.found.tolist() == [False] * 4 + [True, True, True, False]
    expected = np.array([[1, 0.2], [3, -4.5], [0.5, 0.25]], np.float32)
    np.testing.assert_array_equal(embeddings.matrix[4:7], expected)


def test_the_report_counts_the_words_without_the_special_ones(tmp_path):
    words = (*SPECIAL, "dog", "cat", *(f"word{n}" for n in range(1198)))
    path = write(tmp_path, name="glove.6B.2d.txt")
    assert load(path, words).report() == "2 of 1,200 words found in glove.6B.2d.txt (0.2 %)"


def test_the_vectors_are_300_numbers_unless_told_otherwise(tmp_path):
    path = write(tmp_path, "dog" + " 0.5" * 300 + "\n")
    assert load_word_embeddings(path, WORDS).matrix[4].tolist() == [0.5] * 300


def test_special_words_are_never_looked_up_and_null_is_zero(tmp_path):
    embeddings = load(write(tmp_path, TEXT + "<NULL> 7 7\n<START> 7 7\n<UNK> 7 7\n"))
    assert not embeddings.found[:4].any()
    assert embeddings.matrix[0].tolist() == [0, 0]
    assert (embeddings.matrix[1:4] != 0).all()
    assert (embeddings.matrix[1:4] != 7).all()


def test_other_words_are_drawn_around_zero_with_the_found_spread(tmp_path):
    # The spread of 7, 11, 7, 11 is 2, around 9; "the" is not in the vocabulary and must not count.
    path = write(tmp_path, "the 500 -500\ndog 7 11\ncat 11 7\n")
    words = (*SPECIAL, "dog", "cat", *(f"word{n}" for n in range(2000)))
    matrix = load(path, words).matrix
    assert matrix[6:].mean() == pytest.approx(0, abs=0.15)
    assert matrix[6:].std() == pytest.approx(2, abs=0.1)
    assert len(np.unique(matrix[6:], axis=0)) == 2000
    # By the definition: index 7's generator, scaled.
    expected = 2 * np.random.default_rng([1, 7]).standard_normal(2)
    np.testing.assert_allclose(matrix[7], expected, rtol=1e-6)


def test_a_draw_does_not_hang_on_the_other_words_and_hangs_on_the_seed(tmp_path):
    few = write(tmp_path, "dog 1 -1\n", "few.txt")
    more = write(tmp_path, "dog 1 -1\ncat -1 1\nmale 1 -1\n", "more.txt")  # the same spread, 1
    np.testing.assert_array_equal(load(few).matrix[[1, 2, 3, 7]], load(more).matrix[[1, 2, 3, 7]])
    np.testing.assert_array_equal(load(few).matrix, load(few).matrix)
    assert (load(few, seed=2).matrix[[1, 2, 3, 7]] != load(few).matrix[[1, 2, 3, 7]]).all()
    np.testing.assert_array_equal(load(few, seed=2).matrix[4], load(few).matrix[4])


def test_brackets_are_stripped_only_where_the_token_itself_is_not_in_the_file(tmp_path):
    words = (*SPECIAL, "[male]", "male", "[[ship]]", "[]", "[open")
    text = "male 1 2\nship 3 4\nopen 5 6\nope 5 6\n"
    embeddings = load(write(tmp_path, text), words)
    assert embeddings.matrix[4:6].tolist() == [[1, 2], [1, 2]]
    assert embeddings.found[4:].tolist() == [True, True, False, False, False]
    embeddings = load(write(tmp_path, text + "[male] 7 8\n[ship] 9 9\n"), words)
    assert embeddings.matrix[4:7].tolist() == [[7, 8], [1, 2], [9, 9]]


@pytest.mark.parametrize("end", ["\n", ""])
def test_the_first_of_a_words_lines_counts(tmp_path, end):
    path = write(tmp_path, "dog 1 2\ncat 3 4\ndog 5 6" + end)
    assert load(path).matrix[4].tolist() == [1, 2]


def test_a_word_may_hold_spaces_or_be_a_number(tmp_path):
    words = (*SPECIAL, ". . .", "7", "to name@domain.com", "7 3")
    text = ". . . 1 2\n7 3 4\nto name@domain.com 5 6\n"
    embeddings = load(write(tmp_path, text), words)
    assert embeddings.matrix[4:7].tolist() == [[1, 2], [3, 4], [5, 6]]
    assert embeddings.found[4:].tolist() == [True, True, True, False]


def test_words_are_utf8_and_only_a_newline_ends_a_line(tmp_path):
    words = (*SPECIAL, "café", "a\u0085b", "c\u2028d", "e\u00a0f")
    text = "".join(f"{word} {n} 0\n" for n, word in enumerate(words[4:]))
    assert load(write(tmp_path, text), words).matrix[4:, 0].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "text", ["dog 1 2\r\ncat 3 4\r\n", "dog 1 2 \ncat 3 4 \n", "dog 1 2\ncat 3 4"]
)
def test_ends_of_lines_may_differ(tmp_path, text):
    assert load(write(tmp_path, text)).matrix[4:6].tolist() == [[1, 2], [3, 4]]


def test_a_header_is_recognised_on_line_1_only(tmp_path):
    words = (*SPECIAL, "dog", "2")
    embeddings = load(write(tmp_path, "2 2\ndog 1 2\ncat 3 4\n"), words)
    assert embeddings.matrix[4].tolist() == [1, 2]
    assert embeddings.found[4:].tolist() == [True, False]
    with pytest.raises(ValueError, match=r"glove\.txt, line 2: 1 numbers, expected 2"):
        load(write(tmp_path, "dog 1 2\n2 2\n"), words)


def test_fewer_vectors_than_the_header_says_are_a_cut_file(tmp_path):
    path = write(tmp_path, "1000 2\ndog 1 2\ncat 3 4\n")
    with pytest.raises(ValueError, match=r"cut short: it ends at line 3 with 2 .*says 1,000"):
        load(path)


@pytest.mark.parametrize("text", [TEXT, "4 2\n" + TEXT, ". . . 1 2\ndog 1 2\n"])
@pytest.mark.parametrize("dimension", [1, 3, 300])
def test_another_dimension_than_the_files_is_explained(tmp_path, text, dimension):
    path = write(tmp_path, text)
    expected = (
        rf"holds vectors of 2 numbers \(line 1\), expected {dimension}; set the dimension to 2"
    )
    with pytest.raises(ValueError, match=expected):
        load(path, dimension=dimension)


def test_a_dimension_below_1_is_refused(tmp_path):
    with pytest.raises(ValueError, match="dimension is 0"):
        load(write(tmp_path), dimension=0)


@pytest.mark.parametrize("words", [("dog", "cat"), (), ("<START>", "<NULL>", "<END>", "<UNK>")])
def test_a_vocabulary_without_the_special_words_is_refused(tmp_path, words):
    with pytest.raises(ValueError, match="words start with <NULL> <START> <END> <UNK>, these with"):
        load(write(tmp_path), words)


def test_a_missing_file_is_named(tmp_path):
    for path in (tmp_path / "glove.txt", tmp_path):
        with pytest.raises(FileNotFoundError, match=f"{path} is missing; fetch"):
            load(path)


def test_an_empty_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"glove\.txt is empty"):
        load(write(tmp_path, ""))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("owl 1", "1 numbers, expected 2"),
        ("owl", "0 numbers, expected 2"),
        ("", "0 numbers, expected 2"),
        ("owl 1 2 3", "3 numbers, expected 2"),
        (". . 1", "could not convert"),
        (". . . 1", "1 numbers, expected 2"),
        ("dog 1 x", "could not convert string to float: 'x'"),
        ("dog nan 2", "nan, infinite or too large"),
        ("dog 1 -inf", "nan, infinite or too large"),
        ("dog 1 1e39", "nan, infinite or too large"),
        (b"caf\xe9 1 2", "'utf-8' codec can't decode"),
    ],
)
def test_a_bad_line_is_named(tmp_path, line, problem):
    line = line.encode() if isinstance(line, str) else line
    path = write(tmp_path, b"the 1 2\ncat 1 2\n" + line + b"\nowls 1 2\n")
    with pytest.raises(ValueError) as error:
        load(path, (*WORDS, "."))
    assert str(error.value).startswith(f"{path}, line 3: ")
    assert problem in str(error.value)
    assert not caches(tmp_path)


def test_the_numbers_of_words_outside_the_vocabulary_are_not_read(tmp_path):
    assert load(write(tmp_path, "owl x y\n" + TEXT)).found.sum() == 3


@pytest.mark.parametrize("last", ["owl 1", "owl 1 -", "owl", "dog 1 2e", b"owl 1 2\ncaf\xc3"])
def test_a_file_cut_in_its_last_line_is_named(tmp_path, last):
    last = last.encode() if isinstance(last, str) else last
    number = 3 + last.count(b"\n")
    path = write(tmp_path, b"the 1 2\ncat 1 2\n" + last)
    with pytest.raises(ValueError, match=rf"glove\.txt is cut short in its last line, {number}: "):
        load(path)


def test_a_packed_or_binary_file_is_to_be_unpacked_first(tmp_path):
    packed = write(tmp_path, gzip.compress(TEXT.encode()), "glove.txt.gz")
    archive = tmp_path / "glove.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("glove.txt", TEXT)
    binary = write(tmp_path, b"1 2\ndog \x00\x00\x80\x3f\x00\x00\x00\x40\n", "glove.bin")
    for path in (packed, archive, binary):
        with pytest.raises(ValueError, match=f"{path} is packed or binary.*unpack it first"):
            load(path)


def test_a_file_without_newlines_is_not_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(word_embeddings, "LONGEST_LINE", 16)
    with pytest.raises(ValueError, match=r"glove\.txt, line 2: more than 16 bytes"):
        load(write(tmp_path, "dog 1 2\n" + "x" * 100))


def test_a_file_with_none_of_the_words_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"none of the vocabulary's 4 words; .*wrong file"):
        load(write(tmp_path, "the 1 2\n<UNK> 1 2\n"))
    assert not caches(tmp_path)


def test_memory_does_not_grow_with_the_file(tmp_path):
    path = write(tmp_path, "dog" + " 0.125" * 50 + "\n" + ("owl" + " 0.125" * 50 + "\n") * 6000)
    assert path.stat().st_size > 1_800_000
    tracemalloc.start()
    load(path, dimension=50)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 600_000


def test_the_progress_bar_counts_the_files_bytes(tmp_path, monkeypatch):
    bars = []

    class Bar(word_embeddings.tqdm):
        def __init__(self, **kwargs):
            assert kwargs["disable"] is None  # shown on a terminal only
            self.done, self.whole = 0, kwargs["total"]
            bars.append(self)
            super().__init__(**kwargs)

        def update(self, n=1):
            self.done += n

    monkeypatch.setattr(word_embeddings, "tqdm", Bar)
    path = write(tmp_path)
    load(path)
    assert [(bar.done, bar.whole) for bar in bars] == [(path.stat().st_size,) * 2]
    load(path)
    assert len(bars) == 1  # the second time the cache answers


def rewrite_unnoticed(path, contents):
    """Other contents of the same size under the same modification time."""
    state = path.stat()
    assert len(contents) == state.st_size
    path.write_text(contents)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def test_the_second_time_the_cache_is_read(tmp_path):
    path = write(tmp_path, "dog 1 2\ncat 3 4\n")
    first = load(path)
    (cache,) = caches(tmp_path)
    assert cache.name.startswith("glove.txt.")
    with np.load(cache) as arrays:  # no random rows
        assert set(arrays) == {"found", "vectors"}
        assert arrays["vectors"].tolist() == [[1, 2], [3, 4]]
    rewrite_unnoticed(path, "dog 5 6\ncat 7 8\n")
    second = load(path)
    np.testing.assert_array_equal(second.matrix, first.matrix)
    np.testing.assert_array_equal(second.found, first.found)
    assert second.report() == first.report()
    assert sorted(tmp_path.iterdir()) == [path, cache]  # nothing half-written is left


def test_the_cache_is_stale_once_file_words_or_dimension_change(tmp_path):
    path = write(tmp_path, "dog 1 2\ncat 3 4\n")
    load(path)
    assert load(path, (*SPECIAL, "cat", "dog")).matrix[4:].tolist() == [[3, 4], [1, 2]]
    assert len(caches(tmp_path)) == 2
    with pytest.raises(ValueError, match="expected 3"):
        load(path, dimension=3)
    rewrite_unnoticed(path, "dog 5 6\ncat 7 8\n")
    assert load(path).matrix[4].tolist() == [1, 2]
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000))
    assert load(path).matrix[4].tolist() == [5, 6]
    state = path.stat()
    path.write_text("dog 8.5 9\n")
    os.utime(path, ns=(0, state.st_mtime_ns))
    assert load(path).matrix[4].tolist() == [8.5, 9]


def broken_caches():
    found = np.array([False] * 4 + [True, False, False, False])
    vectors = np.array([[5, 6]], np.float32)
    yield "other words", {"found": found[:7], "vectors": vectors}
    yield "other dimension", {"found": found, "vectors": vectors[:, :1]}
    yield "too few vectors", {"found": found, "vectors": vectors[:0]}
    yield "other numbers", {"found": found, "vectors": vectors.astype(np.float64)}
    yield "no mask", {"vectors": vectors}
    yield "a mask of numbers", {"found": found.astype(np.int64), "vectors": vectors}
    yield "nothing found", {"found": found & False, "vectors": vectors[:0]}
    yield "pickled", {"found": found, "vectors": np.array([[5, None]], object)}


@pytest.mark.parametrize("arrays", [pytest.param(a, id=name) for name, a in broken_caches()])
def test_a_cache_that_does_not_fit_is_written_again(tmp_path, arrays):
    path = write(tmp_path)
    load(path)
    (cache,) = caches(tmp_path)
    whole = cache.read_bytes()
    np.savez(cache, **arrays)
    assert load(path).matrix[4:6].tolist() == [[1, np.float32(0.2)], [3, -4.5]]
    assert len(cache.read_bytes()) == len(whole)


@pytest.mark.parametrize("break_it", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"no"])
def test_a_broken_cache_is_written_again(tmp_path, break_it):
    path = write(tmp_path)
    first = load(path)
    (cache,) = caches(tmp_path)
    cache.write_bytes(break_it(cache.read_bytes()))
    np.testing.assert_array_equal(load(path).matrix, first.matrix)
    with np.load(cache) as arrays:
        assert arrays["found"].tolist() == first.found.tolist()


def test_a_cache_with_a_changed_byte_is_written_again(tmp_path):
    path = write(tmp_path)
    first = load(path)
    (cache,) = caches(tmp_path)
    number = np.float32(-4.5).tobytes()
    changed = cache.read_bytes().replace(number, np.float32(8).tobytes())
    assert changed != cache.read_bytes()
    cache.write_bytes(changed)
    np.testing.assert_array_equal(load(path).matrix, first.matrix)


@pytest.mark.parametrize("step", ["numpy.savez", "os.replace"])
def test_without_leave_to_write_the_matrix_is_returned_all_the_same(tmp_path, monkeypatch, step):
    def refuse(*_, **__):
        raise PermissionError("read-only")

    monkeypatch.setattr(step, refuse)
    path = write(tmp_path)
    assert load(path).matrix[5].tolist() == [3, -4.5]
    assert list(tmp_path.iterdir()) == [path]


def test_importing_does_not_import_keras():
    code = "import sys, models.word_embeddings; print({'keras', 'tensorflow'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"
