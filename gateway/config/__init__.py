"""Configuration: one TOML file, read whole, every mistake reported at once with its path."""

from gateway.config.document import Config
from gateway.config.load import load
from gateway.config.mistakes import ConfigError, Mistake

__all__ = ["Config", "ConfigError", "Mistake", "load"]
