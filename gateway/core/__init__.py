"""What every part of the gateway speaks of: envelopes, records, deliveries, errors and ports."""
