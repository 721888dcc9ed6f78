"""Our own formats: every message kind, field by field, as JSON and as protobuf."""
