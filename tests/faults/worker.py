"""`flask worker` without Flask's command line, for which other packages of a developer may bring a command of that name."""

from conference.kit import jobs
from wsgi import app

if __name__ == "__main__":
    with app.app_context():
        jobs.work(app)
