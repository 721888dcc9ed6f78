"""Code lists: those that come with the gateway, and the user's own in their place."""

from gateway.regimes.codes.lists import CodeList, Codes, parse_list

__all__ = ["CodeList", "Codes", "parse_list"]
