"""Runs a module in a process whose clock is ahead by what a file says, at each look: `python -m tests.faults.other_clock FILE gunicorn …`.

The house has one clock (`kit.clock`, held by test_promises); libraries look at `time.time`. The steady clock stays steady,
as it does when an administrator sets the other one. (libfaketime breaks `time.sleep` of this Python.)
"""

import runpy
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path


def main() -> None:
    _script, file, module, *words = sys.argv
    path, real_time = Path(file), time.time

    def ahead() -> float:
        return float(path.read_text() or 0)

    class Shifted(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(seconds=ahead())

    time.time = lambda: real_time() + ahead()
    from conference.kit import clock

    clock.datetime = Shifted
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
