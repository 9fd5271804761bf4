"""The yardstick: a bare Flask page with one Jinja template and one ORM query of eight rows."""

import os

from flask import Flask, render_template_string
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


db = SQLAlchemy(model_class=Base)


class Row(db.Model):  # type: ignore[name-defined]
    id: Mapped[int] = mapped_column(primary_key=True)
    clock: Mapped[str]
    title: Mapped[str]


PAGE = """<!doctype html><html lang="de"><head><meta charset="utf-8"><title>Programm</title></head><body><h1>Programm</h1>
<table>{% for row in rows %}<tr><td>{{ row.clock }}</td><td>{{ row.title }}</td></tr>{% endfor %}</table></body></html>"""

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ.get("YARDSTICK_DATABASE", "sqlite://")
db.init_app(app)
with app.app_context():
    db.create_all()
    if db.session.scalar(select(Row).limit(1)) is None:
        db.session.add_all(Row(clock=f"{9 + n}:00", title=f"Tagesordnungspunkt {n}") for n in range(8))
        db.session.commit()


@app.get("/")
def page() -> str:
    return render_template_string(PAGE, rows=db.session.scalars(select(Row).order_by(Row.id)).all())
