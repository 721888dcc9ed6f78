"""The gateway: pipeline, journal, edges and command line."""
