"""Faults under load: processes are killed at random moments, and the receiver counts."""
