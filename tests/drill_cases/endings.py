"""Full disks, limits, closed outputs, plain locales, signals, and several processes at once."""

from drill_cases.case import Case

SAMPLE = "python -m dataset.sample --data new --albums 3 1 1"
RESUME = "python $REPOSITORY/tests/tiny_extraction.py whole --data data"
EXTRACT = f"rm -rf data/models; {RESUME}"
READER = "python -m data_reader --data data --rebuild-vocabulary"
SURVEY = "python -m dataset --data data"
IMPORT = "python -m dataset.import_stories stories.jsonl --data own"
GENERATE = "python -m generation --run results/first --strips 0 --beam 2"
TRAIN = "python -m training --smoke-test --results new --set data=$PWD/data epochs=1"
PAGE = "python -m generation.story_page results/first"
STRIPS = "python -m generation.story_strip results/first --number 1"
SCORES = "python -m generation.scores --run results/first"
DESCRIBE = "python -m training.describe results/first"
COMPARE = "python -m training.compare results/first results/second --out comparison"
SYSTEMS = "python -m generation.compare results/first results/second"
FACTS = "python -m generation.fact_recall --run results/first"
SHARE = "python -m models.share results/first shared"
MEANS = "python -m data_reader.image_mean_calculation --data data"
SAYING = (SURVEY, READER, IMPORT, SCORES, DESCRIBE, COMPARE, SYSTEMS, FACTS, SHARE, MEANS)
WRITING = (SAMPLE, EXTRACT, READER, IMPORT, PAGE, STRIPS, SCORES, COMPARE, FACTS, SHARE, MEANS)
PLAIN = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
# Names and stories with letters that the locale does not have.
RENAMED = (
    "mv data dat\u00e4 && mv results/first results/caf\u00e9 && "
    "sed -i 's/rained/p\u0142yn\u0119\u0142a/' stories.jsonl && "
)


def name_of(command):
    return command.split("python ")[1].split()[1].removeprefix("$REPOSITORY/tests/")


def renamed(command):
    command = command.replace("--data data", "--data dat\u00e4").replace(
        "=$PWD/data", "=$PWD/dat\u00e4"
    )
    return RENAMED + command.replace("results/first", "results/caf\u00e9")


