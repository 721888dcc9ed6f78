"""Several processes that are one gateway, and the one that keeps them."""

from gateway.app.workers.front import Front
from gateway.app.workers.process import Unstartable
from gateway.app.workers.supervisor import Supervisor

__all__ = ["Front", "Supervisor", "Unstartable"]
