"""The search site in a real browser: search, filters, links, sound, keys, and hostile titles."""

import functools
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from pipeline.core.config import ShowConfig
from pipeline.core.project import Project
from pipeline.core.schema import Status
from pipeline.core.serialization import transcript_to_json
from pipeline.core.storage import write_json
from pipeline.publish.site import SiteAudioFile, write_site
from pipeline.publish.site_pages import WEB
from pipeline.publish.tables import write_catalog
from tests.support.project import DEMO_AUDIO, LINES, make_transcript
from tests.support.rows import HOSTILE, episode_rows

pytestmark = pytest.mark.browser

LONG = (
    "An " + "unusually " * 40 + "long title, and Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnung"
)


def make_site(root: Path) -> Project:
    """Write a site: episode `one` plays its audio, `video` is on YouTube, `hostile` has only links, and bad titles."""
    project = Project(root)
    rows = episode_rows(
        "one",
        "Invoices can be sorted by due date",
        "Added a dark theme to the mobile app",
        "Donation records can be exported",
        "Café opening hours",
        published=date(2026, 11, 2),
    )
    kites = (
        replace(rows[0], start_s=10.0, end_s=30.0, start="0:10", version="v4.10", feature_id=500111),
        replace(rows[1], start_s=30.0, end_s=50.0, start="0:30", version="v4.10", feature_id=500122, status="review"),
        replace(rows[2], start_s=None, end_s=None, start=None, url=None, quote="", status=Status.NOT_FOUND.value),
        replace(rows[3], start_s=50.0, end_s=60.0, start="0:50", version="v4.9", feature_id=500000, status="corrected"),
    )
    video = tuple(
        replace(row, url="https://youtu.be/dQw4w9WgXcQ?t=60", feature_id=500111 if row.position == 1 else None)
        for row in episode_rows("video", "Invoices again", "Nothing else", published=date(2026, 11, 9))
    )
    hostile = tuple(
        replace(
            row, description=row.title, quote=row.title, version=row.title, episode_title=HOSTILE[0], show=HOSTILE[1]
        )
        for row in episode_rows("hostile", *HOSTILE, LONG)
    )
    for rows in (kites, video, hostile):
        write_catalog(rows, project.catalog(rows[0].episode_id))
        talk = make_transcript([*LINES, *(HOSTILE if rows is hostile else ())])
        write_json(project.transcript(rows[0].episode_id), transcript_to_json(talk))
    sound = SiteAudioFile(DEMO_AUDIO, "digest")
    write_site(
        project,
        ShowConfig.model_validate({"name": "Show", "site_audio": "copy"}),
        find_audio=lambda name: sound if name == "one" else None,
        warn=lambda name, note: pytest.fail(f"{name}: {note}"),
    )
    return project


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_site(tmp_path_factory.mktemp("site")).site


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page that fails the test on a script error, a blocked resource, or a request to another host."""
    context = chromium.new_context(viewport={"width": 1100, "height": 800})
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: troubles.append(request.url) if request.url.startswith("http") else None)
    yield page
    context.close()
    assert troubles == []


def go(page: Page, site: Path, address: str = "index.html") -> None:
    page.goto(f"{site.as_uri()}/{address}")


def titles(page: Page) -> list[str]:
    return page.locator("#results h3").all_text_contents()


def wait_for_query(page: Page, query: str) -> None:
    """Wait until the address holds a query: it follows a moment after the last letter."""
    expect(page).to_have_url(re.compile(rf"\.html{re.escape(query)}(#.*)?$"))


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("dark theme", "Added a dark theme to the mobile app"),
        ("theme dark", "Added a dark theme to the mobile app"),
        ("invoises sotred", "Invoices can be sorted by due date"),
        ("donat", "Donation records can be exported"),
        ("zark theme", "Added a dark theme to the mobile app"),
        ("nvoices sorted", "Invoices can be sorted by due date"),
        ("tinvoices sorted", "Invoices can be sorted by due date"),
        ("cafe", "Café opening hours"),
        ("500122", "Added a dark theme to the mobile app"),
        ("#500122", "Added a dark theme to the mobile app"),
        ("v4.9", "Café opening hours"),
        ("4.10 dark", "Added a dark theme to the mobile app"),
    ],
)
def test_typing_finds_words_ids_versions_despite_typos(page: Page, site: Path, query: str, first: str) -> None:
    go(page, site)
    page.locator("#query").press_sequentially(query)
    assert titles(page)[0] == first


@pytest.mark.parametrize("query", ["00122", "4.1 9", "zzz", "dark zzz"])
def test_absent_words_find_nothing(page: Page, site: Path, query: str) -> None:
    go(page, site)
    page.fill("#query", query)
    assert titles(page) == []
    expect(page.get_by_text("No feature has all of these words")).to_be_visible()
    expect(page.get_by_role("status").first).to_have_text("Nothing found")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("C#", ["Samples in C#"]),
        ("c++", ["Samples in C++"]),
        ("samples c", ["Samples in C#", "Samples in C++"]),
        ("grosse", ["Große Schrift"]),
        ("Straße", ["Strasse am Ufer"]),
        ("smorrebrod", ["Smørrebrød"]),
        ("搜索", ["搜索结果现在可以导出"]),
        ("导出", ["搜索结果现在可以导出"]),
    ],
)
def test_signs_and_scripts_are_searched(page: Page, query: str, found: list[str]) -> None:
    titles = [
        "Samples in C#",
        "Samples in C++",
        "Große Schrift",
        "Strasse am Ufer",
        "Smørrebrød",
        "搜索结果现在可以导出",
    ]
    page.add_script_tag(path=WEB / "ufuzzy" / "uFuzzy.iife.min.js")
    page.add_script_tag(path=WEB / "site" / "matching.js")
    script = "([titles, query]) => Matching.search([{ weight: 1, texts: titles.map(Matching.fold) }], query).rows"
    assert [titles[row] for row in page.evaluate(script, [titles, query])] == found


def test_matching_words_are_marked(page: Page, site: Path) -> None:
    go(page, site, "index.html?q=invoises")
    assert page.locator("#results li").first.locator("h3 mark").all_text_contents() == ["Invoices"]
    page.fill("#query", "unvoices")
    assert page.locator("#results li").first.locator("h3 mark").all_text_contents() == ["Invoices"]


def test_shared_address_shows_same_filters_and_results(page: Page, site: Path) -> None:
    go(page, site)
    page.fill("#query", "a")
    page.get_by_label("Episode").select_option("one")
    page.get_by_label("Status").select_option("review")
    wait_for_query(page, "?q=a&episode=one&status=review")
    shared = page.url
    assert titles(page) == ["Added a dark theme to the mobile app"]
    page.goto("about:blank")
    page.goto(shared)
    assert titles(page) == ["Added a dark theme to the mobile app"]
    page.get_by_role("button", name="Clear the search").click()
    expect(page.locator("#query")).to_have_value("")
    wait_for_query(page, "")


def test_version_filter_highlights_and_sorting(page: Page, site: Path) -> None:
    go(page, site, "index.html?episode=one&sort=version")
    assert titles(page)[-1] == "Café opening hours"
    page.get_by_label("Sort by").select_option("id")
    assert titles(page)[0] == "Café opening hours"
    page.get_by_label("Highlights only").check()
    assert titles(page) == ["Added a dark theme to the mobile app"]
    go(page, site, "index.html?version=v4.9")
    assert titles(page) == ["Café opening hours"]


def test_link_to_id_shows_every_episode(page: Page, site: Path) -> None:
    go(page, site, "index.html#500111")
    assert titles(page) == ["Invoices again", "Invoices can be sorted by due date"]
    expect(page.locator("#count")).to_have_text("2 features with the id #500111")
    page.get_by_role("button", name="Clear the search").click()
    expect(page.locator("#count")).not_to_contain_text("500111")
    go(page, site, "index.html#999")
    expect(page.locator("#count")).to_have_text("Nothing found with the id #999")


def wait_for_sound(page: Page, second: float) -> None:
    """Wait until the audio plays, at this second or up to three later."""
    page.wait_for_function(
        """second => {
            const audio = document.querySelector("audio");
            const since = (audio?.currentTime ?? -1) - second;
            return audio && !audio.paused && !audio.seeking && audio.readyState > 2 && -0.1 <= since && since <= 3;
        }""",
        arg=second,
    )


def test_click_plays_from_second_in_same_page(page: Page, site: Path) -> None:
    go(page, site, "index.html?episode=one")
    page.get_by_role("button", name="Play from 0:30: Added a dark theme").click()
    wait_for_sound(page, 30)
    page.get_by_role("button", name="Play from 0:50: Café").click()
    wait_for_sound(page, 50)
    assert page.url.endswith("index.html?episode=one")
    expect(page.locator("#results li.playing h3")).to_have_text("Café opening hours")
    page.get_by_role("button", name="Close the player").click()
    expect(page.locator("audio")).to_have_count(0)


def test_keys_do_everything(page: Page, site: Path) -> None:
    go(page, site, "index.html?episode=one")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    wait_for_sound(page, 30)
    page.keyboard.press("ArrowRight")
    wait_for_sound(page, 35)
    page.keyboard.press("p")
    assert page.locator("audio").evaluate("audio => audio.paused")
    page.keyboard.press("/")
    expect(page.locator("#query")).to_be_focused()
    page.keyboard.type("p/")
    expect(page.locator("#query")).to_have_value("p/")
    page.get_by_text("Keys", exact=True).click()
    page.get_by_label("without a modifier").uncheck()
    page.keyboard.press("/")
    expect(page.locator("#query")).not_to_be_focused()


YOUTUBE = """<script>
const say = (info) => parent.postMessage(JSON.stringify({ event: "infoDelivery", info }), "*");
let now = Number(new URLSearchParams(location.search).get("start"));
addEventListener("message", (event) => {
  const { event: kind, func, args } = JSON.parse(event.data);
  if (kind === "listening") say({ currentTime: now, playerState: 1 });
  if (func === "seekTo") { now = args[0]; say({ currentTime: now, playerState: 1 }); }
});
</script>"""


def test_video_loads_once_and_only_when_played(chromium: Browser, site: Path) -> None:
    requests: list[str] = []

    def answer(route: Route) -> None:
        requests.append(route.request.url)
        route.fulfill(content_type="text/html", body=YOUTUBE)

    page = chromium.new_page()
    page.route(lambda url: url.startswith("https:"), answer)
    page.goto(f"{site.as_uri()}/episodes/video.html")
    page.wait_for_timeout(100)
    assert requests == []
    page.locator(".features .start").nth(0).click()
    page.wait_for_selector("iframe")
    expect(page.locator("li.playing h3")).to_have_text("Invoices again")
    page.locator(".features .start").nth(1).click()
    expect(page.locator("li.playing h3")).to_have_text("Nothing else")
    expect(page.get_by_role("link", name="Open on YouTube")).to_have_attribute(
        "href", "https://youtu.be/dQw4w9WgXcQ?t=120"
    )
    base = "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ?start=60&autoplay=1"
    assert [url[: len(base)] for url in requests] == [base]
    page.close()


def wait_for_word(page: Page, *words: str) -> None:
    """Wait until the transcript marks one of these words as spoken."""
    page.wait_for_function(
        "words => words.includes([...(CSS.highlights.get('spoken') ?? [])].map(String).join())", arg=list(words)
    )


def test_transcript_follows_and_plays_from_word(page: Page, site: Path) -> None:
    go(page, site, "episodes/one.html")
    page.locator(".features").get_by_role("button", name="Play from 0:10").click()
    wait_for_word(page, "Okay,", "first", "one,")
    page.locator("[data-paragraph]").filter(has_text="All right").click(position={"x": 12, "y": 12})
    wait_for_word(page, "All", "right,", "next")
    expect(page.locator(".features li.playing h3")).to_have_text("Added a dark theme to the mobile app")


def test_timeline_plays_and_shows_playhead(page: Page, site: Path) -> None:
    go(page, site, "episodes/one.html")
    assert page.locator(".bar").count() == 3
    page.locator(".bar").nth(1).click()
    wait_for_sound(page, 30)
    expect(page.locator("#playhead")).to_have_attribute("visibility", "visible")


def test_transcript_search_steps_through_matches(page: Page, site: Path) -> None:
    go(page, site, "episodes/one.html")
    page.get_by_label("Search the transcript").fill("dark  THEME")
    expect(page.locator("#matches")).to_have_text("1 of 2")
    page.keyboard.press("Enter")
    expect(page.locator("#matches")).to_have_text("2 of 2")
    page.get_by_role("button", name="Next match").click()
    expect(page.locator("#matches")).to_have_text("1 of 2")
    page.get_by_label("Search the transcript").fill("zebra")
    expect(page.locator("#matches")).to_have_text("none")


def test_search_page_loads_no_transcript(chromium: Browser, site: Path) -> None:
    page = chromium.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    go(page, site)
    page.fill("#query", "dark")
    assert [url for url in requests if "/episodes/" in url] == []
    page.close()


@pytest.mark.parametrize("address", ["index.html", "index.html?q=script", "episodes/hostile.html"])
def test_hostile_title_never_runs(page: Page, site: Path, address: str) -> None:
    go(page, site, address)
    expect(page.locator("li h3").filter(has_text=HOSTILE[1]).first).to_be_visible()
    page.mouse.move(300, 500)
    assert page.evaluate("window.hacked === undefined && !document.querySelector('img, textarea, svg[onload]')")


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
@pytest.mark.parametrize(
    "address", ["index.html?q=a", "index.html?q=zzz", "episodes/one.html", "episodes/hostile.html"]
)
def test_pages_are_accessible_and_not_cut_off(
    chromium: Browser, site: Path, address: str, width: int, scheme: str
) -> None:
    context = chromium.new_context(
        viewport={"width": width, "height": 800}, color_scheme="dark" if scheme == "dark" else "light", bypass_csp=True
    )
    page = context.new_page()
    go(page, site, address)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    results = Axe().run(
        page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    )
    violations = results.response["violations"]
    assert [(rule["id"], [node["html"][:120] for node in rule["nodes"][:2]]) for rule in violations] == []
    context.close()


def test_pages_fit_at_200_percent_zoom(page: Page, site: Path) -> None:
    """A window of 1280 by 800 at 200 % has 640 by 400 CSS pixels."""
    page.set_viewport_size({"width": 640, "height": 400})
    for address in ("index.html", "episodes/one.html"):
        go(page, site, address)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("getComputedStyle(document.querySelector('.finder, .listen')).position") == "static"


def test_print_leaves_out_controls(page: Page, site: Path) -> None:
    go(page, site, "index.html?episode=one")
    page.emulate_media(media="print")
    expect(page.locator("#finder")).to_be_hidden()
    expect(page.locator("#results li").first).to_be_visible()
    go(page, site, "episodes/one.html")
    expect(page.locator("audio")).to_be_hidden()
    expect(page.locator("#transcript")).to_be_visible()


def test_site_works_in_subfolder_of_web_host(chromium: Browser, site: Path) -> None:
    handler = functools.partial(_Quiet, directory=str(site.parent))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    page = chromium.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    host = f"http://127.0.0.1:{server.server_port}/"
    page.goto(f"{host}{site.name}/?q=dark")
    assert titles(page)[0] == "Added a dark theme to the mobile app"
    page.get_by_role("link", name="Added a dark theme to the mobile app").click()
    expect(page.locator("li:target h3")).to_have_text("Added a dark theme to the mobile app")
    page.locator("li:target .start").click()
    wait_for_sound(page, 30)
    assert all(url.startswith(host) for url in requests), json.dumps(requests)
    page.close()
    server.shutdown()
    server.server_close()
    thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    """Serves the files without logging."""

    def log_message(self, *_: object) -> None:
        """Log nothing."""