LOCALE = [
    Case(name_of(command), with_data(renamed(command)), status=(0, 1), environment=PLAIN)
    for with_data in [
        lambda line: (
            f"{line} --data dat\u00e4"
            if any(text in line for text in ("--run", "story_", "generation.compare"))
            else line
        )
    ]
    for command in (*SAYING, SAMPLE, EXTRACT, PAGE, STRIPS)
] + [
    Case(
        "own photos",
        "mv photos/0.jpg photos/\u0142.jpg && python -m generation --run results/first photos",
        status=0,
        environment=PLAIN,
        says="3 photos",
    )
]
LIMITED = [
    Case(f"ulimit -f {blocks}: {name_of(command)}", f"ulimit -f {blocks}; {command}", status=(0, 2))
    for blocks in (0, 8, 50)
    for command in WRITING
] + [
    Case(f"ulimit -f {blocks}: {name}", f"ulimit -f {blocks}; {command}", status=(0, 2))
    for blocks, name, command in ((0, "generation", GENERATE), (50, "training", TRAIN))
]
OUTPUTS = [
    *(
        Case(f"/dev/full: {name_of(command)}", f"{command} > /dev/full", says="No space left")
        for command in SAYING
    ),
    *(
        Case(f"nobody reads: {name_of(command)}", f"{command} | true", status=0)
        for command in SAYING
    ),
    *(
        Case(f"closed stdout: {name_of(command)}", f"{command} >&-", status=(0, 1))
        for command in SAYING
    ),
    *(
        Case(f"closed streams: {name_of(command)}", f"{command} >&- 2>&- <&-", status=(0, 1))
        for command in SAYING[1:4]
    ),
    Case("closed stderr, wrong option", f"{SURVEY} --x 2>&-; test $? = 2", status=0),
]
# The superuser may write everywhere, without this right only where the permissions say so.
BARRED = (
    "chmod -R a-w data results; chmod a-w .; "
    "test $(id -u) = 0 && barred='setpriv --bounding-set=-dac_override'; "
)
READ_ONLY = [
    Case(
        f"read-only: {name_of(command)}",
        f"{BARRED} $barred {command.replace('rm -rf data/models; ', '')}; "
        "status=$?; chmod -R u+w .; exit $status",
        status=status,
        says=says,
    )
    for command, status, says in (
        (SURVEY, (0, 1), "problems"),
        (READER, 2, "ermission"),
        (SAMPLE, 2, "ermission"),
        (IMPORT, 2, "ermission"),
        (PAGE, 2, "ermission"),
        (STRIPS, 2, "ermission"),
        (SCORES, (0, 2), ""),
        (DESCRIBE, 0, ""),
        (SHARE, 2, "ermission"),
        (FACTS, 2, "ermission"),
    )
]
ENDS = {"INT": (130, "interrupted"), "TERM": (143, "ended by SIGTERM"), "HUP": (129, "SIGHUP")}
SIGNALS = [
    Case(
        f"SIG{name} after {seconds} s: {name_of(command)}",
        f"timeout --preserve-status -s {name} {seconds} {command}",
        status=(0, 1, status),
    )
    for (name, (status, _)), seconds in zip(ENDS.items(), (0.4, 0.6, 0.8), strict=True)
    for command in (f"{SURVEY} --check-photos", SAMPLE, READER, SYSTEMS)
]
WHOLE = 'cmp "$BASE/data/{0}" data/{0}'
STORIES = WHOLE.format("image_embeddings_to_sentence/stories_to_index_train.hdf5")
KILLS = [
    *(
        Case(
            f"the reader after {seconds} s, then again",
            f"timeout -s KILL {seconds} {READER} > none; {READER} && {STORIES}",
            status=0,
        )
        for seconds in (0.3, 0.5, 0.7)
    ),
    *(
        Case(
            f"an extraction: {place}, then again",
            "rm -r data/models; python $REPOSITORY/tests/tiny_extraction.py "
            f"'{place}' --data data > none; {RESUME} && test ! -e data/models/alexnet/*.parts",
            status=0,
        )
        for place in ("after a part", "while a part is written", "before the parts are joined")
    ),
    Case(
        "a part of an extraction with a damaged middle",
        "rm -r data/models; { python $REPOSITORY/tests/tiny_extraction.py 'after a part' "
        "--data data; } 2> none; part=$(echo data/models/alexnet/*.parts/*.npz); "
        "printf 'xxxxxxxx' | dd of=$part bs=1 seek=200 conv=notrunc 2> none; " + RESUME,
        says="is broken",
    ),
    Case(
        "a child of the sample set's",
        f"{SAMPLE} & parent=$!; until child=$(pgrep -P $parent -f spawn_main | tail -n 1) && "
        'test -n "$child"; do sleep 0.02; kill -0 $parent || break; done; kill -9 $child; '
        "wait $parent; test $? -le 2 && rm -rf new && " + SAMPLE,
        status=0,
    ),
    Case(
        "the sample set, then again",
        f"timeout -s KILL 0.7 {SAMPLE}; {SAMPLE} && python -m dataset --data new; test $? = 0",
        status=0,
    ),
    Case(
        "a training, then resumed",
        f"timeout -s KILL 7 {TRAIN.replace('epochs=1', 'epochs=60 save_every_steps=1')} > none; "
        f"{TRAIN.replace('epochs=1', 'epochs=60 save_every_steps=1')} --resume || "
        "test $? = 2",
        status=0,
    ),
    Case(
        "a generation, then again",
        f"timeout -s KILL 5 {GENERATE} > none; rm -rf tmp/*; {GENERATE}"
        " && test ! -e results/first/generating",
        status=0,
        says="10 test stories",
    ),
]


def at_once(command):
    """Two of them; each ends well or is refused, and one of them ends well."""
    return (
        f"({command}) > one 2>&1 & first=$!; ({command}) > two 2>&1; second=$?; wait $first; "
        "first=$?; cat one two; test $((first * second)) = 0 && test $((first + second)) -le 2"
    )


AT_ONCE = [
    Case(name_of(command), f"{before}{at_once(command)}", status=0)
    for before, command in (
        ("", SAMPLE),
        ("", READER),
        ("", IMPORT),
        ("", SCORES),
        ("", SHARE),
        ("", MEANS),
        ("", PAGE),
        ("rm -r data/models; ", RESUME),
        ("", GENERATE),
        ("", TRAIN),
    )
]
GROUPS = {
    "LC_ALL=C": LOCALE,
    "limits of files": LIMITED,
    "outputs": OUTPUTS,
    "read-only folders": READ_ONLY,
    "signals": SIGNALS,
    "kills": KILLS,
    "two at once": AT_ONCE,
}
