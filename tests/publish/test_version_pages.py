"""The pages of the versions and `by-id.json`: what they hold, what is escaped, and when they are rewritten."""

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from pipeline.core.config import ShowConfig
from pipeline.core.project import Project
from pipeline.core.schema import Feature
from pipeline.publish.ledger import build_ledger
from pipeline.publish.rows import CatalogRow
from pipeline.publish.site import write_site
from pipeline.publish.tables import build_table, ledger_schema, write_catalog, write_parquet
from pipeline.publish.version_pages import name_pages
from tests.support.rows import HOSTILE, episode_rows

LISTED = ("Invoices can be sorted", "Dark theme", "Offline maps")
VERSION = "v4.10"


def list_features(*titles: str) -> tuple[Feature, ...]:
    """Return a release list with the ids of `episode_rows`."""
    return tuple(Feature(n, title, f"About {title}.", 500_000 + n) for n, title in enumerate(titles, start=1))


def write_show(
    project: Project, releases: Mapping[str, Sequence[Feature]], *episodes: Sequence[CatalogRow], ledger: bool = True
) -> Path:
    """Write the catalog, the ledger and the site of a show; return the site's folder."""
    for rows in episodes:
        write_catalog(tuple(rows), project.catalog(rows[0].episode_id))
    catalog = {rows[0].episode_id: rows for rows in episodes}
    if ledger:
        entries = build_ledger("Show", releases, catalog, is_callback=lambda quote: quote == "Again")
        write_parquet(build_table(entries, ledger_schema()), project.ledger)
    listed = [{"version": version, "list": "list.csv"} for version in releases]
    show = ShowConfig.model_validate({"name": "Show", "releases": listed})
    write_site(project, show, find_audio=lambda _: None, warn=lambda name, message: None)
    return project.site


def read_moments(site: Path) -> dict[str, list[dict[str, Any]]]:
    record = json.loads((site / "data" / "by-id.json").read_text())
    assert record["schema"] == 1
    moments: dict[str, list[dict[str, Any]]] = record["moments"]
    return moments


ONE = episode_rows("one", *LISTED[:2], published=date(2026, 11, 2))
TWO = tuple(replace(row, quote="Again") for row in episode_rows("two", LISTED[0], published=date(2026, 11, 9)))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_show(Project(tmp_path), {VERSION: list_features(*LISTED)}, TWO, ONE)


def test_page_lists_moments_and_what_is_to_come(site: Path) -> None:
    page = (site / "versions" / "v4.10.html").read_text()
    assert "<h1>v4.10: 2 of 3 discussed, 1 to come</h1>" in page
    assert page.count('data-state="discussed"') == 2
    assert page.count("not yet</p>") == 1
    assert 'href="https://example.org/?t=60&amp;x=1"' in page
    assert 'href="../episodes/two.html#500001"' in page
    assert page.count(">mention</span>") == 1
    assert 'href="versions/v4.10.html">v4.10: 2 of 3 discussed' in (site / "index.html").read_text()


def test_by_id_holds_moments_by_publication(site: Path) -> None:
    moments = read_moments(site)
    assert list(moments) == ["500001", "500002", "500003"]
    assert [(moment["episode_id"], moment["kind"]) for moment in moments["500001"]] == [
        ("one", "discussion"),
        ("two", "mention"),
    ]
    assert moments["500003"] == []
    assert moments["500002"] == [
        {
            "version": VERSION, "title": "Dark theme", "episode_id": "one", "episode_title": "Episode one",
            "published_on": "2026-11-02", "start_s": 120.5, "start": "2:00", "url": "https://example.org/?t=120&x=1",
            "status": "confident", "confidence": 0.9877, "page": "episodes/one.html#500002", "kind": "discussion",
        }
    ]  # fmt: skip


def test_by_id_needs_no_release_list(tmp_path: Path) -> None:
    rows = [*ONE, replace(ONE[0], position=3, start_s=400.0), replace(ONE[0], position=4, feature_id=None)]
    rows[1] = replace(rows[1], feature_id=7, feature_key="PROJ-7", url="javascript:alert(1)")
    site = write_show(Project(tmp_path), {}, rows, ledger=False)
    assert not (site / "versions").exists()
    moments = read_moments(site)
    assert list(moments) == ["500001", "PROJ-7"]
    assert [moment["page"] for moment in moments["500001"]] == ["episodes/one.html#500001", "episodes/one.html#p3"]
    assert (moments["PROJ-7"][0]["url"], moments["PROJ-7"][0]["kind"]) == (None, None)


def test_ids_follow_their_numbers(tmp_path: Path) -> None:
    ids = ("1000", "99", "KB5", "9" * 5000)
    rows = [replace(row, feature_key=key) for row, key in zip(episode_rows("one", *"abcd"), ids, strict=True)]
    assert list(read_moments(write_show(Project(tmp_path), {}, rows))) == ["99", "1000", "9" * 5000, "KB5"]


