"""A simple model of people's decisions about a list that is edited meanwhile, and a random walk that checks it.

Every entry of the model has an identity of its own, which the program never sees. After each step, the file holds
exactly the decisions that the model holds, and a decision is with its own entry, with none, or the person is told.
"""

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from pipeline.core.corrections import CorrectionsFile, load_corrections
from pipeline.core.errors import InputError
from pipeline.core.project import Project
from pipeline.core.schema import Alignment, Feature, Method, Placement, Status
from pipeline.core.serialization import alignment_to_json, features_to_json
from pipeline.core.storage import write_bytes, write_json
from pipeline.feature_lists.writer import dump_features
from pipeline.review.session import ReviewSession
from pipeline.review.view import ConflictError

ACTIONS = "Added Removed Enabled Disabled Sorted Unsorted".split()
SUBJECTS = "invoices bookings readers scanners kiosks shelves notices fines loans branches calendars barcodes".split()
DETAILS = "C++|C#|Node 1.1|Node 11|Windows 10|Windows 11|한글|日本語|plan A|plan B|PDF files|CSV files".split("|")

# Revisions of the list that the walk keeps.
KEPT_REVISIONS = 12
PEOPLE = ("Anna", "Bo")


@dataclass
class Entry:
    """An entry of the model."""

    identity: int
    title: str
    feature_id: int | None


@dataclass
class Decided:
    """A decision of the model: whose it is, and the name of its entry when it was made."""

    identity: int
    name: tuple[int | None, str]


