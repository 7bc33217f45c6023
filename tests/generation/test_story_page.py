"""The page in a real browser: a script at its end uses the page as a reader would.

Its result is read from the page's DOM, which the browser prints at the end.
"""

import contextlib
import hashlib
import html
import json
import re
import shutil
import socket
import subprocess
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import cv2
import numpy as np
import pytest

from data_reader.run_files import Share
from generation.generated_stories import ShownStory
from generation.story_page import write_page

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome is installed")

EVIL = '</script><img src=x onerror="document.title=1"><b>&amp;</b> {{ 7*7 }}'
ODD_ID = "22/my trip ä</script> %41 & # '\""
ODD_LINK = "#story=" + quote(ODD_ID, safe="'")
SCORES = {
    "a_run": {"vist-album METEOR": Share(0.123456), "vist-album CIDEr": 4.256, "facts_own": 87.5}
}
LOOK = """
const look = () => ({
  place: document.getElementById("place").textContent,
  which: document.getElementById("which").textContent,
  sentences: [...document.querySelectorAll(".sentence")].map(
    (p) => [...p.childNodes].slice(1).map((n) => n.textContent).join("")),
  marked: [...document.querySelectorAll("mark")].map((m) => m.textContent),
  hash: location.hash,
});
const press = (key) => document.body.dispatchEvent(
  new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const type = (text) => {
  document.getElementById("search").value = text;
  document.getElementById("search").dispatchEvent(new Event("input"));
};
const later = (ms) => new Promise((done) => setTimeout(done, ms));
"""


def stories(folder):
    photos = []
    for name in ("a #1.png", "b ü?.png"):
        photos.append(folder / "photos" / name)
        photos[-1].parent.mkdir(exist_ok=True)
        photos[-1].write_bytes(cv2.imencode(".png", np.full((30, 40, 3), 90, np.uint8))[1])
    texts = [
        ("11", ["a dog ran .", "the cat sat ."], ["a dogged man .", "two"]),
        (ODD_ID, ["we danced , all .", EVIL], ["Dog days", "é"]),
        ("33", ["a hotdog .", "the end ."], ["nothing", ""]),
    ]
    return [
        ShownStory(
            number, f"album{number}", tuple(photos), ("x",) * 5, {"human": human, "a_run": run}
        )
        for number, human, run in texts
    ]


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "run" / "stories.html"
    write_page(path, f"stories {EVIL}", stories(tmp_path), SCORES)
    return path


def use(page, script, link="", size="1300,900"):
    """Open the page and run a script in it -> the script's result."""
    result = '<pre id="result"></pre>'
    run = f"(async () => {{ {LOOK} {script} }})().catch((e) => 'error: ' + e)"
    write = f"document.getElementById('result').textContent = JSON.stringify(await {run})"
    used = page.with_name("used.html")
    script = f"(async () => {{ {write}; }})();"
    contents = page.read_text(encoding="utf-8").replace(
        "</body>", f"{result}<script>{script}</script></body>"
    )
    # The page's policy lets no other script run.
    allowed = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    contents = contents.replace("script-src ", f"script-src &#39;sha256-{allowed}&#39; ", 1)
    used.write_text(contents, encoding="utf-8")
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={size}"]
    command += ["--virtual-time-budget=5000", "--dump-dom", used.as_uri() + link]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    found = re.search(r'<pre id="result">(.*?)</pre>', dom, re.DOTALL)[1]
    return json.loads(html.unescape(found))


def test_keys_and_buttons_change_the_story(page):
    first, second, last, back, stays, button, beginning = use(
        page,
        """
        const seen = [look()];
        for (const key of ["ArrowRight", "End", "ArrowLeft"]) { press(key); seen.push(look()); }
        press("End"); press("ArrowRight"); seen.push(look());
        document.getElementById("previous").click(); seen.push(look());
        press("Home"); seen.push(look());
        return seen;
        """,
    )
    assert first["place"] == "1 of 3"
    assert first["which"] == "story 11, album album11"
    assert first["sentences"] == ["a dog ran\xa0.", "a dogged man\xa0.", "the cat sat\xa0.", "two"]
    assert [seen["which"][6:8] for seen in (second, last, back, stays, button, beginning)] == [
        "22",
        "33",
        "22",
        "33",
        "22",
        "11",
    ]


