"""What keeps starts and pages cheap, as facts that hold on any machine: no time is measured here."""

import subprocess
import sys
from pathlib import Path

from flask import Flask, render_template_string
from flask_babel import force_locale, gettext, lazy_gettext
from markupsafe import Markup

from conference.kit.layout import remembered

ROOT = Path(__file__).parents[2]
LATER = "alembic email_validator huey icalendar markdown_it nh3 openpyxl psycopg weasyprint"


def test_a_start_imports_nothing_that_only_a_mail_a_calendar_a_pdf_or_a_command_needs(tmp_path):
    code = (
        "import sys\n"
        f"from conference import create_app\ncreate_app({{'INSTANCE': {str(tmp_path)!r}}})\n"
        f"print([name for name in {LATER!r}.split() if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_start_hashes_no_password(tmp_path):
    code = (
        "import argon2\n"
        "def refuse(*words): raise SystemExit('hashed')\n"
        "argon2.PasswordHasher.hash = refuse\n"
        f"from conference import create_app\ncreate_app({{'INSTANCE': {str(tmp_path)!r}}})\nprint('started')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "started\n"


def test_what_is_remembered_of_a_safe_text_is_never_given_for_an_unsafe_one(app: Flask):
    page = "{% import '_parts/status.html' as parts %}{{ parts.badge(words) }}"
    with app.test_request_context():
        safe = render_template_string(page, words=Markup("<b>late</b>"))
        unsafe = render_template_string(page, words="<b>late</b>")
    assert "<b>late</b>" in safe
    assert "&lt;b&gt;late&lt;/b&gt;" in unsafe


def test_what_is_remembered_is_drawn_once():
    drawn: list[str] = []

    def draw(name: str) -> Markup:
        drawn.append(name)
        return Markup(name)

    quick = remembered(draw)
    assert [quick("check"), quick("warn"), quick("check")] == ["check", "warn", "check"]
    assert drawn == ["check", "warn"]


def test_messages_are_those_of_the_language_that_holds_now(app: Flask):
    page = "{{ _('Rooms') }} {{ lazy }}"
    lazy = lazy_gettext("Rooms")
    with app.test_request_context(headers={"Cookie": "lang=de"}):
        german = render_template_string(page, lazy=lazy)
        with force_locale("en"):
            english = render_template_string(page, lazy=lazy)
        assert german == render_template_string(page, lazy=lazy)
    assert (german, english) == ("Räume Räume", "Rooms Rooms")
    assert gettext("Rooms") == "Rooms"


def test_values_in_messages_of_templates_are_escaped(app: Flask):
    page = "{{ _('Round %(number)s', number=value) }}|{{ _('100 %%') }}"
    with app.test_request_context(headers={"Cookie": "lang=en"}):
        assert render_template_string(page, value="<i>") == "Round &lt;i&gt;|100 %"