@dataclass
class Walk:
    """A random walk over one episode. A decision is named by its start, which no two decisions share."""

    root: Path
    random: random.Random
    listed: list[Entry] = field(default_factory=list)
    removed: list[Entry] = field(default_factory=list)
    decisions: dict[float, Decided] = field(default_factory=dict)
    before: list[tuple[dict[float, Decided], str]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    titles: set[str] = field(default_factory=set)
    identities: int = 0
    second: int = 0

    def __post_init__(self) -> None:
        """Make the episode, its first list and two open reviews."""
        self.project = Project(self.root)
        _write_episode(self.project)
        for _ in range(6):
            self.add_entry()
        self.align()
        self.sessions = {who: ReviewSession.open(self.project, "one", who) for who in PEOPLE}
        self.pages = {who: session.read_state() for who, session in self.sessions.items()}

    def step(self) -> None:
        """Do one random thing, and check what is on disk."""
        edits = (
            self.add_entry, self.remove_entry, self.readd_entry, self.reorder, self.mistype, self.reword,
            self.change_id, self.swap_titles, self.take_id_over,
        )  # fmt: skip
        acts = (self.decide, self.decide, self.decide, self.undo, self.withdraw, self.attach, self.look, self.kill)
        act = self.random.choice((*edits, *acts))
        self.counts[act.__name__] += 1
        act()
        if act in edits:
            self.align()
        self.check()

    # What happens to the list

    def add_entry(self) -> None:
        """Add an entry whose title differs from others by a word, a number, a sign or an opposite."""
        for _ in range(50):
            words = self.random.choice(ACTIONS), self.random.choice(SUBJECTS), self.random.choice(DETAILS)
            title = f"{words[0]} {words[1]} for {words[2]}"
            if title not in self.titles:
                self.titles.add(title)
                self.identities += 1
                self.listed.append(Entry(self.identities, title, self._new_id()))
                return

    def remove_entry(self) -> None:
        """Remove an entry."""
        if len(self.listed) > 3:
            self.removed.append(self.listed.pop(self.random.randrange(len(self.listed))))

    def readd_entry(self) -> None:
        """Add an entry that was removed, as it was."""
        if self.removed:
            entry = self.removed.pop(self.random.randrange(len(self.removed)))
            if entry.feature_id is None or all(other.feature_id != entry.feature_id for other in self.listed):
                self.listed.append(entry)

    def reorder(self) -> None:
        """Put the entries in another order."""
        self.random.shuffle(self.listed)

    def mistype(self) -> None:
        """Change a letter of a title, or its layout."""
        entry = self.random.choice(self.listed)
        slip = self.random.choice((lambda t: t.replace("o", "oo", 1), lambda t: f"{t}!", str.upper, lambda t: f" {t} "))
        self._retitle(entry, slip(entry.title))

    def reword(self) -> None:
        """Give an entry other words, of which some stay."""
        entry = self.random.choice(self.listed)
        self._retitle(entry, f"Better {entry.title} everywhere {self.random.choice(SUBJECTS)}")

    def change_id(self) -> None:
        """Correct, add or remove an id."""
        self.random.choice(self.listed).feature_id = self._new_id()

    def swap_titles(self) -> None:
        """Exchange two titles: the entries are where their wordings are."""
        one, other = self.random.sample(self.listed, 2)
        one.feature_id, other.feature_id = other.feature_id, one.feature_id

    def take_id_over(self) -> None:
        """Give the id of an entry that is gone to another one."""
        if self.removed:
            self.random.choice(self.listed).feature_id = self.removed.pop().feature_id

    def align(self) -> None:
        """Write the alignment and the revision of the list, as a run would."""
        ids = Counter(entry.feature_id for entry in self.listed)
        for entry in self.listed:
            if ids[entry.feature_id] > 1:
                entry.feature_id = self._new_id()
        features = [
            Feature(position, entry.title.strip(), feature_id=entry.feature_id)
            for position, entry in enumerate(self.listed, start=1)
        ]
        placements = tuple(Placement(f.position, 1.0, None, Status.REVIEW, 0.5, Method.PHRASE, "") for f in features)
        record = {"features": features_to_json(features), "placements": alignment_to_json(Alignment(placements))}
        write_json(self.project.alignment("one"), record)
        revisions = self.project.lists("one")
        name = f"{sum(self.counts.values()):012x}.json"
        write_bytes(revisions / name, dump_features(features, ".json").encode())
        for path in sorted(revisions.iterdir())[:-KEPT_REVISIONS]:
            path.unlink()

    # What people do

    def look(self) -> None:
        """Reload a page."""
        who = self.random.choice(PEOPLE)
        self.pages[who] = self.sessions[who].read_state()

    def decide(self) -> None:
        """Decide about a feature of a page that may be old."""
        who, feature = self._choose_feature()
        self.second += 1
        entry = self._shown(feature)
        made = self._change(who, lambda: self.sessions[who].decide(*self._request(feature, float(self.second))))
        if made:
            assert entry is not None, "a decision about an entry that is gone was saved"
            self._replace(feature, float(self.second), Decided(entry.identity, _name(entry)))

    def withdraw(self) -> None:
        """Withdraw a decision that a page shows."""
        who, feature = self._choose_feature()
        if feature["decision"] is None:
            return
        if self._change(who, lambda: self.sessions[who].withdraw(feature["position"], feature["signature"])):
            del self.decisions[feature["decision"]["start"]]

    def attach(self) -> None:
        """Give a decision without a feature to its own entry, where a page shows both."""
        who = self.random.choice(PEOPLE)
        for lost in self.pages[who]["unmatched"]:
            known = self.decisions.get(lost["start"])
            for feature in self.pages[who]["features"]:
                entry = self._shown(feature)
                if known and entry and entry.identity == known.identity:
                    request = (lost["signature"], feature["position"], feature["signature"])
                    if self._change(who, lambda call=request: self.sessions[who].attach(*call)):
                        self.decisions[lost["start"]] = Decided(known.identity, _name(entry))
                        self.counts["attached"] += 1
                    return

    def undo(self) -> None:
        """Undo the latest decision: the file is as it was before."""
        who = self.random.choice(PEOPLE)
        self.sessions[who].undo()
        if self.before:
            self.decisions, text = self.before.pop()
            if self.decisions:
                assert self._read_text() == text
        self.pages[who] = self.sessions[who].read_state()

    def kill(self) -> None:
        """End the program while it saves a decision: it is saved as a whole, or not at all."""
        who = self.random.choice(PEOPLE)
        self.pages[who] = self.sessions[who].read_state()
        feature = self.random.choice(self.pages[who]["features"])
        entry, known, text = self._shown(feature), dict(self.decisions), self._read_text()
        self.second += 1
        early, save = self.random.random() < 0.5, CorrectionsFile.save

        def die(file: CorrectionsFile) -> None:
            if not early:
                save(file)
            raise KeyboardInterrupt

        with mock.patch.object(CorrectionsFile, "save", die):
            try:
                self.sessions[who].decide(*self._request(feature, float(self.second)))
            except KeyboardInterrupt:
                if not early and entry is not None:
                    self.before.append((known, text))
                    self._replace(feature, float(self.second), Decided(entry.identity, _name(entry)))
            except InputError:
                self.counts["refused"] += 1

    # What must hold

    def check(self) -> None:
        """Check that no decision is lost, doubled or with another entry in silence."""
        saved = [one.start or 0.0 for one in load_corrections(self.project.corrections("one"))]
        assert sorted(saved) == sorted(self.decisions), (saved, self.decisions)
        view = self.sessions["Anna"]._read_view()
        told = " ".join(view.matches.reworded)
        where = {one.start: self.listed[position - 1] for position, one in view.matches.by_position.items()}
        for start, decided in self.decisions.items():
            entry = where.get(start)
            if entry is None:
                own = [other for other in self.listed if other.identity == decided.identity]
                assert not own or _name(own[0]) != decided.name, f"{decided} is not with its entry"
                self.counts["without entry"] += 1
            elif entry.identity != decided.identity:
                assert f'"{entry.title.strip()}"' in told, f"{decided} is with {entry} in silence"
                self.counts["told"] += 1
            else:
                self.counts["with its entry"] += 1

    def _change(self, who: str, change: Any) -> bool:
        """Whether a change of a page was accepted; the page is reloaded then and after a refusal."""
        known, text = dict(self.decisions), self._read_text()
        try:
            change()
        except (ConflictError, InputError) as error:
            self.counts[type(error).__name__] += 1
            return False
        finally:
            self.pages[who] = self.sessions[who].read_state()
        self.before.append((known, text))
        return True

    def _replace(self, feature: dict[str, Any], start: float, decided: Decided) -> None:
        if feature["decision"] is not None:
            del self.decisions[feature["decision"]["start"]]
        self.decisions[start] = decided

    def _choose_feature(self) -> tuple[str, dict[str, Any]]:
        who = self.random.choice(PEOPLE)
        return who, self.random.choice(self.pages[who]["features"])

    def _shown(self, feature: dict[str, Any]) -> Entry | None:
        """The entry that a page shows, if it is still in the list under that name."""
        name = feature["feature_id"], feature["title"]
        return next((entry for entry in self.listed if _name(entry) == name), None)

    def _request(self, feature: dict[str, Any], start: float) -> tuple[int, float, str]:
        return feature["position"], start, feature["signature"]

    def _retitle(self, entry: Entry, title: str) -> None:
        if title not in self.titles and len(title) < 200:
            self.titles.add(title)
            entry.title = title

    def _new_id(self) -> int | None:
        return self.random.choice((None, 500_000 + self.random.randrange(400_000)))

    def _read_text(self) -> str:
        path = self.project.corrections("one")
        return path.read_text(encoding="utf-8") if path.exists() else ""


def _name(entry: Entry) -> tuple[int | None, str]:
    return entry.feature_id, entry.title.strip()


def _write_episode(project: Project) -> None:
    """Write the files that a review reads besides the list, the alignment and the corrections."""
    write_bytes(project.show, b"name: Show\n")
    write_bytes(project.episode("one"), b"title: One\nsource: one.ogg\nfeatures: one.json\n")
    write_bytes(project.transcript("one"), b'{"segments": []}')
    write_bytes(project.raw("one") / "audio.ogg", b"")
    record = {"file": "audio.ogg", "sha256": "0", "duration": 10_000_000.0, "source": "one.ogg"}
    write_json(project.raw("one") / "audio.json", record)
