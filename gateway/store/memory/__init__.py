"""The journal in memory: the plain meaning of the port, for tests. Nothing is durable."""

from gateway.store.memory.journal import MemoryJournal

__all__ = ["MemoryJournal"]
