"""Publish what the alignment found: catalog files, show notes, chapters, subtitles, the search site, search and scores.

`rows` defines the columns of the catalog and builds its rows; every other module starts from them. `tables` writes and
reads them as Parquet, CSV and JSON, `combined_csv` keeps the file of all episodes. `formats` lists the files of an
episode's notes, `show_notes`, `chapters` and `subtitles` return their text: a new format is a function there and a line
in `formats`. `site` decides which files of the search site are out of date, `site_pages` returns their text. `search`
finds rows, `evaluation` scores them, `ledger` compares them with whole release lists. The package knows neither how
starts are found nor how stages run.
"""
