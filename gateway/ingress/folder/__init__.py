"""Watched folders, for those who send files."""

from gateway.ingress.folder.ingress import FolderIngress
from gateway.ingress.folder.settings import FolderSettings

__all__ = ["FolderIngress", "FolderSettings"]
