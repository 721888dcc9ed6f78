"""Stores: implementations of the journal port."""
