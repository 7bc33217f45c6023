"""Options out of range, of another type, or of too many."""

from drill_cases.case import Case, written

GENERATE = "python -m generation --run results/first --strips 0"
TRAIN = "python -m training --results new"
REFUSED = {
    "python -m dataset.sample --data new --albums": ("0 1 1", "3 1", "x y z", "-3 1 1", "1e9 1 1"),
    "python -m dataset.sample --data new --seed": ("x", "1.5"),
    "python -m dataset.sample --data": (
        "results/first/loss.csv",
        "/proc/nowhere",
    ),
    "python -m data_reader --data data --vocabulary-size": ("0", "-1", "x", "nan"),
    "python -m data_reader --data data --extractor": ("../../x", "nowhere", "''"),
    "python -m dataset --data data --max-megapixels": ("0", "-1", "x", "nan"),
    "python -m dataset.models.alexnet --data data --shard": (
        "0/3",
        "4/3",
        "1/0",
        "x",
        "1/",
        "-1/3",
    ),
    "python -m dataset.image_features --data data --extractor": ("os", "../x"),
    "python -m dataset.download --data new --yes": (
        "nothing",
        "annotations --address x=y",
        "annotations --address sis=file:///etc/passwd",
        "annotations --connections 0",
        "annotations --address sis=http://127.0.0.1:9/x --address dii=http://127.0.0.1:9/x",
    ),
    f"{GENERATE} --beam": ("0", "-1", "1000000", "1000000000000", "x", "1.5", "nan"),
    f"{GENERATE} --beam 2 --length-penalty": ("nan", "inf", "1e300", "x"),
    f"{GENERATE} --sample --temperature": ("0", "-1", "nan", "inf", "1e-300", "1e300", "x"),
    f"{GENERATE} --sample --top-p": ("0", "-1", "2", "nan", "x"),
    f"{GENERATE} --sample --top-k": ("1000000000000", "0", "-1", "x", "1.5"),
    f"{GENERATE} --sample --seed": ("x", "1e9", "-1"),
    f"{GENERATE} --max-words": ("0", "-1", "21", "x"),
    f"{GENERATE} --min-words": ("-1", "21", "x"),
    f"{GENERATE} --no-story-ngram": ("-1", "x"),
    f"{GENERATE} --split": ("all", "''"),
    f"{GENERATE} --data": ("nowhere", "results/first/loss.csv"),
    "python -m generation --strips": ("-1 --run results/first", "x --run results/first"),
    "python -m generation --run": ("nowhere", "data", "results/first/loss.csv", "''", "/dev/null"),
    f"{TRAIN} --set": (
        "epochs=0",
        "epochs=True",
        "epochs=1e9",
        "learning_rate=nan",
        "learning_rate=True",
        "learning_rate=-1",
        "x=1",
        "epochs",
        "data=[1]",
        "name=../../x",
        "seed=-1",
        "model_settings.num_layers=0",
        "model=os:system",
        "word_embeddings=/dev/zero",
        "stories_per_batch=999999999999",
        "precision=float8",
    ),
    f"{TRAIN} --workers": ("0", "-1", "x"),
    f"{TRAIN} --resume": ("nowhere", "results/first/loss.csv"),
    "python -m generation.scores --run results/first --sentences-per-story": ("0", "x"),
    "python -m generation.scores --run results/first --decoding": ("../../x", "nowhere"),
    "python -m generation.story_strip results/first --number": ("-1", "x"),
    "python -m generation.story_strip results/first --frame": ("0", "9", "x"),
    "python -m generation.story_strip results/first --story": ("nowhere", "''"),
    "python -m generation.story_page results/first --output": ("data", "results/first/loss.csv/x"),
    "python -m models.share results/first": ("", "loss.csv/x/y.zip --licence 7 --data-set x extra"),
    "python -m training.compare": ("results/first nowhere", "data"),
}
WRONG = [
    Case(value or "nothing", f"{command} {value}")
    for command, values in REFUSED.items()
    for value in values
]
AT_THE_LIMIT = [
    Case(options, f"{GENERATE} {options}", status=0, says="10 test stories")
    for options in (
        "--sample --temperature 0.05 --top-k 1",
        "--sample --top-p 1e-300 --seed 0",
    )
]
OTHERS = [
    Case("KERAS_BACKEND=jax", GENERATE, status=0, environment={"KERAS_BACKEND": "jax"}),
    Case(
        "KERAS_BACKEND=torch, in the training",
        "python -m training --smoke-test --results new --set data=$PWD/data epochs=1",
        status=0,
        environment={"KERAS_BACKEND": "torch"},
    ),
    Case(
        "jax in Keras's own file",
        GENERATE,
        written("home/.keras/keras.json", '{"backend": "jax"}'),
        status=0,
    ),
]
GROUPS = {"options": WRONG, "options at their limits": AT_THE_LIMIT, "Keras's settings": OTHERS}
