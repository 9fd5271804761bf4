"""Walls that renew themselves beside people who want something: nobody holds a thread while nothing happens (F19)."""

from http.client import HTTPConnection

from conference.kit import unit

from ..builders import a_conference, an_account
from ..servers import all_at_once, answers, free_port, process, settings_of, wait_until
from .running import Guest, signed_in

WALLS = 200
WALL = "/conferences/june-2023/wall"


def test_f19_two_hundred_walls_leave_room_for_everybody_else(house_of, log):
    folder, app, tokens = house_of(2)
    with app.app_context(), unit.writing():
        moderator = an_account()
        a_conference(moderator)
    port = free_port()
    words = ["gunicorn", "--config", "deploy/gunicorn.conf.py", "--bind", f"127.0.0.1:{port}"]
    with process(words, settings_of(folder, BASE_URL=f"http://127.0.0.1:{port}"), log) as server:
        wait_until(lambda: answers(port) or server.poll() is not None)
        person = signed_in(app, moderator, port)
        first = person.call("GET", WALL)
        assert first.status == 200
        known = {"Cookie": person.cookie, "If-None-Match": first.headers["ETag"]}
        walls = [HTTPConnection("127.0.0.1", port) for _number in range(WALLS)]

        def look(wall):
            wall.request("GET", WALL, headers=known)
            answer = wall.getresponse()
            answer.read()
            return answer.status

        guests = [Guest(port, token).look() for token in tokens]
        seen = all_at_once([*(lambda wall=wall: look(wall) for wall in walls), guests[0].say_yes])
        assert seen[-1].status == 303
        assert seen[:-1] == [304] * WALLS
        assert guests[1].say_yes().status == 303, "while all of them keep their connection"
        for wall in walls:
            wall.close()
    assert "Traceback" not in log.read_text()
