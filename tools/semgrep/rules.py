# Samples for rules.yml, read by `semgrep --test` and never run: what must be caught, and what looks like it and may be.
# ruleid: unpickle
import pickle
# ruleid: guessable
import random
# ruleid: mail
import smtplib
# ruleid: network
from urllib.request import urlopen
# ruleid: network
import requests
# ruleid: pdf
from weasyprint import HTML
# ruleid: xml
from xml.sax import parse
# ok: xml
from defusedxml.ElementTree import fromstring
import datetime as dates
import hashlib
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import flask
from flask import redirect, render_template_string, request, send_file, url_for
from markupsafe import Markup

from conference.core.text import safe_next


def view(name, letter, words, environment):
    # ruleid: markup
    Markup(name)
    # ok: markup
    Markup("<b>")
    # ruleid: template-string
    render_template_string("<b>" + name)
    # ruleid: template-string
    environment.from_string(name)
    # ruleid: shell
    subprocess.run(words, shell=True)
    # ok: shell
    subprocess.run(words, check=True)
    # ruleid: shell
    os.system(name)
    # ruleid: external-address
    url_for("x", _external=True)
    # ruleid: external-address
    address = "https://" + request.host
    # ruleid: external-address
    address = flask.request.url_root
    # ruleid: format
    letter.body.format(name=name)
    # ruleid: format
    name.format(letter)
    # ok: format
    "{}".format(name)
    # ok: format
    SHAPE.format(name)
    # ruleid: evaluate
    eval(name)
    # ruleid: evaluate
    exec(name)
    # ruleid: naive-time
    datetime.now()
    # ruleid: naive-time
    dates.datetime.utcnow()
    # ok: naive-time
    datetime.now(UTC)
    # ruleid: weak-hash
    hashlib.md5(name)
    # ok: weak-hash
    hashlib.sha256(name)
    target = request.args["next"]
    # ruleid: path-of-a-request
    send_file(request.args["name"])
    # ruleid: path-of-a-request
    Path(address, target)
    # ok: open-redirect
    redirect(safe_next(request.args["next"]))
    # ruleid: open-redirect
    return redirect(target)
