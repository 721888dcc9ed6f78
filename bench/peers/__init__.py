"""What people would use instead, side by side with the gateway: `make bench-peers`."""
