"""Commands in processes of their own, without the second in which each of them would import the product anew.

A process that has made an app, and nothing else, forks for each command, which gets its own settings, streams and end.
That commands also start from nothing is proved where the demo and the empty database are made, in `test_groups_solve`,
`test_serving` and `test_thrift`.
"""

import gc
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[1]


class Zygote:
    """Runs commands as `python -m flask --app wsgi …` would."""

    def __init__(self, folder: Path) -> None:
        self.streams = [str(folder / name) for name in ("stdout", "stderr")]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.zygote", str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, words: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, with these words and nothing else in its environment."""
        assert self.process.stdin and self.process.stdout
        order = {"words": list(words), "environment": dict(environment), "streams": self.streams}
        print(json.dumps(order), file=self.process.stdin, flush=True)
        code = int(self.process.stdout.readline())
        out, err = (Path(path).read_text(encoding="utf-8") for path in self.streams)
        return subprocess.CompletedProcess(words, code, out, err)

    def stop(self) -> None:
        """Let the process end; nobody writes to it any more."""
        self.process.communicate()


def _serve(folder: str) -> None:
    from conference import create_app

    create_app({"INSTANCE": folder})
    import_module("flask_limiter.commands")  # as each command of Flask does
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _become(**json.loads(line))
        _pid, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _become(words: list[str], environment: dict[str, str], streams: list[str]) -> None:
    from flask.cli import main

    for number, path in enumerate([os.devnull, *streams]):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), number)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["flask", "--app", "wsgi", *words]
    main()


if __name__ == "__main__":
    _serve(sys.argv[1])
