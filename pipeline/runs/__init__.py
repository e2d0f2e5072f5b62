"""Run the stages of episodes, doing only what is not up to date.

`workflow.run_stages` holds the project's lock, calls `episode.run_episode` for each episode (in this process, or
through an engine: `process_pool` or `ray_engine`), and ends with the files that all episodes share and with a run
`report`. `workflow.list_stage_statuses` says what a run would do; `history` and `diff` compare runs; `doctor` checks
what a run needs. `releases` finds the show's release lists, `episode_list` makes an episode's list of them, and
`ledger` keeps what was discussed of them. Each stage is a module of `stages`, which connects the project's folders with
`download`, `transcribe`, `align` and `publish`. This package prints nothing: it calls a `reporter.Reporter`, and knows
neither the command line nor the review page. To add a check, extend `doctor`; to add a stage, see `stages`.
"""
