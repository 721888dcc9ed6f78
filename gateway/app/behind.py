"""What stands behind the listeners of a process, open and put together."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.app.forgetting import Forgetting
from gateway.config.directory import Directory
from gateway.config.evidence import Evidence
from gateway.core.ports import Journal
from gateway.pipeline.inbound import Inbound
from gateway.pipeline.notices import Notices
from gateway.pipeline.prepare import Preparer
from gateway.pipeline.switchboard import Switchboard


@dataclass(frozen=True, slots=True)
class Behind:
    """The journal, the registry, and whoever works on messages between them."""

    journal: Journal
    board: Switchboard
    directory: Directory
    evidence: Evidence
    forgetting: Forgetting
    inbound: Inbound
    notices: Notices
    preparer: Preparer
