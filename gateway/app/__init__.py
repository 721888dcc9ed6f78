"""The composition root: the only package that names concrete classes and puts them together."""

from gateway.app.app import App
from gateway.app.clock import utc_now
from gateway.app.place import ALONE, Place
from gateway.app.telling import new_telemetry

__all__ = ["ALONE", "App", "Place", "new_telemetry", "utc_now"]
