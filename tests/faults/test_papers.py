"""A paper whose maker dies or gives up: the page says so, nothing is left of it, and the next try works (F13)."""

import os
import signal
import threading
from http.client import HTTPConnection
from pathlib import Path

from conference.agenda import operations as agenda
from conference.kit import unit

from ..builders import an_account, an_item
from ..kit.pdf_pages import text
from ..minutes.conftest import EVENING, a_day, write_frame
from ..servers import wait_until, web
from .running import signed_in

PDF = "/conferences/june-2023/minutes/draft.pdf"
DEEP = "> " * 400 + "Ganz unten steht etwas."


def children_of(pid):
    """The processes below this one, also those that have ended and that nobody has taken note of."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(word) for one in lists for word in one.read_text().split()]


def words_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def asked(person):
    """The paper, or the page that says why there is none."""
    connection = HTTPConnection("127.0.0.1", person.port)
    connection.request("GET", PDF, headers={"Cookie": person.cookie})
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def test_f13_a_paper_whose_maker_is_killed_is_said_leaves_no_zombie_and_is_made_at_the_next_try(
    house_of, log, tmp_path
):
    folder, app, _tokens = house_of(0)
    with app.app_context(), unit.writing():
        organiser = an_account()
        june = a_day(organiser).june
        write_frame(june)
        agenda.save_note(an_item(june, "Tiefe", "16:00"), DEEP, 0, None, at=EVENING)
    with web(folder, log) as server:
        wait_until(lambda: children_of(server.pid))
        [process] = children_of(server.pid)
        person, answers = signed_in(app, organiser, server.port), []
        asking = threading.Thread(target=lambda: answers.append(asked(person)))
        asking.start()
        makers = []

        def is_there():
            makers[:] = [pid for pid in children_of(process) if "kit.pdf_child" in words_of(pid)]
            return makers or answers

        wait_until(is_there)
        os.kill(makers[0], signal.SIGKILL)
        asking.join()
        [(status, page)] = answers
        assert status == 409 and b"PDF" in page and not page.startswith(b"%PDF-")
        assert children_of(process) == [], "a zombie, or a second maker"
        assert "no PDF of the minutes" in log.read_text()
        status, paper = asked(person)
        assert status == 200 and paper.startswith(b"%PDF-")
        assert "Ganz unten steht etwas." in " ".join(text(paper, tmp_path).split())
        assert children_of(process) == []
