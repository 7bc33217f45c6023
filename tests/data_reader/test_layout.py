from data_reader.layout import REPOSITORY, DataLayout


def test_the_files_of_a_data_folder(tmp_path):
    layout = DataLayout(tmp_path)
    assert layout.stories("valid") == (
        tmp_path / "image_embeddings_to_sentence" / "stories_to_index_valid.hdf5"
    )
    assert layout.features("test") == (
        tmp_path / "models" / "alexnet" / "alexnet_image_test_features.hdf5"
    )
    assert layout.photos("valid") == tmp_path / "vist_dataset" / "validate_data"


def test_annotations_are_beside_the_photos_or_in_one_folder(tmp_path):
    layout = DataLayout(tmp_path)
    beside = tmp_path / "vist_dataset/validate_data/sis/val.story-in-sequence.json"
    together = tmp_path / "vist_dataset/sis/val.story-in-sequence.json"
    assert layout.annotations("valid") == beside
    together.parent.mkdir(parents=True)
    together.touch()
    assert layout.annotations("valid") == together
    beside.parent.mkdir(parents=True)
    beside.touch()
    assert layout.annotations("valid") == beside


def test_a_relative_folder_is_relative_to_the_repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dataset").mkdir()
    assert DataLayout("dataset").root == REPOSITORY / "dataset"
    assert DataLayout(tmp_path).root == tmp_path
