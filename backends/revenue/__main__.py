"""``python -m backends.revenue --config FILE``."""

from backends.revenue.desk import NAME, RevenueSettings, build
from backends.service.process import command

if __name__ == "__main__":
    command(NAME, RevenueSettings, build)()
