"""Generated from proto/ by proto/generate.py; changed only there."""
