"""security.txt says whom to tell of a weakness, and a start in production misses it (REQ-35, RFC 9116)."""

import logging
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from conference import config, create_app

ROOT = Path(__file__).parents[2]
GOOD = {"SECURITY_CONTACT": "mailto:sicherheit@agentur.example", "SECURITY_EXPIRES": "2027-06-30"}


@pytest.mark.parametrize("lacking", [*GOOD, ""])
def test_req35_the_file_is_complete_or_not_there(app, lacking):
    app.config.update(GOOD | {lacking: ""})
    answer = app.test_client().get("/.well-known/security.txt")
    assert answer.status_code == (404 if lacking else 200)
    if not lacking:
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        fields = dict(line.split(": ", 1) for line in answer.get_data(as_text=True).splitlines())
        assert fields["Contact"] == GOOD["SECURITY_CONTACT"] and fields["Preferred-Languages"] == "de, en"
        assert datetime.fromisoformat(fields["Expires"]) == datetime(2027, 6, 30, 23, 59, 59, tzinfo=UTC)
        assert fields["Canonical"] == "https://folgetermin.example/.well-known/security.txt"


@pytest.mark.parametrize(
    ("contact", "expires"),
    [
        ("sicherheit@agentur.example", "2027-06-30"),
        ("http://agentur.example", "2027-06-30"),
        ("mailto:a@b.example\nContact: mailto:evil@evil.example", "2027-06-30"),
        ("mailto:a@b.example", "30.06.2027"),
    ],
)
def test_req35_what_programs_cannot_read_is_refused_at_the_start(tmp_path, contact, expires):
    given = {"FOLGETERMIN_SECURITY_CONTACT": contact, "FOLGETERMIN_SECURITY_EXPIRES": expires}
    with pytest.raises(config.UnsafeSettings, match="FOLGETERMIN_SECURITY"):
        config.read(given, {}, tmp_path)


@pytest.mark.parametrize(
    ("over", "warned"),
    [({"SECURITY_CONTACT": ""}, True), ({"SECURITY_EXPIRES": "2020-01-01"}, True), ({}, False)],
)
def test_req35_a_start_in_production_misses_it(tmp_path, caplog, over, warned):
    settings = {
        "PRODUCTION": True,
        "BASE_URL": "https://folgetermin.example",
        "TESTING": True,
        "INSTANCE": tmp_path,
    }
    with caplog.at_level(logging.WARNING):
        create_app(settings | GOOD | {"SECURITY_EXPIRES": f"{date.max.year}-01-01"} | over)
    assert ("FOLGETERMIN_SECURITY" in caplog.text) is warned
    assert "FOLGETERMIN_MAIL_SERVER is not set" in caplog.text


def test_req35_security_md_says_by_when_somebody_answers():
    text = (ROOT / "SECURITY.md").read_text()
    assert re.search(r"\| a person answers \| \d+ working days \|", text)
    assert "/.well-known/security.txt" in text and "Supported versions" in text
