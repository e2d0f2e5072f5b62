"""The review page in Chromium: play, move, confirm, reject, undo and align again, with keys and with the mouse."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from pipeline.core.corrections import Correction, Decision, load_corrections, save_correction
from pipeline.core.project import Project
from pipeline.core.storage import read_json, write_json
from pipeline.runs.workflow import run_stages
from tests.support.project import LINES, PAGE, FakeTranscriber, RecordingReporter, add_episode, make_transcript
from tests.support.review import ReviewServer, serve_in_thread
from tests.support.rows import HOSTILE

pytestmark = pytest.mark.browser

FIRST, SECOND = "Invoices can be sorted by due date", "Added a dark theme to the mobile app"


@pytest.fixture
def server(aligned: Project) -> Iterator[ReviewServer]:
    """The review of an episode with one unsure start that has alternatives, and one feature that was not found."""
    record = read_json(aligned.alignment("one"))
    record["placements"][0] |= {"status": "review", "confidence": 0.6, "alternatives": [40.0, 50.0]}
    absent = {"status": "not_found", "confidence": 0.5, "start": None, "end": None, "quote": ""}
    record["placements"][1] |= absent
    write_json(aligned.alignment("one"), record)
    yield from serve_in_thread(aligned)


@pytest.fixture
def page(chromium: Browser, server: ReviewServer) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda sent: None if sent.url.startswith(server.url) else errors.append(sent.url))
    page.goto(server.url)
    expect(page.locator("#title")).to_have_text(FIRST)
    expect(page.locator("#transcript p").first).to_contain_text("Hello")
    yield page
    context.close()
    assert errors == []


def decisions(server: ReviewServer) -> list[tuple[str | None, str, float | None]]:
    corrections = load_corrections(server.project.corrections("one"))
    return [(correction.title, correction.decision.value, correction.start) for correction in corrections]


def wait_for_audio(page: Page, first: float, last: float) -> None:
    """Wait until the audio plays at a position between two seconds."""
    page.wait_for_function(
        """([first, last]) => {
            const audio = document.querySelector("audio");
            return !audio.paused && !audio.seeking && first < audio.currentTime && audio.currentTime < last;
        }""",
        arg=[first, last],
    )


def is_playing(page: Page) -> bool:
    return bool(page.locator("audio").evaluate("audio => !audio.paused"))


def test_features_to_check_come_first(page: Page) -> None:
    expect(page.locator("#progress")).to_have_text("2 to check, 0 decided")
    assert page.locator("#to-check .name").all_text_contents() == [FIRST, SECOND]
    expect(page.locator("#reason")).to_contain_text("60 % sure")
    assert page.locator("#candidates button").all_inner_texts() == [
        "1 0:10 found", "2 0:40 also fits", "3 0:50 also fits", "4 0:11 page says",
    ]  # fmt: skip


def test_three_keys_review_two_features_and_finish(page: Page, server: ReviewServer) -> None:
    page.keyboard.press("Enter")
    expect(page.locator("#title")).to_have_text(SECOND)
    assert is_playing(page)
    page.keyboard.press("x")
    expect(page.locator("#finish")).to_be_focused()
    expect(page.locator("#progress")).to_have_text("All checked, 2 decided; finish to align again")
    assert decisions(server) == [(FIRST, "confirmed", 10.0), (SECOND, "not_discussed", None)]
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Nothing else moved")
    page.keyboard.press("Escape")
    expect(page.locator("#progress")).to_have_text("All checked, 2 decided")


def test_keys_choose_nudge_and_snap_starts(page: Page) -> None:
    start = page.locator("#start")
    for key, shown in (
        ("2", "0:40.0"), ("ArrowLeft", "0:39.0"), ("Shift+ArrowRight", "0:44.0"), ("[", "0:40.0"), ("]", "0:50.0"),
        ("Shift+ArrowLeft", "0:45.0"), ("1", "0:10.0"),
    ):  # fmt: skip
        page.keyboard.press(key)
        expect(start).to_have_text(shown)
    page.keyboard.press("Space")
    assert not is_playing(page)


def test_player_position_becomes_the_start(page: Page, server: ReviewServer) -> None:
    page.locator("audio").evaluate("audio => { audio.currentTime = 33.5; }")
    page.keyboard.press("t")
    expect(page.locator("#start")).to_have_text("0:33.5")
    page.get_by_role("button", name="Starts here").click()
    expect(page.locator("#status")).to_contain_text(f"Saved: “{FIRST}” moved at 0:33.5")
    assert decisions(server) == [(FIRST, "moved", 33.5)]


def test_space_plays_from_start_and_pauses(page: Page) -> None:
    page.keyboard.press("Space")
    wait_for_audio(page, 10, 12)
    page.keyboard.press("Space")
    assert not is_playing(page)


def test_click_plays_word_and_double_click_chooses_it(page: Page) -> None:
    first = page.locator("#transcript p").first
    place = {"x": 5, "y": 10}
    first.click(position=place)  # type: ignore[arg-type]
    wait_for_audio(page, 0, 5)
    expect(page.locator("#start")).to_have_text("0:10.0")
    first.dblclick(position=place)  # type: ignore[arg-type]
    expect(page.locator("#start")).to_have_text("0:00.0")


def test_undo_and_withdraw_a_decision(page: Page, server: ReviewServer) -> None:
    page.keyboard.press("Enter")
    expect(page.locator("#title")).to_have_text(SECOND)
    page.keyboard.press("u")
    expect(page.locator("#title")).to_have_text(FIRST)
    expect(page.locator("#status")).to_have_text("Undone.")
    assert decisions(server) == []
    page.keyboard.press("Enter")
    expect(page.locator("#title")).to_have_text(SECOND)
    page.keyboard.press("k")
    expect(page.locator("#title")).to_have_text(FIRST)
    page.get_by_role("button", name="Withdraw the decision").click()
    expect(page.locator("#status")).to_contain_text("Withdrawn")
    assert decisions(server) == []


def test_reload_loses_nothing(page: Page, server: ReviewServer) -> None:
    page.keyboard.press("Enter")
    expect(page.locator("#title")).to_have_text(SECOND)
    page.reload()
    expect(page.locator("#progress")).to_have_text("1 to check, 1 decided; finish to align again")
    expect(page.locator("#title")).to_have_text(SECOND)
    expect(page.locator("#undo")).to_be_enabled()


def test_conflict_shows_the_other_decision(page: Page, server: ReviewServer) -> None:
    theirs = Correction(feature_id=500111, title=FIRST, decision=Decision.MOVED, start=9.0, who="Bo")
    save_correction(server.project, "one", theirs)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("somebody else has just decided")
    expect(page.locator("#reason")).to_have_text("moved by Bo")
    assert decisions(server) == [(FIRST, "moved", 9.0)]


def test_refused_decision_shows_error_and_saves_nothing(page: Page, server: ReviewServer) -> None:
    path = server.project.corrections("one")
    path.parent.mkdir(exist_ok=True)
    path.write_text("corrections: [broken")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("one.yaml line")
    expect(page.locator("#progress")).to_contain_text("2 to check")


def test_keys_can_be_switched_off(page: Page, server: ReviewServer) -> None:
    page.get_by_text("Keys", exact=True).click()
    page.get_by_label("Use these keys").uncheck()
    page.locator("#feature").focus()
    page.keyboard.press("x")
    page.wait_for_timeout(200)
    assert decisions(server) == []


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_page_is_accessible_and_not_cut_off(chromium: Browser, server: ReviewServer, width: int, scheme: str) -> None:
    context = chromium.new_context(
        viewport={"width": width, "height": 800}, color_scheme="dark" if scheme == "dark" else "light", bypass_csp=True
    )
    page = context.new_page()
    page.goto(server.url)
    expect(page.locator("#transcript p").first).to_contain_text("Hello")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    violations = Axe().run(page).response["violations"]
    assert [(rule["id"], [node["html"][:120] for node in rule["nodes"][:2]]) for rule in violations] == []
    context.close()


def test_hostile_titles_are_plain_text(chromium: Browser, project: Project, transcriber: FakeTranscriber) -> None:
    lines = [*LINES, *HOSTILE[:5]]
    add_episode(project, "one", page="Full Feature review:\n" + "\n".join(f"{title} | v4.10" for title in HOSTILE[:5]))
    hostile = FakeTranscriber(make_transcript(lines))
    stages = ("download", "transcribe", "align", "publish")
    run_stages(project, ["one"], stages, transcriber=lambda show: hostile, reporter=RecordingReporter())
    settings = project.episode("one")
    settings.write_text(settings.read_text().replace("title: Episode one", f"title: '{HOSTILE[0]}'"))
    assert PAGE not in (project.root / "one.txt").read_text()
    for server in serve_in_thread(project):
        page = chromium.new_page()
        page.goto(server.url)
        expect(page.locator("#episode")).to_have_text(HOSTILE[0])
        for _ in range(5):
            page.keyboard.press("j")
        assert page.evaluate("window.hacked === undefined && !document.querySelector('img, svg[onload]')")
        page.close()


def test_decision_without_feature_is_attached_by_click(page: Page, server: ReviewServer) -> None:
    path = server.project.corrections("one")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("corrections:\n  - title: Themes at night\n    decision: moved\n    start: 0:44\n    who: Cleo\n")
    page.reload()
    expect(page.locator("#unmatched .name")).to_have_text("Themes at night")
    page.get_by_role("button", name="Attach the decision about Themes at night").click()
    expect(page.locator("#status")).to_contain_text(f"Attached: the decision is about “{FIRST}” now.")
    expect(page.locator("#unmatched-heading")).to_be_hidden()
    assert decisions(server) == [(FIRST, "moved", 44.0)]


def test_changed_alignment_is_shown_and_nothing_saved(page: Page, server: ReviewServer) -> None:
    record = read_json(server.project.alignment("one"))
    record["placements"][0]["start"] = 12.0
    write_json(server.project.alignment("one"), record)
    page.keyboard.press("Enter")
    expect(page.locator("#error")).to_have_text("the alignment changed: look again")
    expect(page.locator("#start")).to_have_text("0:12.0")
    assert decisions(server) == []
