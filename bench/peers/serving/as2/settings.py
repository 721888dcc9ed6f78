"""django-pyas2 as it would run in production, on SQLite: what Django's deployment pages ask for.

Runs in the environment of the peers, under gunicorn, in a folder of its own, which the environment
names. The write-ahead log is synced at each commit, as ours is; connections are kept.
"""

import os
from pathlib import Path

FOLDER = Path(os.environ["LUXOR_PEER_FOLDER"])

SECRET_KEY = os.environ["LUXOR_PEER_SECRET"]
DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
USE_TZ = True
ROOT_URLCONF = "urls"
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "pyas2"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]  # it sets Content-Length
MEDIA_ROOT = str(FOLDER / "data")
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": FOLDER / "as2.db",
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
    }
}
LOGGING_CONFIG = None
