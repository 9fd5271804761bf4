"""Tools that know Flask and SQLAlchemy, but no room."""