def test_texts_are_shown_and_never_run(page):
    title, seen, images = use(
        page,
        """
        press("ArrowRight"); await later(100);
        return [document.title, look(), document.querySelectorAll("img").length];
        """,
    )
    assert title == f"stories {EVIL}"
    assert seen["sentences"] == ["we danced\u00a0, all\u00a0.", "Dog days", EVIL, "é"]
    assert images == 2


def received(server):
    """What was sent to a server; a browser may connect ahead without asking for anything."""
    server.setblocking(False)
    contents = b""
    with contextlib.suppress(BlockingIOError):
        while True:
            connection, _ = server.accept()
            connection.settimeout(10)
            contents += connection.recv(1000)
    return contents


def test_a_text_taken_for_html_neither_runs_nor_loads_anything(page):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        injected = f"""
            <script>document.title = "run"</script>
            <img src="x" onerror="document.title = 'run'">
            <b onclick="document.title = 'run'" id="clicked">x</b>
            <a href="javascript:document.title = 'run'" id="followed">x</a>
            <style>main {{ display: none }} @import "{address}/style";</style>
            <img src="{address}/image"><iframe src="{address}/frame"></iframe>
            <script src="{address}/script"></script><link rel="stylesheet" href="{address}/sheet">
            </body>"""
        page.write_text(page.read_text(encoding="utf-8").replace("</body>", injected))
        title, shown, images = use(
            page,
            """
            const failed = new Promise((done) => fetch("ADDRESS").catch(() => done("refused")));
            document.getElementById("clicked").click();
            document.getElementById("followed").click();
            press("ArrowRight"); await failed; await later(300);
            return [document.title, getComputedStyle(document.querySelector("main")).display,
                    [...document.images].map((image) => image.naturalWidth)];
            """.replace("ADDRESS", address),
        )
        assert received(server) == b""
    assert (title, shown) == (f"stories {EVIL}", "grid")
    assert images == [40, 40, 0, 0]  # the photos are shown


def test_search_finds_beginnings_of_words_of_any_system(page):
    dog, both, none, all_again = use(
        page,
        """
        const seen = [];
        for (const text of ["DOG", "dog  cat", "catt", " "]) { type(text); seen.push(look()); }
        return seen;
        """,
    )
    assert dog["place"] == "1 of 2 found"
    assert dog["marked"] == ["dog", "dogged"]
    assert both["place"] == "1 of 1 found"
    assert both["marked"] == ["dog", "dogged", "cat"]
    assert none["place"] == "nothing found"
    assert none["sentences"] == []
    assert all_again["place"] == "1 of 3"


def test_next_stays_among_the_stories_found(page):
    seen = use(page, 'type("dog"); press("ArrowRight"); press("ArrowRight"); return look();')
    assert (seen["place"], seen["which"][:8]) == ("2 of 2 found", "story 22")


def test_a_link_opens_its_story(page):
    opened, linked, found, unknown = use(
        page,
        """
        const seen = [look()];
        location.hash = "#story=33"; await later(50); seen.push(look());
        type("danced"); location.hash = "#story=11"; await later(50); seen.push(look());
        location.hash = "#story=99"; await later(50); seen.push(look());
        return seen;
        """,
        link=ODD_LINK,
    )
    assert (opened["place"], opened["hash"]) == ("2 of 3", ODD_LINK)
    assert opened["which"] == f"story {ODD_ID}, album album{ODD_ID}"
    assert (linked["place"], linked["hash"]) == ("3 of 3", "#story=33")
    assert (found["place"], unknown["place"]) == ("1 of 3", "1 of 3")
    cut_short = use(page, "return look();", link="#story=%")
    assert cut_short["place"] == "1 of 3"


