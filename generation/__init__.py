"""Generating, scoring and showing stories."""

from data_reader.start import start_command

start_command()


def load(path, precision="float32", trust=()):
    """Load a trained model, for generating stories of photos in a notebook or script.

    ```python
    from generation import load

    generator = load("image_grouping.zip")
    sentences = generator.generate(["1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg"])
    ```

    Args:
        path: a run folder, or a shared model (`python -m models.share`): its folder or zip, whose
            checksums are tested.  Nothing is written there.
        precision: of `models.precision.PRECISIONS`, in which the model computes.
        trust: names of the modules from which a shared model may import classes of its own; they
            must be importable here.

    Returns:
        a `generation.photo_stories.PhotoStoryGenerator`.

    Raises:
        FileNotFoundError: there is no such folder or file, or it has no model.
        InputError: the model is broken, was changed since it was shared, or needs a class from a
            module that is missing or not trusted.
    """
    from data_reader.cli import import_tensorflow
    from data_reader.shared_model import open_model

    with open_model(path, trust) as run:
        import_tensorflow()
        from generation.photo_stories import PhotoStoryGenerator

        return PhotoStoryGenerator(run, precision)
