"""Data quality: what a message may say but should not. Warnings, unless configured otherwise."""

from gateway.regimes.quality.regime import DataQuality
from gateway.regimes.quality.settings import QualitySettings

__all__ = ["DataQuality", "QualitySettings"]
