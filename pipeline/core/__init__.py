"""What every other package uses: records, settings, files, text and clock times.

`schema` holds the records that pass between stages, and `serialization` their JSON. `config` (through `settings_file`)
reads the settings of a show and an episode; `corrections` reads and writes what people decided. `project` places every
file below one root; `storage` replaces files atomically; `state` knows what each file was made from. `text`, `times`,
`language`, `urls` and the package `audio` each hold what all packages share of their subject. Core imports no other
package of this project. Code that two packages need belongs here.
"""
