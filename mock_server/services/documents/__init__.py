"""From files to one shape: Swagger 2.0, OpenAPI 3.0 and 3.1 documents become the same operations.

`text` reads YAML and JSON within bounds, `files` follows references between files, `schemas` turns the versions'
schemas into JSON Schema (`translation`, `closing`, `annotations`) and compiles them when they are first used, `shape`
is what comes out, `reader` and `swagger2` make it, `held` tells which parameters the access rules look at, `report`
gathers what is wrong, and `lines` finds where it stands. `samples` builds values from schemas, `fitting` mends stored
ones to what an answer wants; `outline`, `patterns` and `plain_values` stand behind both.
"""