def test_photos_of_any_name_are_shown_and_a_missing_one_is_named(page):
    (page.parents[1] / "photos" / "b ü?.png").unlink()
    widths, missing = use(
        page,
        """
        await later(300);
        return [[...document.images].map((image) => image.naturalWidth),
                [...document.querySelectorAll(".missing")].map((frame) => frame.textContent)];
        """,
    )
    assert widths == [40]
    assert missing == ["no photo: b ü?.png"]


WIDTHS = """
const main = document.getElementById("story");
return [document.documentElement.scrollWidth, innerWidth,
        new Set([...document.querySelectorAll(".photo")].map((p) => p.offsetLeft)).size,
        getComputedStyle(document.querySelector(".sentence .system")).display];
"""


def test_on_a_phone_photos_stand_below_each_other(page):
    scrolled, width, columns, name = use(page, WIDTHS, size="500,900")
    assert width <= 500 and scrolled <= width
    assert (columns, name) == (1, "block")
    scrolled, width, columns, name = use(page, WIDTHS)
    assert scrolled <= width
    assert (columns, name) == (2, "none")


def test_scores_are_shown_where_there_are_some(page, tmp_path):
    table = "return [...document.querySelectorAll('td, th')].map((c) => c.textContent.trim());"
    assert use(page, table) == [
        *("", "a run"),
        *("vist-album METEOR", "12.35"),
        *("vist-album CIDEr", "4.26"),
        *("facts own", "87.50"),
    ]
    write_page(page, "stories", stories(tmp_path), {})
    assert use(page, table) == []


def test_seeds_stand_together_with_the_mean_of_their_scores(page, tmp_path):
    [story, *_] = stories(tmp_path)
    names = ("human", "a_run seed 1", "a_run seed 2", "b")
    seeds = {"a_run seed 1": ("a_run", 1), "a_run seed 2": ("a_run", 2)}
    scores = {
        "a_run seed 1": {"METEOR": Share(0.1), "CIDEr": 4.0},
        "a_run seed 2": {"METEOR": Share(0.2)},
        "b": {"METEOR": Share(0.3), "CIDEr": 5.0},
    }
    both = [replace(story, systems={name: ["x", "y"] for name in names})]
    write_page(page, "stories", both, scores, seeds)
    labels, colours, on_a_phone, table = use(
        page,
        """
        const all = (selector) => [...document.querySelectorAll(selector)];
        const labels = all("#story > .system");
        return [labels.map((label) => label.innerText),
                labels.map((label) => getComputedStyle(label).color),
                all(".sentence .system").slice(0, 4).map((name) => name.textContent),
                all("td, th").map((cell) => cell.textContent.trim())];
        """,
    )
    assert labels == ["human", "a run\nseed 1", "seed 2", "b"]
    assert colours[1] == colours[2]
    assert len(set(colours)) == 3
    assert on_a_phone == ["human", "a run, seed 1", "a run, seed 2", "b"]
    assert table == [
        *("", "a run, 2 seeds", "b"),
        *("METEOR", "15.00 ± 7.07", "30.00"),
        *("CIDEr", "4.00 (1 of 2)", "5.00"),
    ]


def test_the_page_needs_no_network(page):
    contents = page.read_text(encoding="utf-8")
    assert not re.findall(r"https?://|//[a-z]+\.", contents)


def test_five_thousand_stories_stay_quick(tmp_path):
    text = "one two three four five six seven eight nine ten eleven ."
    many = [
        ShownStory(
            str(number),
            "a",
            (Path("/p.jpg"),) * 5,
            ("p",) * 5,
            {name: [f"{text} {number}"] * 5 for name in ("human", "b", "c")},
        )
        for number in range(5000)
    ]
    write_page(tmp_path / "stories.html", "many", many, {})
    nodes, place = use(
        tmp_path / "stories.html",
        """
        type("tw 4999");
        return [document.querySelectorAll("*").length, look().place];
        """,
    )
    assert place == "1 of 1 found"
    assert nodes < 200  # one story's, not those of all
