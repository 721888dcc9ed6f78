"""The risk back end: rules from a file, shared indicators, one assessment per message version."""
