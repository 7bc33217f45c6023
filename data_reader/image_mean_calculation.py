"""python -m data_reader.image_mean_calculation: channel means of the training photos."""

import numpy as np

from data_reader.cli import add_data_option, command_line, run_command
from data_reader.errors import InputError
from data_reader.fields import number, read_fields
from data_reader.files import write_json
from data_reader.image_data_reader import (
    ALEXNET_IMAGE_SIZE,
    ALEXNET_MEANS,
    centre_square,
    decoded_photo,
    find_photos,
    process_photos,
)
from data_reader.layout import DataLayout

_NAMES = ("blue_mean", "green_mean", "red_mean")


def channel_means(photos):
    """Compute mean blue, green and red over the photos' centre squares, 227 pixels wide.

    Args:
        photos: paths; those that can't be read do not count.

    Returns:
        (means, photos read).

    Raises:
        InputError: none can be read.
    """
    total, read = np.zeros(3), 0
    for mean in process_photos(_mean_of, photos, "means"):
        if mean is not None:
            total += mean
            read += 1
    if not read:
        raise InputError(f"None of the {len(photos)} photos can be read.")
    return tuple(float(mean) for mean in total / read), read


def _mean_of(path):
    try:
        with decoded_photo(path, ALEXNET_IMAGE_SIZE) as photo:
            return centre_square(photo, ALEXNET_IMAGE_SIZE).mean(axis=(0, 1))
    except (InputError, OSError):
        return None


def read_means(layout):
    """Read the data folder's channel means B, G, R, or AlexNet's own if there is no file.

    Raises:
        InputError: the file does not hold three means.
    """
    if not layout.means.exists():
        return ALEXNET_MEANS
    try:
        means = read_fields(layout.means, dict.fromkeys(_NAMES, number(0, 255)), _NAMES)
    except InputError as error:
        raise InputError(
            f"{error} Delete the file, or make it again with: "
            "python -m data_reader.image_mean_calculation"
        ) from error
    return tuple(float(means[name]) for name in _NAMES)


def main():
    parser = command_line(__doc__)
    add_data_option(parser)
    layout = DataLayout(parser.parse_args().data)
    means, read = channel_means(list(find_photos(layout.photos("train")).values()))
    write_json(layout.means, dict(zip(_NAMES, means, strict=True)), indent=1)
    blue, green, red = means
    print(f"blue {blue:.3f}, green {green:.3f}, red {red:.3f} over {read} training photos")
    print(f"  {layout.means}")


if __name__ == "__main__":
    run_command(main)
