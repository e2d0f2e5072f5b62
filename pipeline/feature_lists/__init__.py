"""Read, check, merge, compare, fill and write the feature lists of episodes.

The entry point is `load.load_features`: `documents` and `tables` read a file of any format as numbered lines or rows,
`lines` finds the markers in a line (id, version, time), `page` decides which lines are entries, `merge` merges
highlights and repeats, and `checks` makes the warnings. `writer`, `diff`, `fill` and `releases` (joins the lists of
several versions) work on finished lists. The package knows neither the network nor the audio: `download` fetches lists
and keeps their revisions. A new format is a reader in `documents`; a new column is a field of `core.schema.Feature` and
an item of `tables.COLUMNS`.
"""
