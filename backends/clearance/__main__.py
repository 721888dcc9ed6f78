"""``python -m backends.clearance --config FILE``."""

from backends.clearance.desk import NAME, ClearanceSettings, build
from backends.service.process import command

if __name__ == "__main__":
    command(NAME, ClearanceSettings, build)()