def test_only_page_of_changed_version_is_rewritten(tmp_path: Path) -> None:
    project = Project(tmp_path)
    other = (Feature(1, "Something else", "", 600_001),)
    site = write_show(project, {VERSION: list_features(*LISTED), "v4.11": other}, ONE)
    first = {name: (site / "versions" / f"{name}.html").stat().st_mtime_ns for name in (VERSION, "v4.11")}
    episode = (site / "episodes" / "one.html").stat().st_mtime_ns
    write_show(project, {VERSION: list_features(*LISTED, "One more"), "v4.11": other}, ONE)
    after = {name: (site / "versions" / f"{name}.html").stat().st_mtime_ns for name in (VERSION, "v4.11")}
    assert after[VERSION] != first[VERSION]
    assert after["v4.11"] == first["v4.11"]
    assert (site / "episodes" / "one.html").stat().st_mtime_ns == episode


def test_same_ledger_gives_same_bytes(site: Path) -> None:
    names = ("versions/v4.10.html", "data/by-id.json")
    first = [(site / name).read_bytes() for name in names]
    shutil.rmtree(site)
    write_show(Project(site.parents[2]), {VERSION: list_features(*LISTED)}, ONE, TWO)
    assert [(site / name).read_bytes() for name in names] == first


def test_page_of_removed_version_is_removed(site: Path) -> None:
    write_show(Project(site.parents[2]), {"v4.11": list_features(*LISTED)}, ONE, TWO)
    assert [path.name for path in (site / "versions").iterdir()] == ["v4.11.html"]


def test_version_missing_in_ledger_has_a_page(site: Path) -> None:
    project = Project(site.parents[2])
    write_show(project, {VERSION: list_features(*LISTED), "v4.11": ()}, ONE, TWO)
    assert "v4.11: its list is not in the ledger yet" in (site / "versions" / "v4.11.html").read_text()


def test_damaged_ledger_does_not_prevent_search(site: Path) -> None:
    project = Project(site.parents[2])
    project.ledger.write_bytes(b"damaged")
    write_show(project, {VERSION: list_features(*LISTED)}, ONE, TWO, ledger=False)
    assert "its list is not in the ledger yet" in (site / "versions" / "v4.10.html").read_text()
    assert list(read_moments(site)) == ["500001", "500002"]


def test_page_names_are_safe_and_distinct() -> None:
    versions = ("v2.204", "2026/11", "2026 11", "../../x", "NUL", "V2/204", "v2-204", "版本", "a" * 300)
    assert list(name_pages(versions).values()) == [
        "v2.204", "2026-11", "2026-11-2", "x", "version-NUL", "V2-204", "v2-204-2", "version", "a" * 80,
    ]  # fmt: skip


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A site whose every text would run where a page did not escape it."""
    rows = [
        replace(row, episode_title=HOSTILE[0], url="javascript:window.hacked = 1", quote=row.title)
        for row in episode_rows("one", *HOSTILE, published=date(2026, 11, 2))
    ]
    return write_show(Project(tmp_path), {HOSTILE[2]: list_features(*HOSTILE, "To come")}, rows)


@pytest.mark.browser
def test_filter_and_search_work_from_disk(chromium: Browser, site: Path) -> None:
    page = open_page(chromium, site / "versions" / "v4.10.html")
    page.locator("select[name=show]").select_option("to-come")
    assert shown(page) == ["Offline maps"]
    expect(page.get_by_role("status")).to_have_text("1 of 3 entries")
    page.get_by_role("button", name="Clear the search").click()
    page.keyboard.type("invoises")
    assert shown(page) == ["Invoices can be sorted"]
    expect(page).to_have_url(re.compile(r"\?q=invoises$"))
    page.reload()
    assert shown(page) == ["Invoices can be sorted"]
    page.focus("#query")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.textContent") == "Invoices can be sorted"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "query"
    page.fill("#query", "500002")
    assert shown(page) == ["Dark theme"]
    page.fill("#query", "zzz")
    expect(page.get_by_role("status")).to_have_text("Nothing found")
    page.context.close()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_accessible_at_phone_width(chromium: Browser, site: Path, scheme: str) -> None:
    page = open_page(chromium, site / "versions" / "v4.10.html", color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    page.context.close()


@pytest.mark.browser
def test_hostile_texts_are_shown_not_run(chromium: Browser, hostile: Path) -> None:
    (path,) = (hostile / "versions").iterdir()
    page = open_page(chromium, path)
    assert page.evaluate("window.hacked") is None
    assert len(shown(page)) == len(HOSTILE) + 1
    assert shown(page)[0] == HOSTILE[0]
    assert page.locator("a[href^='javascript:']").count() == 0
    page.context.close()


def open_page(chromium: Browser, path: Path, **options: Any) -> Page:
    """Open a page at phone width; a script error fails the test that closes it."""
    context = chromium.new_context(viewport={"width": 400, "height": 800}, **options)
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(path.as_uri())
    return page


def shown(page: Page) -> list[str]:
    return page.locator("#entries > li:visible h3").all_text_contents()
