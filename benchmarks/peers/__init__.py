"""Other libraries on the same cases, in the same seconds, judged by the same measurement.

Each peer lives in a virtual environment of its own (`environments`), which does not have this library, and is asked by
a script (`scripts/`) that runs there. A row of a suite names it as `peer:NAME`; `worker` runs such a cell, and what it
writes is a row like any other.
"""
