"""``python -m backends.risk --config FILE``."""

from backends.risk.desk import NAME, RiskSettings, build
from backends.service.process import command

if __name__ == "__main__":
    command(NAME, RiskSettings, build)()
