"""One entry of a corrections file changes, and every other character of the file stays."""

import pytest

from pipeline.core.corrections_text import UneditableError, add_item, change_item, read_item, remove_item

FILE = """# ours
corrections:
  # the first
  - feature_id: 11   # see ticket
    decision: moved
    start: 0:31  # before the joke
    why: |
      # not a comment
      two lines

  # the second
  - title: "A: b"
    decision: confirmed
    start: 89
# the end
"""
FIRST = {"feature_id": 11, "decision": "moved", "start": 31.0, "why": "# not a comment\ntwo lines"}


def test_changed_field_leaves_the_rest() -> None:
    changed = change_item(FILE, 0, FIRST, {**FIRST, "start": 40.0, "who": "Bo"})
    assert changed == FILE.replace("start: 0:31", "start: 40.0").replace("two lines\n", "two lines\n    who: Bo\n")


def test_removed_field_leaves_its_comment() -> None:
    changed = change_item(FILE, 0, FIRST, {"feature_id": 11, "decision": "not_discussed"})
    assert "    # before the joke\n" in changed
    assert "two lines" not in changed
    assert "  # the second\n" in changed


def test_removed_entry_leaves_other_comments() -> None:
    removed = remove_item(FILE, 0)
    assert removed == FILE[: FILE.index("  - feature_id")] + FILE[FILE.index("\n  # the second") :]


def test_new_entry_stands_at_the_end() -> None:
    added = add_item(FILE, {"title": "New", "decision": "not_discussed"})
    assert added == FILE + "  - title: New\n    decision: not_discussed\n"
    assert read_item(added, 2) == "  - title: New\n    decision: not_discussed\n"


def test_document_end_stays_behind_new_entry() -> None:
    text = "---\ncorrections:\n- title: A\n  decision: not_discussed\n...\n"
    assert add_item(text, {"title": "B"}) == text.replace("...", "- title: B\n...")


@pytest.mark.parametrize(
    ("text", "added"),
    [
        ("corrections:\n", "corrections:\n  - title: B\n"),
        ("corrections: []  # none\n", "corrections:  # none\n  - title: B\n"),
        ("corrections: ~", "corrections:\n  - title: B\n"),
        ("corrections: [{title: A}]\n", "corrections: [{title: A}, {title: B}]\n"),
    ],
)
def test_other_layouts_take_an_entry(text: str, added: str) -> None:
    assert add_item(text, {"title": "B"}) == added


def test_entries_in_brackets_change() -> None:
    text = "corrections: [{title: A}, {title: 'B, c'}]\n"
    assert change_item(text, 1, {"title": "B, c"}, {"title": "B"}) == "corrections: [{title: A}, {title: B}]\n"
    assert remove_item(text, 0) == "corrections: [{title: 'B, c'}]\n"
    assert remove_item(text, 1) == "corrections: [{title: A}]\n"


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ("  - title: A\n    <<: &base\n      start: 3\n", 3),
        ("  - &first\n    title: A\n", 2),
        ("  - title: !!str A\n", 2),
    ],
)
def test_anchor_merge_key_or_tag_is_refused(entry: str, line: int) -> None:
    text = f"corrections:\n{entry}  - title: B\n"
    with pytest.raises(UneditableError, match=f"line {line}: this entry holds an anchor"):
        remove_item(text, 0)
    with pytest.raises(UneditableError, match=f"line {line}: this entry holds an anchor"):
        change_item(text, 0, {"title": "A"}, {"title": "C"})
    assert remove_item(text, 1) == f"corrections:\n{entry}"
