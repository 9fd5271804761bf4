"""Background work: Huey is the engine, rows in the database are the truth; every task may run twice.

The queue is made when it is first used: a web process that sends nothing never imports Huey.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask

from . import counts, logs, outage, presence

if TYPE_CHECKING:
    from huey import Huey

__all__ = ["all_the_time", "every_minute", "init", "queue", "wake", "work"]

Job = Callable[[], Any]

FAILED = "failed jobs"
LAST_WORDS = 5
"""Seconds that a steady job may still take when the worker ends."""

_first_use = threading.Lock()


class _Work:
    """The jobs of an app, and, once somebody asked for it, its queue."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.jobs: dict[str, Job] = {}
        self.steady: list[tuple[Job, float, Job]] = []
        self.huey: Huey | None = None
        self.tasks: dict[str, Any] = {}


def init(app: Flask) -> None:
    """Give the app a place for its jobs."""
    app.extensions["work"] = _Work(app)


def every_minute(app: Flask, name: str, job: Job) -> None:
    """Run the job each minute in the worker, and at once after `wake(app, name)`. Before the queue is first used."""
    app.extensions["work"].jobs[name] = job


def all_the_time(app: Flask, job: Job, seconds: float, at_the_end: Job) -> None:
    """Run the job every so many seconds while a worker runs, whatever its tasks do, and the other one when it ends well."""
    app.extensions["work"].steady.append((job, seconds, at_the_end))


def queue(app: Flask) -> "Huey":
    """The app's Huey with all jobs: a file in instance/ by default, Redis when FOLGETERMIN_QUEUE_URL says so."""
    work: _Work = app.extensions["work"]
    with _first_use:
        if work.huey is None:
            huey = _new_queue(app)
            # Its own app: who asks may hold only the proxy of the moment, which is gone when a task runs.
            work.tasks = {name: _register(work.app, huey, name, job) for name, job in work.jobs.items()}
            work.huey = huey
    return work.huey


def _new_queue(app: Flask) -> "Huey":
    from huey import RedisHuey, SqliteHuey  # Imports psycopg where it is installed.

    url = app.config["QUEUE_URL"]
    # No results: of a task that failed it would keep the trace, with whatever stands in it.
    if url:
        return RedisHuey("folgetermin", url=url, results=False)
    file = str(Path(app.instance_path, "queue.db"))
    return SqliteHuey("folgetermin", filename=file, results=False, immediate=False)


def _register(app: Flask, huey: "Huey", name: str, job: Job) -> Any:
    from huey import crontab

    def run() -> None:
        with app.app_context():
            try:
                job()
            except Exception as error:
                counts.add(FAILED)
                away = outage.judged(error)
                if away is None:
                    raise
                # Each job meets it each minute: one line each.
                app.logger.error("%s could not be done: %s", name, away.reason)

    run.__name__ = name.replace("-", "_")
    huey.periodic_task(crontab(minute="*"), name=f"{name}-each-minute")(run)
    return huey.task(name=f"{name}-now")(run)


def work(app: Flask) -> None:
    """Do what is asked and what is due until told to stop; SIGTERM and a closed terminal let a task end first."""
    from huey.consumer import Consumer

    class Worker(Consumer):
        """Huey's consumer, which would begin anew when its terminal is closed."""

        def start(self) -> None:
            super().start()
            signal.signal(signal.SIGHUP, lambda _number, _frame: os.kill(os.getpid(), signal.SIGTERM))

    presence.enter(app)
    logs.mask_last_words()
    # Two: letters go out while groups are being formed.
    with _steadily(app.extensions["work"]):
        Worker(
            queue(app), workers=2, initial_delay=0.2, max_delay=2, backoff=1.2, graceful_signal="TERM"
        ).run()


@contextmanager
def _steadily(work: _Work) -> Iterator[None]:
    is_over = threading.Event()
    threads = [
        threading.Thread(target=_repeat, args=(work.app, *each, is_over), daemon=True) for each in work.steady
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        for thread in threads:
            thread.join(LAST_WORDS)


def _repeat(app: Flask, job: Job, seconds: float, at_the_end: Job, is_over: threading.Event) -> None:
    _attempt(app, job)
    while not is_over.wait(seconds):
        _attempt(app, job)
    _attempt(app, at_the_end)


def _attempt(app: Flask, job: Job) -> None:
    with app.app_context():
        try:
            job()
        except Exception as error:  # noqa: BLE001 - the database may be away for a while; the next round tries again
            counts.add(FAILED)
            app.logger.warning("%s could not be done: %s", job.__name__, type(error).__name__)


def wake(app: Flask, name: str, seconds: float = 0) -> None:
    """Ask the worker to do a job now, or in so many seconds. Losing the call costs at most a minute."""
    queue(app)
    task = app.extensions["work"].tasks[name]
    if seconds:
        task.schedule(delay=seconds)
    else:
        task()
